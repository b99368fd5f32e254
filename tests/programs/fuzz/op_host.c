// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the first process that is no guest_memfd: what VMMs give as the shared half of a slot with
 * private memory. Only its policies matter here, and where it is mapped. It is mapped as a whole and in
 * one place of the file, so each of its pages has one policy, and no mapping need be modelled.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

#define RW (PROT_READ | PROT_WRITE)

static bool in_host(long page, long n)
{
	return page >= 0 && n > 0 && page < HOST_PAGES && n <= HOST_PAGES - page;
}

enum { MAP_KIND, MAP_OFFSET };

static void map_random(struct prng *r, const struct model *m, long *arg)
{
	arg[MAP_KIND] = prng_rarely(r, 2) ? HOST_MEMFD : HOST_ANONYMOUS + (long)prng_below(r, 2);
	arg[MAP_OFFSET] = prng_below(r, 4);
}

static void map_model(struct model *m, const long *arg, struct outcome *o)
{
	long first = arg[MAP_KIND] == HOST_MEMFD ? arg[MAP_OFFSET] : (long)(HOST / PAGE);
	int i;

	o->skip = !model_has_private_vm(m) || arg[MAP_KIND] <= HOST_NONE || arg[MAP_KIND] >= HOST_KINDS ||
		  arg[MAP_OFFSET] < 0 || arg[MAP_OFFSET] > 64;
	for (i = 0; i < HOST_PAGES && !o->skip; i++)
		m->host[i] = (struct host_page){ arg[MAP_KIND], first + i, policy_none };
}

static void map_execute(const long *arg, struct outcome *o)
{
	int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, fd = -1;
	long offset = 0;
	struct stat st;
	void *p;

	if (arg[MAP_KIND] == HOST_MEMFD) {
		fd = memfd_create("host", MFD_CLOEXEC);
		offset = arg[MAP_OFFSET] * PAGE;
		must(fd >= 0 && !ftruncate(fd, offset + HOST_PAGES * PAGE) && !fstat(fd, &st));
		shared->model.host_inode = st.st_ino;
		flags = MAP_FIXED | MAP_SHARED;
	} else if (arg[MAP_KIND] == HOST_TOUCHED) {
		flags |= MAP_POPULATE;
	}
	/* What was there has policies, and must not be merged with. */
	munmap(host_memory(0), HOST_PAGES * PAGE);
	p = mmap(host_memory(0), HOST_PAGES * PAGE, RW, flags, fd, offset);
	outcome_call(o, p == MAP_FAILED ? -1 : 0);
	if (fd >= 0)
		close(fd);
}

const struct op_type op_host_map = {
	"host-map", 12, { "kind", "offset" }, map_random, map_model, map_execute,
};

enum { SPAN_PAGE, SPAN_N, SPAN_TO };

static void span_random(struct prng *r, const struct model *m, long *arg)
{
	long page = prng_below(r, HOST_PAGES), end;

	/* Mostly pages that are mapped: slots point to the first ones. */
	if (!prng_rarely(r, 3))
		page = prng_below(r, 4);
	while (page < HOST_PAGES - 1 && m->host[page].kind == HOST_NONE && !prng_rarely(r, 60))
		page++;
	for (end = page; end < HOST_PAGES && m->host[end].kind != HOST_NONE; end++)
		;
	arg[SPAN_PAGE] = page;
	arg[SPAN_N] = end > page ? 1 + prng_below(r, end - page) : 1;
	if (end > page && prng_rarely(r, 3))
		arg[SPAN_N] = end - page;
	arg[SPAN_TO] = prng_below(r, HOST_PAGES);
}

/* The fewer pages, the more of what was there before remains. */
static void narrow_random(struct prng *r, const struct model *m, long *arg)
{
	span_random(r, m, arg);
	arg[SPAN_N] = 1 + prng_below(r, arg[SPAN_N] < 8 ? arg[SPAN_N] : 8);
	if (arg[SPAN_TO] > HOST_PAGES - arg[SPAN_N])
		arg[SPAN_TO] = HOST_PAGES - arg[SPAN_N];
}

static void unmap_model(struct model *m, const long *arg, struct outcome *o)
{
	int i;

	o->skip = !model_has_private_vm(m) || !in_host(arg[SPAN_PAGE], arg[SPAN_N]);
	for (i = 0; i < arg[SPAN_N] && !o->skip; i++)
		m->host[arg[SPAN_PAGE] + i] = (struct host_page){};
}

