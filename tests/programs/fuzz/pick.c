// SPDX-License-Identifier: GPL-2.0-only
/* Random arguments, mostly such that the call can succeed. */
#include "fuzz.h"

int pick_process(struct prng *r, const struct model *m)
{
	return m->process[1].alive && prng_rarely(r, 3);
}

static int pick_one(struct prng *r, const bool *candidate, int n)
{
	int i, found = -1, count = 0;

	for (i = 0; i < n; i++) {
		if (candidate[i] && prng_rarely(r, ++count))
			found = i;
	}
	return found < 0 ? (int)prng_below(r, n) : found;
}

int pick_open_file(struct prng *r, const struct model *m, int proc)
{
	return prng_rarely(r, 20) ? (int)prng_below(r, FILES) :
				    pick_one(r, m->process[proc].open, FILES);
}

int pick_open_vm(struct prng *r, const struct model *m)
{
	bool open[VMS];
	int i;

	for (i = 0; i < VMS; i++)
		open[i] = m->vm[i].open;
	return pick_one(r, open, VMS);
}

/* Adds a value that need not make sense. The result is limited to the largest number. */
void pick_odd(struct prng *r, const long *odd, int n, long *arg)
{
	if (__builtin_add_overflow(*arg, odd[prng_below(r, n)], arg))
		*arg = INT64_MAX;
}

bool in_arena(long page, long n)
{
	return page >= 0 && n >= 0 && page < limits.arena && n <= limits.arena - page;
}

/* Moves a page to where 2 MiB begin, or a few pages from there. */
static long near_huge(struct prng *r, long page)
{
	page -= page % (long)HUGE_PAGES;
	return prng_rarely(r, 2) ? page : page + (long)prng_below(r, 9) - 4;
}

/* Some of these pages: any, or, with folios of 2 MiB, few, or what begins or ends near a folio's end. */
void pick_narrow(struct prng *r, long *first, long *n)
{
	long skip = prng_below(r, *n), end = *first + *n, stop;

	if (kernel.huge && prng_rarely(r, 3))
		skip = near_huge(r, *first + skip) - *first;
	if (skip < 0 || skip >= *n)
		skip = 0;
	*first += skip;
	*n = 1 + prng_below(r, *n - skip);
	if (!kernel.huge)
		return;
	if (prng_rarely(r, 3)) {
		*n = 1 + prng_below(r, *n < 8 ? *n : 8);
		return;
	}
	stop = prng_rarely(r, 2) ? near_huge(r, *first + *n + HUGE_PAGES / 2) : *first + *n;
	if (stop > *first && stop <= end)
		*n = stop - *first;
}

/* A page below @limit; mostly one that is as far from a boundary of 2 MiB as @page. */
long pick_congruent(struct prng *r, long page, long limit)
{
	if (!kernel.huge || page < 0 || prng_rarely(r, 3))
		return prng_below(r, limit);
	return page % (long)HUGE_PAGES + (long)HUGE_PAGES * prng_below(r, limit / HUGE_PAGES);
}

/* A whole mapping of a process that has any. */
void pick_mapping(struct prng *r, const struct process *p, long *page, long *n)
{
	const struct vma *v = &p->vma[prng_below(r, p->vmas)];

	*page = v->start;
	*n = v->end - v->start;
}

/* Pages of the arena: a mapping, a part of one, a bit more than one, or any pages. */
void pick_span(struct prng *r, const struct model *m, int proc, long *page, long *n)
{
	const struct process *p = &m->process[proc];

	if (!p->vmas || prng_rarely(r, 8)) {
		*page = prng_below(r, limits.arena);
		*n = 1 + prng_below(r, limits.file);
	} else {
		pick_mapping(r, p, page, n);
		if (!prng_rarely(r, 3))
			pick_narrow(r, page, n);
		if (prng_rarely(r, 8))
			*n += prng_below(r, 16);
		if (prng_rarely(r, 16))
			*page -= prng_below(r, 4);
	}
	if (*page < 0)
		*page = 0;
	if (*n > limits.arena - *page)
		*n = limits.arena - *page;
}

