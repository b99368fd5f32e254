// SPDX-License-Identifier: GPL-2.0-only
/* Files: KVM_CREATE_GUEST_MEMFD, close(), fallocate(). */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"

enum { CREATE_PROC, CREATE_FILE, CREATE_VM, CREATE_SIZE, CREATE_FLAGS };

static void create_random(struct prng *r, const struct model *m, long *arg)
{
	static const long sizes[] = { 0, -(long)PAGE, 1, PAGE + 1, PAGE - 1, INT64_MIN, INT64_MAX };
	static const long flags[] = { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
				     1, 1, 2, 0, 4, 7, INT64_MIN };

	arg[CREATE_PROC] = pick_process(r, m) && prng_rarely(r, 8);
	arg[CREATE_FILE] = prng_below(r, FILES);
	arg[CREATE_VM] = pick_open_vm(r, m);
	arg[CREATE_SIZE] = PAGE * (1 + prng_below(r, limits.file));
	if (kernel.huge && prng_rarely(r, 2))
		arg[CREATE_SIZE] = HUGE * (1 + prng_below(r, limits.file / HUGE_PAGES));
	if (prng_rarely(r, 20))
		arg[CREATE_SIZE] = sizes[prng_below(r, ARRAY_SIZE(sizes))];
	arg[CREATE_FLAGS] = flags[prng_below(r, ARRAY_SIZE(flags))];
	if (m->vm[arg[CREATE_VM]].private && !prng_rarely(r, 20))
		arg[CREATE_FLAGS] = 0;
}

static bool create_makes_sense(const struct model *m, const long *arg)
{
	const struct vm *vm = &m->vm[arg[CREATE_VM]];
	long size = arg[CREATE_SIZE];

	if (size > (long)(limits.file * PAGE) && size % PAGE == 0)
		return false;
	return m->process[arg[CREATE_PROC]].alive && !m->file[arg[CREATE_FILE]].alive &&
	       (arg[CREATE_PROC] ? vm->inherited : vm->open);
}

static int create_error(const struct model *m, const long *arg)
{
	unsigned long flags = arg[CREATE_FLAGS];
	long size = arg[CREATE_SIZE];

	if (arg[CREATE_PROC])
		return EIO;
	if (m->vm[arg[CREATE_VM]].private && flags)
		return EINVAL;
	if (!m->loaded && (flags || !kernel.kvms_own_files))
		return kernel.unloaded_create;
	if (flags & ~(unsigned long)VMM_GMEM_BOTH)
		return EINVAL;
	return size <= 0 || size % PAGE ? EINVAL : 0;
}

static void create_model(struct model *m, const long *arg, struct outcome *o)
{
	struct file *f = &m->file[arg[CREATE_FILE]];
	int err = create_error(m, arg), i;

	o->skip = !create_makes_sense(m, arg);
	outcome_error(o, err);
	if (err || o->skip)
		return;

	*f = (struct file){ .alive = true, .vm = arg[CREATE_VM], .pages = arg[CREATE_SIZE] / PAGE,
			    .flags = arg[CREATE_FLAGS] };
	f->kvms_own = !f->flags && kernel.kvms_own_files;
	f->noted = m->loaded && m->private_policy && m->vm[f->vm].private;
	m->noted_any |= f->noted;
	f->huge = f->kvms_own ? HUGE_NEVER : m->huge;
	for (i = 0; i < POLICY_PAGES; i++)
		f->policy[i] = policy_none;
	m->process[0].open[arg[CREATE_FILE]] = true;
}

static void create_execute(const long *arg, struct outcome *o)
{
	int fd = vmm_gmem_try(&world.vm[arg[CREATE_VM]], arg[CREATE_SIZE], arg[CREATE_FLAGS]);

	outcome_call(o, fd < 0 ? -1 : 0);
	if (fd < 0)
		return;
	world.fd[arg[CREATE_FILE]] = fd;
	must(!fstat(fd, &world.id[arg[CREATE_FILE]]));
}

const struct op_type op_create = {
	"create", 30, { "process", "file", "vm", "size", "flags" },
	create_random, create_model, create_execute, .in_process = true,
};

