// SPDX-License-Identifier: GPL-2.0-only
/* Mappings, all of them in the arena. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define RW (PROT_READ | PROT_WRITE)

enum { MMAP_PROC, MMAP_FILE, MMAP_PAGE, MMAP_LEN, MMAP_OFF, MMAP_PROT, MMAP_FLAGS };

static void mmap_random(struct prng *r, const struct model *m, long *arg)
{
	arg[MMAP_PROC] = pick_process(r, m);
	arg[MMAP_FILE] = pick_open_file(r, m, arg[MMAP_PROC]);
	pick_file_span(r, m, arg[MMAP_FILE], &arg[MMAP_OFF], &arg[MMAP_LEN]);
	pick_whole_folios(r, m, arg[MMAP_FILE], &arg[MMAP_OFF], &arg[MMAP_LEN]);
	arg[MMAP_PAGE] = pick_congruent(r, arg[MMAP_OFF], limits.arena);
	/* Next to another mapping, so that the two may be merged. */
	if (prng_rarely(r, 3) && m->process[arg[MMAP_PROC]].vmas) {
		long n;

		pick_span(r, m, arg[MMAP_PROC], &arg[MMAP_PAGE], &n);
		arg[MMAP_PAGE] += n;
	}
	if (arg[MMAP_PAGE] + arg[MMAP_LEN] > limits.arena)
		arg[MMAP_PAGE] = arg[MMAP_LEN] < limits.arena ? limits.arena - arg[MMAP_LEN] : 0;
	arg[MMAP_LEN] *= PAGE;
	if (prng_rarely(r, 20))
		arg[MMAP_LEN] -= prng_below(r, PAGE + 1);
	arg[MMAP_PROT] = prng_rarely(r, 8) ? (long)prng_below(r, 8) & ~PROT_WRITE : RW;
	arg[MMAP_FLAGS] = prng_rarely(r, 30) ? MAP_PRIVATE : MAP_SHARED;
	if (prng_rarely(r, 10))
		arg[MMAP_FLAGS] |= MAP_POPULATE;
}

static int mmap_early_error(const struct model *m, const long *arg)
{
	const struct file *f = &m->file[arg[MMAP_FILE]];

	if (!m->process[arg[MMAP_PROC]].open[arg[MMAP_FILE]])
		return EBADF;
	if (!arg[MMAP_LEN])
		return EINVAL;
	if (arg[MMAP_PROT] & PROT_EXEC)
		return EPERM;
	return f->kvms_own ? ENODEV : 0;
}

/* These errors come after the kernel has unmapped what was mapped there before. */
static int mmap_late_error(const struct model *m, const long *arg)
{
	if (!model_can_map(&m->file[arg[MMAP_FILE]]))
		return ENODEV;
	return arg[MMAP_FLAGS] & MAP_PRIVATE ? EINVAL : 0;
}

static bool mmap_flags_are_known(long flags)
{
	flags &= ~(long)MAP_POPULATE;
	return flags == MAP_SHARED || flags == MAP_PRIVATE;
}

static void mmap_model(struct model *m, const long *arg, struct outcome *o)
{
	struct process *p = &m->process[arg[MMAP_PROC]];
	long n = (arg[MMAP_LEN] + PAGE - 1) / PAGE;
	struct vma v = { .start = arg[MMAP_PAGE], .end = arg[MMAP_PAGE] + n,
			 .file = arg[MMAP_FILE], .off = arg[MMAP_OFF], .prot = arg[MMAP_PROT],
			 .policy = policy_none };
	int err;

	o->skip = !mmap_flags_are_known(arg[MMAP_FLAGS]) || !p->alive || arg[MMAP_LEN] < 0 ||
		  !in_arena(v.start, n) || v.off < 0 || v.off > limits.offset ||
		  v.off + n > limits.policy || arg[MMAP_PROT] & ~7L ||
		  (arg[MMAP_PROT] & RW) == PROT_WRITE ||
		  (m->file[v.file].kvms_own && v.prot & PROT_EXEC);
	if (o->skip)
		return;
	err = mmap_early_error(m, arg);
	if (!err) {
		vma_unmap(p, v.start, v.end);
		err = mmap_late_error(m, arg);
	}
	outcome_error(o, err);
	if (!err) {
		vma_add(p, v);
		if (arg[MMAP_FLAGS] & MAP_POPULATE)
			populate(m, arg[MMAP_PROC], v.start, v.end);
	}
	model_settle(m);
}