static void unmap_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, munmap(host_memory(arg[SPAN_PAGE]), arg[SPAN_N] * PAGE));
}

const struct op_type op_host_unmap = {
	"host-unmap", 3, { "page", "pages" }, narrow_random, unmap_model, unmap_execute,
};

/* An anonymous page that was never touched gets the offset of its new address. */
static int move_page(struct model *m, long from, long to)
{
	struct host_page page = m->host[from];

	if (page.kind == HOST_NONE)
		return EFAULT;
	if (from == to)
		return EINVAL;
	if (page.kind == HOST_ANONYMOUS)
		page.index = HOST / PAGE + to;
	m->host[to] = page;
	m->host[from] = (struct host_page){};
	return 0;
}

/* Page by page, because a call moves no more than one mapping. */
static void move_model(struct model *m, const long *arg, struct outcome *o)
{
	int i, err = 0;

	o->skip = !model_has_private_vm(m) || !in_host(arg[SPAN_PAGE], arg[SPAN_N]) ||
		  !in_host(arg[SPAN_TO], arg[SPAN_N]);
	for (i = 0; i < arg[SPAN_N] && !err && !o->skip; i++)
		err = move_page(m, arg[SPAN_PAGE] + i, arg[SPAN_TO] + i);
	outcome_error(o, err);
}

static void move_execute(const long *arg, struct outcome *o)
{
	int i;

	for (i = 0; i < arg[SPAN_N] && !o->ret; i++) {
		void *p = mremap(host_memory(arg[SPAN_PAGE] + i), PAGE, PAGE,
				 MREMAP_MAYMOVE | MREMAP_FIXED, host_memory(arg[SPAN_TO] + i));

		outcome_call(o, p == MAP_FAILED ? -1 : 0);
	}
}

const struct op_type op_host_move = {
	"host-move", 6, { "page", "pages", "to" }, narrow_random, move_model, move_execute,
};

enum { MBIND_PAGE, MBIND_N, MBIND_MODE, MBIND_NODES, MBIND_MAXNODE };

static void mbind_random(struct prng *r, const struct model *m, long *arg)
{
	span_random(r, m, arg);
	pick_policy(r, &arg[MBIND_MODE], &arg[MBIND_NODES], &arg[MBIND_MAXNODE]);
}

/* Only MPOL_DEFAULT crosses holes. */
static int mbind_error(const struct model *m, const long *arg, struct policy *policy)
{
	unsigned long user;
	int i, mapped = 0;
	int err = policy_make(arg[MBIND_MODE], arg[MBIND_NODES], arg[MBIND_MAXNODE], policy, &user);

	if (err)
		return err;
	for (i = 0; i < arg[MBIND_N]; i++)
		mapped += m->host[arg[MBIND_PAGE] + i].kind != HOST_NONE;
	if (!mapped || (policy->mode != MPOL_DEFAULT && mapped < arg[MBIND_N]))
		return EFAULT;
	return 0;
}

static void mbind_model(struct model *m, const long *arg, struct outcome *o)
{
	struct policy policy;
	int i, err;

	o->skip = !model_has_private_vm(m) || !in_host(arg[MBIND_PAGE], arg[MBIND_N]);
	if (o->skip)
		return;
	err = mbind_error(m, arg, &policy);
	outcome_error(o, err);
	for (i = 0; i < arg[MBIND_N] && !err; i++)
		m->host[arg[MBIND_PAGE] + i].policy = policy;
}

static void mbind_execute(const long *arg, struct outcome *o)
{
	static unsigned long mask[2 * PAGE / sizeof(long)];

	mask[0] = arg[MBIND_NODES];
	outcome_call(o, syscall(SYS_mbind, host_memory(arg[MBIND_PAGE]), arg[MBIND_N] * PAGE,
				(int)arg[MBIND_MODE],
				arg[MBIND_NODES] || arg[MBIND_MAXNODE] ? mask : NULL,
				arg[MBIND_MAXNODE], 0));
}

const struct op_type op_host_mbind = {
	"host-mbind", 30, { "page", "pages", "mode", "nodes", "maxnode" },
	mbind_random, mbind_model, mbind_execute,
};