static void close_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = pick_process(r, m);
	arg[1] = pick_open_file(r, m, arg[0]);
}

static void close_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !m->process[arg[0]].alive || !m->process[arg[0]].open[arg[1]];
	if (o->skip)
		return;
	m->process[arg[0]].open[arg[1]] = false;
	model_settle(m);
}

static void close_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, close(world.fd[arg[1]]));
	world.fd[arg[1]] = -1;
}

const struct op_type op_close = {
	"close", 6, { "process", "file" },
	close_random, close_model, close_execute, .in_process = true,
};

enum { FALLOC_PROC, FALLOC_FILE, FALLOC_MODE, FALLOC_OFFSET, FALLOC_LEN };

#define ALLOCATE FALLOC_FL_KEEP_SIZE
#define PUNCH (FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)

static void fallocate_random(struct prng *r, const struct model *m, long *arg)
{
	static const long modes[] = {
		0, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_UNSHARE_RANGE, PUNCH | 0x100,
	};
	static const long odd[] = { 1, -1, PAGE / 2, INT64_MAX, -(long)PAGE, 1L << 62 };
	long first, n;

	arg[FALLOC_PROC] = pick_process(r, m);
	arg[FALLOC_FILE] = pick_open_file(r, m, arg[FALLOC_PROC]);
	pick_file_span(r, m, arg[FALLOC_FILE], &first, &n);
	arg[FALLOC_MODE] = prng_below(r, 2) ? ALLOCATE : PUNCH;
	if (prng_rarely(r, 30))
		arg[FALLOC_MODE] = modes[prng_below(r, ARRAY_SIZE(modes))];
	arg[FALLOC_OFFSET] = first * PAGE;
	arg[FALLOC_LEN] = n * PAGE;
	if (prng_rarely(r, 30)) {
		long *which = &arg[prng_below(r, 2) ? FALLOC_LEN : FALLOC_OFFSET];

		pick_odd(r, odd, ARRAY_SIZE(odd), which);
	}
}

/* Checks in the order of the kernel: first the VFS, then the file. */
static int fallocate_error(const struct file *f, const long *arg)
{
	long mode = arg[FALLOC_MODE], offset = arg[FALLOC_OFFSET], len = arg[FALLOC_LEN], end;

	if (offset < 0 || len <= 0)
		return EINVAL;
	if (mode & ~0x7fL || mode == FALLOC_FL_PUNCH_HOLE)
		return EOPNOTSUPP;
	if (__builtin_add_overflow(offset, len, &end))
		return EFBIG;
	if (mode != ALLOCATE && mode != PUNCH)
		return EOPNOTSUPP;
	if (offset % PAGE || len % PAGE)
		return EINVAL;
	return mode == ALLOCATE && end > f->pages * (long)PAGE ? EINVAL : 0;
}

static void fallocate_model(struct model *m, const long *arg, struct outcome *o)
{
	const struct process *p = &m->process[arg[FALLOC_PROC]];
	int file = arg[FALLOC_FILE], err;
	long first = arg[FALLOC_OFFSET] / PAGE, end, i;

	o->skip = !p->alive;
	err = p->open[file] ? fallocate_error(&m->file[file], arg) : EBADF;
	outcome_error(o, err);
	if (o->skip || err)
		return;

	end = first + arg[FALLOC_LEN] / PAGE;
	if (arg[FALLOC_MODE] == PUNCH) {
		model_punch(m, file, first, end);
		return;
	}
	for (i = first; i < end; i++) {
		if (m->vm[m->file[file].vm].private)
			private_allocate(m, arg[FALLOC_PROC], file, i);
		else
			model_allocate(m, arg[FALLOC_PROC], file, i, first, end);
	}
}

static void fallocate_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, fallocate(world.fd[arg[FALLOC_FILE]], arg[FALLOC_MODE], arg[FALLOC_OFFSET],
				  arg[FALLOC_LEN]));
}

const struct op_type op_fallocate = {
	"fallocate", 60, { "process", "file", "mode", "offset", "len" },
	fallocate_random, fallocate_model, fallocate_execute, .in_process = true,
};