static void mmap_execute(const long *arg, struct outcome *o)
{
	void *p = mmap(arena(arg[MMAP_PAGE]), arg[MMAP_LEN], arg[MMAP_PROT],
		       arg[MMAP_FLAGS] | MAP_FIXED, world.fd[arg[MMAP_FILE]],
		       arg[MMAP_OFF] * PAGE);

	outcome_call(o, p == MAP_FAILED ? -1 : 0);
}

const struct op_type op_mmap = {
	"mmap", 60, { "process", "file", "page", "len", "offset", "prot", "flags" },
	mmap_random, mmap_model, mmap_execute, .in_process = true,
};

/* Most calls are about pages of a process; these are the first arguments of such calls. */
enum { SPAN_PROC, SPAN_PAGE, SPAN_N, SPAN_MORE };

static void span_random(struct prng *r, const struct model *m, long *arg)
{
	arg[SPAN_PROC] = pick_process(r, m);
	pick_span(r, m, arg[SPAN_PROC], &arg[SPAN_PAGE], &arg[SPAN_N]);
}

static bool span_makes_sense(const struct model *m, const long *arg)
{
	return m->process[arg[SPAN_PROC]].alive && in_arena(arg[SPAN_PAGE], arg[SPAN_N]);
}

static void munmap_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !span_makes_sense(m, arg);
	outcome_error(o, arg[SPAN_N] ? 0 : EINVAL);
	if (o->skip || !arg[SPAN_N])
		return;
	vma_unmap(&m->process[arg[SPAN_PROC]], arg[SPAN_PAGE], arg[SPAN_PAGE] + arg[SPAN_N]);
	model_settle(m);
}

static void munmap_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, munmap(arena(arg[SPAN_PAGE]), arg[SPAN_N] * PAGE));
}

const struct op_type op_munmap = {
	"munmap", 8, { "process", "page", "pages" },
	span_random, munmap_model, munmap_execute, .in_process = true,
};

enum { MREMAP_PROC, MREMAP_PAGE, MREMAP_OLD, MREMAP_NEW, MREMAP_TO, MREMAP_FLAGS };

#define MOVE_TO (MREMAP_MAYMOVE | MREMAP_FIXED)

static void mremap_random(struct prng *r, const struct model *m, long *arg)
{
	static const long flags[] = {
		0, 0, MREMAP_MAYMOVE, MOVE_TO, MOVE_TO, MOVE_TO, MOVE_TO | MREMAP_DONTUNMAP,
		MREMAP_FIXED, MREMAP_DONTUNMAP, 8,
	};

	span_random(r, m, arg);
	arg[MREMAP_NEW] = arg[MREMAP_OLD];
	if (prng_rarely(r, 2))
		arg[MREMAP_NEW] = prng_below(r, limits.file);
	if (prng_rarely(r, 20))
		arg[MREMAP_OLD] = 0;
	arg[MREMAP_TO] = pick_congruent(r, arg[MREMAP_PAGE], limits.arena);
	arg[MREMAP_FLAGS] = flags[prng_below(r, prng_rarely(r, 8) ? ARRAY_SIZE(flags) : 7)];
}

static int mremap_early_error(const struct model *m, const long *arg)
{
	long flags = arg[MREMAP_FLAGS], old = arg[MREMAP_OLD], new = arg[MREMAP_NEW];
	long from = arg[MREMAP_PAGE], to = arg[MREMAP_TO];

	if (flags & ~7L || ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE)))
		return EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && (!(flags & MREMAP_MAYMOVE) || old != new))
		return EINVAL;
	if (!new)
		return EINVAL;
	if (!vma_at(&m->process[arg[MREMAP_PROC]], from))
		return EFAULT;
	if ((flags & MREMAP_FIXED) && from + old > to && to + new > from)
		return EINVAL;
	return 0;
}