/* Pages of a file, and sometimes also some behind its end. */
void pick_file_span(struct prng *r, const struct model *m, int file, long *first, long *n)
{
	*first = 0;
	*n = m->file[file].pages ?: 1;
	if (!prng_rarely(r, 4))
		pick_narrow(r, first, n);
	if (prng_rarely(r, 12))
		*n += prng_below(r, 8);
	if (prng_rarely(r, 20))
		*first += prng_below(r, 32);
}

/* From a boundary of 2 MiB to the end of the file, every other time. */
void pick_whole_folios(struct prng *r, const struct model *m, int file, long *first, long *n)
{
	if (!kernel.huge || prng_rarely(r, 2))
		return;
	*first -= *first % (long)HUGE_PAGES;
	if (*first < m->file[file].pages)
		*n = m->file[file].pages - *first;
}

const struct slot *pick_slot(struct prng *r, const struct model *m, int vm)
{
	const struct slot *s = m->vm[vm].slot[0];
	bool there[SLOTS];
	int i;

	for (i = 0; i < SLOTS; i++) {
		there[i] = s[i].pages;
		/* A slot that has no file any more. */
		if (s[i].flags & KVM_MEM_GUEST_MEMFD && s[i].file < 0 && prng_rarely(r, 2))
			return &s[i];
	}
	return &s[pick_one(r, there, SLOTS)];
}

void pick_policy(struct prng *r, long *mode, long *nodes, long *maxnode)
{
	static const unsigned long masks[] = { 1, 2, 3, 3, 3, 1, 2, 3, 3, 0, 8, 9, 10, 12, 15 };
	static const int modes[] = {
		MPOL_DEFAULT, MPOL_PREFERRED, MPOL_BIND, MPOL_BIND, MPOL_INTERLEAVE, MPOL_INTERLEAVE,
		MPOL_INTERLEAVE, MPOL_LOCAL, MPOL_PREFERRED_MANY, MPOL_WEIGHTED_INTERLEAVE,
		MPOL_WEIGHTED_INTERLEAVE,
	};

	*mode = modes[prng_below(r, ARRAY_SIZE(modes))];
	if (prng_rarely(r, 40))
		*mode = prng_below(r, 20) - 5;
	*nodes = masks[prng_below(r, prng_rarely(r, 5) ? ARRAY_SIZE(masks) : 9)];
	if ((*mode == MPOL_DEFAULT || *mode == MPOL_LOCAL) && !prng_rarely(r, 20))
		*nodes = 0;
	if (prng_rarely(r, 6))
		*mode |= 1L << (13 + prng_below(r, 3));
	if (prng_rarely(r, 40))
		*mode |= 1L << (10 + prng_below(r, 6));
	*maxnode = *nodes ? 65 : 0;
	if (prng_rarely(r, 20)) {
		static const long sizes[] = { 0, 1, 2, 3, 4, 5, 64, 128, 1025, 32769, 32770, -1 };

		*maxnode = sizes[prng_below(r, ARRAY_SIZE(sizes))];
	}
}

/* A VM with private memory, or any, if there is none. */
int pick_private_vm(struct prng *r, const struct model *m)
{
	bool private[VMS];
	int i;

	for (i = 0; i < VMS; i++)
		private[i] = m->vm[i].open && m->vm[i].private;
	return prng_rarely(r, 30) ? pick_open_vm(r, m) : pick_one(r, private, VMS);
}

/* Frames of a slot: all of them or some, and sometimes also some behind its end. */
void pick_slot_span(struct prng *r, const struct model *m, int vm, long *gpa, long *n)
{
	const struct slot *s = pick_slot(r, m, vm);
	int i;

	/* With private memory, ordinary slots are of little interest. */
	for (i = 0; i < 6 && m->vm[vm].private && !(s->flags & KVM_MEM_GUEST_MEMFD); i++)
		s = pick_slot(r, m, vm);
	*gpa = s->gpa;
	*n = s->pages ?: 1;
	if (!prng_rarely(r, 3))
		pick_narrow(r, gpa, n);
	if (prng_rarely(r, 12))
		*n += prng_below(r, 8);
}

/* Mostly frames of which the first one is private. */
void pick_private_span(struct prng *r, const struct model *m, int vm, long *gpa, long *n)
{
	int i;

	pick_slot_span(r, m, vm, gpa, n);
	for (i = 0; i < 6 && !private_is(&m->vm[vm], *gpa); i++)
		pick_slot_span(r, m, vm, gpa, n);
}