/* Populates the part by which a locked mapping grew. */
static void mremap_populate(struct model *m, const long *arg, long at)
{
	const struct vma *v = vma_at(&m->process[arg[MREMAP_PROC]], at);

	if (v->flags & VMA_LOCKED)
		populate(m, arg[MREMAP_PROC], at + arg[MREMAP_OLD], at + arg[MREMAP_NEW]);
}

static int mremap_move(struct model *m, const long *arg)
{
	struct process *p = &m->process[arg[MREMAP_PROC]];
	long from = arg[MREMAP_PAGE], old = arg[MREMAP_OLD], new = arg[MREMAP_NEW];
	long to = arg[MREMAP_TO];
	struct vma moved, *v;

	vma_unmap(p, to, to + new);
	if (old > new) {
		vma_unmap(p, from + new, from + old);
		old = new;
	}
	v = vma_find(p, from);
	if (!v || old > v->end - from)
		return EFAULT;

	moved = *v;
	moved.off += from - v->start;
	moved.start = to;
	moved.end = to + new;
	if (arg[MREMAP_FLAGS] & MREMAP_DONTUNMAP)
		v->flags &= ~VMA_LOCKED;
	else
		vma_unmap(p, from, from + old);
	vma_add(p, moved);
	if (new > old && !(arg[MREMAP_FLAGS] & MREMAP_DONTUNMAP))
		mremap_populate(m, arg, to);
	return 0;
}

static bool mremap_expandable(struct process *p, const struct vma *v, const long *arg)
{
	return arg[MREMAP_OLD] == v->end - arg[MREMAP_PAGE] &&
	       vma_next(p, v->end) >= arg[MREMAP_PAGE] + arg[MREMAP_NEW];
}

static int mremap_in_place(struct model *m, const long *arg, bool *moves)
{
	struct process *p = &m->process[arg[MREMAP_PROC]];
	long from = arg[MREMAP_PAGE], old = arg[MREMAP_OLD], new = arg[MREMAP_NEW];
	struct vma *v, more;

	if (old >= new) {
		vma_unmap(p, from + new, from + old);
		return 0;
	}
	v = vma_find(p, from);
	if (old > v->end - from)
		return EFAULT;
	if (!mremap_expandable(p, v, arg)) {
		*moves = arg[MREMAP_FLAGS] & MREMAP_MAYMOVE;
		return ENOMEM;
	}
	more = *v;
	more.off += v->end - v->start;
	more.start = v->end;
	more.end = from + new;
	vma_add(p, more);
	mremap_populate(m, arg, from);
	return 0;
}

/*
 * True if the mapping would reach further behind the end of the file than the model keeps
 * policies: each time a mapping grows at its end, it reaches further.
 */
static bool mremap_goes_far(struct model *m, const long *arg)
{
	const struct vma *v = vma_find(&m->process[arg[MREMAP_PROC]], arg[MREMAP_PAGE]);

	return v && v->off + arg[MREMAP_PAGE] - v->start + arg[MREMAP_NEW] > limits.policy;
}

static void mremap_model(struct model *m, const long *arg, struct outcome *o)
{
	bool moves = false, fixed = arg[MREMAP_FLAGS] & MREMAP_FIXED;
	int err;

	/* If the kernel chooses the address, the model cannot predict it. */
	o->skip = !span_makes_sense(m, arg) || !in_arena(arg[MREMAP_PAGE], arg[MREMAP_NEW]) ||
		  !in_arena(arg[MREMAP_TO], arg[MREMAP_NEW]) ||
		  (arg[MREMAP_FLAGS] & (MREMAP_DONTUNMAP | MOVE_TO)) ==
			  (MREMAP_DONTUNMAP | MREMAP_MAYMOVE) ||
		  mremap_goes_far(m, arg);
	if (o->skip)
		return;
	err = mremap_early_error(m, arg);
	if (!err)
		err = fixed ? mremap_move(m, arg) : mremap_in_place(m, arg, &moves);
	o->skip = moves;
	outcome_error(o, err);
	outcome_value(o, err ? -1 : fixed ? arg[MREMAP_TO] : arg[MREMAP_PAGE]);
	model_settle(m);
}

static void mremap_execute(const long *arg, struct outcome *o)
{
	char *p = mremap(arena(arg[MREMAP_PAGE]), arg[MREMAP_OLD] * PAGE, arg[MREMAP_NEW] * PAGE,
			 (int)arg[MREMAP_FLAGS], arena(arg[MREMAP_TO]));

	outcome_call(o, p == MAP_FAILED ? -1 : 0);
	outcome_value(o, p == MAP_FAILED ? -1 : (p - arena(0)) / (long)PAGE);
}

const struct op_type op_mremap = {
	"mremap", 25, { "process", "page", "old", "new", "to", "flags" },
	mremap_random, mremap_model, mremap_execute, .in_process = true,
};

static void mprotect_random(struct prng *r, const struct model *m, long *arg)
{
	span_random(r, m, arg);
	arg[SPAN_MORE] = prng_rarely(r, 3) ? RW : prng_rarely(r, 20) ? RW | PROT_EXEC :
			 (long)prng_below(r, 2);
}

/* Stops at a hole; what comes before it is done. */
static int mprotect_spans(struct model *m, const long *arg)
{
	struct process *p = &m->process[arg[SPAN_PROC]];
	long at = arg[SPAN_PAGE], end = at + arg[SPAN_N], stop;

	while (at < end) {
		const struct vma *v = vma_at(p, at);
		struct vma to;

		if (!v)
			return ENOMEM;
		if (arg[SPAN_MORE] & PROT_EXEC)
			return EACCES;
		to = *v;
		stop = v->end < end ? v->end : end;
		to.prot = arg[SPAN_MORE];
		if (to.prot != v->prot)
			vma_change(p, at, stop, &to);
		at = stop;
	}
	return 0;
}

static void mprotect_model(struct model *m, const long *arg, struct outcome *o)
{
	long prot = arg[SPAN_MORE];

	/* On x86, a mapping that can be written can also be read. */
	o->skip = !span_makes_sense(m, arg) || prot & ~7L || (prot & RW) == PROT_WRITE;
	if (!o->skip)
		outcome_error(o, mprotect_spans(m, arg));
}

/*
 * Pages of a mapping without access stay mapped, and mbind() would see them. Unmap them, because
 * the model does not know which ones were mapped.
 */
static void mprotect_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, mprotect(arena(arg[SPAN_PAGE]), arg[SPAN_N] * PAGE, arg[SPAN_MORE]));
	if (!arg[SPAN_MORE])
		madvise(arena(arg[SPAN_PAGE]), arg[SPAN_N] * PAGE, MADV_DONTNEED_LOCKED);
}

const struct op_type op_mprotect = {
	"mprotect", 12, { "process", "page", "pages", "prot" },
	mprotect_random, mprotect_model, mprotect_execute, .in_process = true,
};

/* Stops at a hole; what comes before it is done. */
static int lock_spans(struct model *m, const long *arg, bool lock)
{
	struct process *p = &m->process[arg[SPAN_PROC]];
	long at = arg[SPAN_PAGE], end = at + arg[SPAN_N], stop;

	while (at < end) {
		const struct vma *v = vma_at(p, at);
		struct vma to;

		if (!v)
			return ENOMEM;
		to = *v;
		stop = v->end < end ? v->end : end;
		to.flags = lock ? to.flags | VMA_LOCKED : to.flags & ~VMA_LOCKED;
		if (to.flags != v->flags)
			vma_change(p, at, stop, &to);
		at = stop;
	}
	return 0;
}

static void mlock_model(struct model *m, const long *arg, struct outcome *o)
{
	int err;

	o->skip = !span_makes_sense(m, arg);
	if (o->skip)
		return;
	err = lock_spans(m, arg, true);
	if (!err && populate(m, arg[SPAN_PROC], arg[SPAN_PAGE], arg[SPAN_PAGE] + arg[SPAN_N]))
		err = ENOMEM;
	outcome_error(o, err);
}

static void mlock_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, mlock(arena(arg[SPAN_PAGE]), arg[SPAN_N] * PAGE));
}

const struct op_type op_mlock = {
	"mlock", 8, { "process", "page", "pages" },
	span_random, mlock_model, mlock_execute, .in_process = true,
};

static void munlock_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !span_makes_sense(m, arg);
	if (!o->skip)
		outcome_error(o, lock_spans(m, arg, false));
}

static void munlock_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, munlock(arena(arg[SPAN_PAGE]), arg[SPAN_N] * PAGE));
}

const struct op_type op_munlock = {
	"munlock", 5, { "process", "page", "pages" },
	span_random, munlock_model, munlock_execute, .in_process = true,
};

static void madvise_random(struct prng *r, const struct model *m, long *arg)
{
	static const long advices[] = {
		MADV_REMOVE, MADV_REMOVE, MADV_REMOVE, MADV_DONTNEED, MADV_DONTNEED,
		MADV_DONTNEED_LOCKED, MADV_POPULATE_READ, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		MADV_POPULATE_WRITE, MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, MADV_FREE,
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_DONTFORK, MADV_DOFORK,
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_WIPEONFORK, MADV_KEEPONFORK, 99,
	};

	span_random(r, m, arg);
	arg[SPAN_MORE] = advices[prng_below(r, ARRAY_SIZE(advices))];
	if (kernel.huge && prng_rarely(r, 4))
		arg[SPAN_MORE] = prng_rarely(r, 3) ? MADV_NOHUGEPAGE : MADV_HUGEPAGE;
}

/* The flags that the mapping has after the advice; -1 if the advice does not change flags. */
static int advised_flags(int flags, long advice)
{
	switch (advice) {
	case MADV_NORMAL:
		return flags & ~(VMA_RANDOM | VMA_SEQUENTIAL);
	case MADV_RANDOM:
		return (flags & ~VMA_SEQUENTIAL) | VMA_RANDOM;
	case MADV_SEQUENTIAL:
		return (flags & ~VMA_RANDOM) | VMA_SEQUENTIAL;
	case MADV_DONTFORK:
		return flags | VMA_DONTFORK;
	case MADV_DOFORK:
		return flags & ~VMA_DONTFORK;
	case MADV_HUGEPAGE:
		return (flags & ~VMA_NOHUGE) | VMA_HUGE;
	case MADV_NOHUGEPAGE:
		return (flags & ~VMA_HUGE) | VMA_NOHUGE;
	case MADV_KEEPONFORK:
		return flags;
	}
	return -1;
}

static int advise_flags(struct process *p, long at, long stop, long advice)
{
	const struct vma *v = vma_at(p, at);
	struct vma to = *v;

	to.flags = advised_flags(v->flags, advice);
	if (to.flags != v->flags)
		vma_change(p, at, stop, &to);
	return 0;
}

/* Core mm splits a folio if the advice is for a part of it, and under more conditions. */
static void may_split(struct file *f, long first, long end)
{
	long i;

	for (i = first; i < end && i < f->pages; i++) {
		if (f->folios[i / HUGE_PAGES] == FOLIOS_HUGE)
			f->folios[i / HUGE_PAGES] = FOLIOS_UNSURE;
	}
}

/* Models the advice for one mapping. */
static int advise(struct model *m, struct process *p, long at, long stop, long advice)
{
	const struct vma *v = vma_at(p, at);
	bool locked = v->flags & VMA_LOCKED;
	long off = v->off + at - v->start;

	switch (advice) {
	case MADV_REMOVE:
		if (locked)
			return EINVAL;
		if (kernel.remove_needs_write && !(v->prot & PROT_WRITE))
			return EACCES;
		model_punch(m, v->file, off, off + stop - at);
		return 0;
	case MADV_FREE:
	case MADV_WIPEONFORK:
		return EINVAL;
	case MADV_COLD:
	case MADV_PAGEOUT:
		if (!locked)
			may_split(&m->file[v->file], off, off + stop - at);
		return locked ? EINVAL : 0;
	case MADV_DONTNEED:
		return locked ? EINVAL : 0;
	case MADV_DONTNEED_LOCKED:
	case MADV_WILLNEED:
		return 0;
	}
	return advise_flags(p, at, stop, advice);
}

/* Continues behind a hole, but returns ENOMEM in the end. */
static int advise_spans(struct model *m, const long *arg)
{
	struct process *p = &m->process[arg[SPAN_PROC]];
	long at = arg[SPAN_PAGE], end = at + arg[SPAN_N];
	int hole = 0, err = 0;

	while (at < end && !err) {
		const struct vma *v = vma_at(p, at);
		long stop;

		if (!v) {
			hole = ENOMEM;
			at = vma_next(p, at);
			continue;
		}
		stop = v->end < end ? v->end : end;
		err = advise(m, p, at, stop, arg[SPAN_MORE]);
		at = stop;
	}
	return err ?: hole;
}

static int madvise_error(struct model *m, const long *arg)
{
	long advice = arg[SPAN_MORE], end = arg[SPAN_PAGE] + arg[SPAN_N];
	bool write = advice == MADV_POPULATE_WRITE;

	if (advice == 99)
		return EINVAL;
	if (write || advice == MADV_POPULATE_READ)
		return populate_advice(m, arg[SPAN_PROC], arg[SPAN_PAGE], end, write);
	return advise_spans(m, arg);
}

static bool advice_is_known(long advice)
{
	switch (advice) {
	case MADV_REMOVE:
	case MADV_FREE:
	case MADV_WIPEONFORK:
	case MADV_DONTNEED:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_DONTNEED_LOCKED:
	case MADV_WILLNEED:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
	case 99:
		return true;
	}
	return advised_flags(0, advice) >= 0;
}

static void madvise_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !span_makes_sense(m, arg) || !advice_is_known(arg[SPAN_MORE]);
	if (!o->skip)
		outcome_error(o, madvise_error(m, arg));
}

static void madvise_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, madvise(arena(arg[SPAN_PAGE]), arg[SPAN_N] * PAGE, arg[SPAN_MORE]));
}

const struct op_type op_madvise = {
	"madvise", 40, { "process", "page", "pages", "advice" },
	madvise_random, madvise_model, madvise_execute, .in_process = true,
};

static void read_random(struct prng *r, const struct model *m, long *arg)
{
	span_random(r, m, arg);
	arg[SPAN_MORE] = 1 + prng_below(r, 1000000);
}

static void touch_model(struct model *m, const long *arg, struct outcome *o, bool write)
{
	int proc = arg[SPAN_PROC], page = arg[SPAN_PAGE], i;
	uint64_t sum = 0;

	o->skip = !span_makes_sense(m, arg);
	if (o->skip)
		return;
	for (i = 0; i < arg[SPAN_N]; i++) {
		const struct vma *v = vma_at(&m->process[proc], page + i);

		o->err = touch_page(m, proc, page + i, write, (uint64_t)arg[SPAN_MORE] + i);
		if (o->err)
			break;
		sum = sum * WEIGHT + m->file[v->file].page[v->off + page + i - v->start].value;
	}
	o->ret = i;
	outcome_value(o, sum);
}

static void read_model(struct model *m, const long *arg, struct outcome *o)
{
	touch_model(m, arg, o, false);
}

static void write_model(struct model *m, const long *arg, struct outcome *o)
{
	touch_model(m, arg, o, true);
}

struct touch {
	const long *arg;
	bool write;
	volatile long n;
	volatile uint64_t sum;
};

static void touch_pages(void *data)
{
	struct touch *t = data;

	while (t->n < t->arg[SPAN_N]) {
		volatile uint64_t *p = (void *)arena(t->arg[SPAN_PAGE] + t->n);

		if (t->write)
			*p = (uint64_t)t->arg[SPAN_MORE] + t->n;
		t->sum = t->sum * WEIGHT + *p;
		t->n++;
	}
}

static void touch_execute(const long *arg, struct outcome *o, bool write)
{
	struct touch t = { .arg = arg, .write = write };

	o->err = signal_of(touch_pages, &t);
	o->ret = t.n;
	outcome_value(o, t.sum);
}

static void read_execute(const long *arg, struct outcome *o)
{
	touch_execute(arg, o, false);
}

static void write_execute(const long *arg, struct outcome *o)
{
	touch_execute(arg, o, true);
}

const struct op_type op_read = {
	"read", 30, { "process", "page", "pages", "value" },
	read_random, read_model, read_execute, .in_process = true,
};

const struct op_type op_write = {
	"write", 60, { "process", "page", "pages", "value" },
	read_random, write_model, write_execute, .in_process = true,
};
