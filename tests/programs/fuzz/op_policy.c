// SPDX-License-Identifier: GPL-2.0-only
/* Policies, and which node pages are on: mbind() and related calls. */
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

#ifndef __NR_set_mempolicy_home_node
#define __NR_set_mempolicy_home_node 450
#endif

/* The kernel reads as many bits of a mask as @maxnode says. */
static unsigned long *mask_of(long nodes, long maxnode)
{
	static unsigned long mask[2 * PAGE / sizeof(long)];

	mask[0] = nodes;
	return nodes || maxnode ? mask : NULL;
}

enum { MBIND_PROC, MBIND_PAGE, MBIND_LEN, MBIND_MODE, MBIND_NODES, MBIND_MAXNODE, MBIND_FLAGS,
       MBIND_SKEW };

static void mbind_random(struct prng *r, const struct model *m, long *arg)
{
	static const long lengths[] = { 0, 1, PAGE - 1, -1, -(long)PAGE, INT64_MIN };

	arg[MBIND_PROC] = pick_process(r, m);
	pick_span(r, m, arg[MBIND_PROC], &arg[MBIND_PAGE], &arg[MBIND_LEN]);
	/* A policy without a boundary inside 2 MiB. */
	if (kernel.huge && m->process[arg[MBIND_PROC]].vmas && !prng_rarely(r, 3))
		pick_mapping(r, &m->process[arg[MBIND_PROC]], &arg[MBIND_PAGE], &arg[MBIND_LEN]);
	arg[MBIND_LEN] *= PAGE;
	if (prng_rarely(r, 20))
		arg[MBIND_LEN] -= prng_below(r, PAGE);
	if (prng_rarely(r, 40))
		arg[MBIND_LEN] = lengths[prng_below(r, ARRAY_SIZE(lengths))];
	pick_policy(r, &arg[MBIND_MODE], &arg[MBIND_NODES], &arg[MBIND_MAXNODE]);
	arg[MBIND_FLAGS] = prng_rarely(r, 3) ? (long)prng_below(r, 8) : 0;
	if (prng_rarely(r, 40))
		arg[MBIND_FLAGS] |= 1L << (3 + prng_below(r, 5));
	arg[MBIND_SKEW] = prng_rarely(r, 40) ? (long)prng_below(r, PAGE) : 0;
}

/*
 * True if the page is mapped and is not on a node of @user. Without MOVE_ALL, a page that is
 * mapped twice is not moved, and this is not a failure.
 */
static bool misplaced(const struct model *m, const long *arg, const struct vma *v, int page,
		      unsigned long user)
{
	int index = v->off + page - v->start;
	const struct page *p = &m->file[v->file].page[index];

	if (!touch_is_mapped(m, arg[MBIND_PROC], page) || (user >> p->node & 1))
		return false;
	if (!(arg[MBIND_FLAGS] & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)))
		return arg[MBIND_FLAGS] & MPOL_MF_STRICT;
	return (arg[MBIND_FLAGS] & MPOL_MF_MOVE_ALL) || model_mapcount(m, v->file, index) <= 1;
}

/*
 * Models the walk over the mappings that mbind() does before it sets the policy. Behind the arena
 * the process has other mappings, whose policy is the default; only MPOL_DEFAULT crosses the hole
 * before them and gets that far.
 *
 * Return: an error, or 0; then @failed says whether pages could not be moved.
 */
static int mbind_walk(const struct model *m, const long *arg, long end, unsigned long user,
		      bool none, bool *failed)
{
	const struct process *p = &m->process[arg[MBIND_PROC]];
	bool move = arg[MBIND_FLAGS] & (MPOL_MF_MOVE | MPOL_MF_MOVE_ALL);
	long at = vma_next(p, arg[MBIND_PAGE]);

	if (at >= end || (!none && (at > arg[MBIND_PAGE] || at == limits.arena)))
		return EFAULT;
	while (at < end && at < limits.arena) {
		const struct vma *v = vma_at(p, at);

		if (!none && v->end < end && !vma_at(p, v->end))
			return EFAULT;
		for (; at < end && at < v->end; at++) {
			if (!misplaced(m, arg, v, at, user))
				continue;
			if (!move && !none)
				return EIO;
			*failed |= move;
		}
		at = vma_next(p, at);
	}
	return 0;
}

/* A mapping that has the policy already is left alone, and so is the file behind it. */
static void mbind_set(struct model *m, struct process *p, long at, long stop,
		      const struct policy *policy)
{
	const struct vma *v = vma_at(p, at);
	struct vma to = *v;
	int i;

	if (policy_equal(&v->policy, policy))
		return;
	to.policy = *policy;
	v = vma_change(p, at, stop, &to);
	must(v->off + v->end - v->start <= limits.policy);
	m->ranges++;
	for (i = 0; i < v->end - v->start; i++) {
		m->file[v->file].policy[v->off + i] = *policy;
		m->file[v->file].range[v->off + i] = policy->mode == MPOL_DEFAULT ? 0 : m->ranges;
	}
}

static void mbind_spans(struct model *m, const long *arg, long end, const struct policy *policy)
{
	struct process *p = &m->process[arg[MBIND_PROC]];
	long at = vma_next(p, arg[MBIND_PAGE]);

	while (at < end && at < limits.arena) {
		const struct vma *v = vma_at(p, at);
		long stop = v->end < end ? v->end : end;

		mbind_set(m, p, at, stop, policy);
		at = vma_next(p, stop);
	}
}

static unsigned long aligned(long len)
{
	return (len + PAGE - 1) & -PAGE;
}

static int mbind_error(struct model *m, const long *arg)
{
	unsigned long len = aligned(arg[MBIND_LEN]), start = ARENA + arg[MBIND_PAGE] * PAGE, user;
	long end = arg[MBIND_PAGE] + len / PAGE;
	struct policy policy;
	bool failed = false, none;
	int err;

	err = policy_read(arg[MBIND_MODE], arg[MBIND_NODES], arg[MBIND_MAXNODE], &user);
	if (err || arg[MBIND_FLAGS] & ~7L || arg[MBIND_SKEW] || start + len < start)
		return EINVAL;
	if (!len)
		return 0;
	err = policy_make(arg[MBIND_MODE], arg[MBIND_NODES], arg[MBIND_MAXNODE], &policy, &user);
	if (err)
		return err;

	none = policy.mode == MPOL_DEFAULT;
	err = mbind_walk(m, arg, end, user, none, &failed);
	if (err)
		return err;
	mbind_spans(m, arg, end, &policy);
	return failed && !none && (arg[MBIND_FLAGS] & MPOL_MF_STRICT) ? EIO : 0;
}

static void mbind_model(struct model *m, const long *arg, struct outcome *o)
{
	unsigned long len = aligned(arg[MBIND_LEN]);

	o->skip = !m->process[arg[MBIND_PROC]].alive || !in_arena(arg[MBIND_PAGE], 0) ||
		  (len < 1UL << 40 && !in_arena(arg[MBIND_PAGE], len / PAGE)) ||
		  (len >= 1UL << 40 && len < -(1UL << 40) && len != 1UL << 63) ||
		  (kernel.huge && arg[MBIND_FLAGS] & (MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL));
	if (!o->skip)
		outcome_error(o, mbind_error(m, arg));
}

static void mbind_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, syscall(SYS_mbind, arena(arg[MBIND_PAGE]) + arg[MBIND_SKEW],
				arg[MBIND_LEN], (int)arg[MBIND_MODE],
				mask_of(arg[MBIND_NODES], arg[MBIND_MAXNODE]), arg[MBIND_MAXNODE],
				(unsigned int)arg[MBIND_FLAGS]));
}

const struct op_type op_mbind = {
	"mbind", 120, { "process", "page", "len", "mode", "nodes", "maxnode", "flags", "skew" },
	mbind_random, mbind_model, mbind_execute, .in_process = true,
};

enum { HOME_PROC, HOME_PAGE, HOME_PAGES, HOME_NODE, HOME_FLAGS };

static void home_random(struct prng *r, const struct model *m, long *arg)
{
	arg[HOME_PROC] = pick_process(r, m);
	pick_span(r, m, arg[HOME_PROC], &arg[HOME_PAGE], &arg[HOME_PAGES]);
	arg[HOME_NODE] = prng_below(r, prng_rarely(r, 10) ? 5 : NODES);
	arg[HOME_FLAGS] = prng_rarely(r, 20);
}

static int home_spans(struct model *m, const long *arg)
{
	struct process *p = &m->process[arg[HOME_PROC]];
	long end = arg[HOME_PAGE] + arg[HOME_PAGES], at = vma_next(p, arg[HOME_PAGE]);
	int err = ENOENT;

	while (at < end) {
		const struct vma *v = vma_at(p, at);
		long stop = v->end < end ? v->end : end;
		struct policy policy = v->policy;

		if (policy.mode != MPOL_DEFAULT) {
			if (policy.mode != MPOL_BIND && policy.mode != MPOL_PREFERRED_MANY)
				return EOPNOTSUPP;
			policy.home = arg[HOME_NODE];
			mbind_set(m, p, at, stop, &policy);
			err = 0;
		}
		at = vma_next(p, stop);
	}
	return err;
}

static int home_error(struct model *m, const long *arg)
{
	if (arg[HOME_FLAGS] || arg[HOME_NODE] < 0 || arg[HOME_NODE] >= NODES)
		return EINVAL;
	return arg[HOME_PAGES] ? home_spans(m, arg) : 0;
}

static void home_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !m->process[arg[HOME_PROC]].alive || !in_arena(arg[HOME_PAGE], arg[HOME_PAGES]);
	if (!o->skip)
		outcome_error(o, home_error(m, arg));
}

static void home_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, syscall(__NR_set_mempolicy_home_node, arena(arg[HOME_PAGE]),
				arg[HOME_PAGES] * PAGE, arg[HOME_NODE], arg[HOME_FLAGS]));
}

const struct op_type op_home_node = {
	"home-node", 12, { "process", "page", "pages", "node", "flags" },
	home_random, home_model, home_execute, .in_process = true,
};

enum { GET_PROC, GET_PAGE, GET_FLAGS };

static void get_random(struct prng *r, const struct model *m, long *arg)
{
	long n;

	arg[GET_PROC] = pick_process(r, m);
	pick_span(r, m, arg[GET_PROC], &arg[GET_PAGE], &n);
	arg[GET_FLAGS] = prng_rarely(r, 6) ? (long)prng_below(r, 16) :
			 prng_rarely(r, 2) ? MPOL_F_ADDR : MPOL_F_ADDR | MPOL_F_NODE;
}

static void get_policy_values(struct outcome *o, const struct policy *p)
{
	outcome_value(o, p->mode | p->flags);
	outcome_value(o, p->flags ? p->user : p->nodes);
}

/* The node of a page. The call allocates the page if needed. */
static void get_node(struct model *m, const long *arg, struct outcome *o)
{
	const struct vma *v;
	int node;

	if (touch_page(m, arg[GET_PROC], arg[GET_PAGE], false, 0)) {
		outcome_error(o, EFAULT);
		return;
	}
	v = vma_at(&m->process[arg[GET_PROC]], arg[GET_PAGE]);
	node = m->file[v->file].page[v->off + arg[GET_PAGE] - v->start].node;
	outcome_value(o, node == NODE_ANY ? ANY : node);
}

static void get_model(struct model *m, const long *arg, struct outcome *o)
{
	const struct process *p = &m->process[arg[GET_PROC]];
	const struct vma *v = vma_at(p, arg[GET_PAGE]);
	bool counts = p->policy.mode == MPOL_INTERLEAVE ||
		      p->policy.mode == MPOL_WEIGHTED_INTERLEAVE;

	/*
	 * The model cannot predict the task's interleave counter, as the rest of the kernel
	 * advances it, too.
	 */
	o->skip = !p->alive || !in_arena(arg[GET_PAGE], 0) ||
		  (arg[GET_FLAGS] == MPOL_F_NODE && counts);
	if (o->skip)
		return;
	switch (arg[GET_FLAGS]) {
	case 0:
		get_policy_values(o, &p->policy);
		break;
	case MPOL_F_ADDR:
		if (v)
			get_policy_values(o, &m->file[v->file].policy[v->off + arg[GET_PAGE] -
								     v->start]);
		else
			outcome_error(o, EFAULT);
		break;
	case MPOL_F_ADDR | MPOL_F_NODE:
		get_node(m, arg, o);
		break;
	case MPOL_F_MEMS_ALLOWED:
		outcome_value(o, 0);
		outcome_value(o, BOTH_NODES);
		break;
	default:
		outcome_error(o, EINVAL);
	}
}

static void get_execute(const long *arg, struct outcome *o)
{
	bool addr = arg[GET_FLAGS] & MPOL_F_ADDR, node = arg[GET_FLAGS] & MPOL_F_NODE;
	unsigned long nodes[16] = {};
	int mode = 0;

	outcome_call(o, syscall(SYS_get_mempolicy, &mode, node ? NULL : nodes, node ? 0 : 1024,
				addr ? arena(arg[GET_PAGE]) : NULL, arg[GET_FLAGS]));
	if (o->ret)
		return;
	outcome_value(o, mode);
	if (!node)
		outcome_value(o, nodes[0]);
}

const struct op_type op_get_mempolicy = {
	"get_mempolicy", 20, { "process", "page", "flags" },
	get_random, get_model, get_execute, .in_process = true,
};

enum { SET_PROC, SET_MODE, SET_NODES, SET_MAXNODE };

static void set_random(struct prng *r, const struct model *m, long *arg)
{
	arg[SET_PROC] = pick_process(r, m);
	pick_policy(r, &arg[SET_MODE], &arg[SET_NODES], &arg[SET_MAXNODE]);
}

static void set_model(struct model *m, const long *arg, struct outcome *o)
{
	struct process *p = &m->process[arg[SET_PROC]];
	struct policy policy;
	unsigned long user;
	int err;

	o->skip = !p->alive;
	if (o->skip)
		return;
	err = policy_make(arg[SET_MODE], arg[SET_NODES], arg[SET_MAXNODE], &policy, &user);
	outcome_error(o, err);
	if (!err)
		p->policy = policy;
}

static void set_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, syscall(SYS_set_mempolicy, (int)arg[SET_MODE],
				mask_of(arg[SET_NODES], arg[SET_MAXNODE]), arg[SET_MAXNODE]));
}

const struct op_type op_set_mempolicy = {
	"set_mempolicy", 15, { "process", "mode", "nodes", "maxnode" },
	set_random, set_model, set_execute, .in_process = true,
};

static void weight_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = prng_below(r, NODES);
	arg[1] = 1 + prng_below(r, 5);
}

static void weight_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !kernel.weights || arg[0] < 0 || arg[0] >= NODES || arg[1] < 1 || arg[1] > 255;
	if (!o->skip)
		m->weight[arg[0]] = arg[1];
}

static void weight_execute(const long *arg, struct outcome *o)
{
	char path[96], text[16];
	int fd, len;

	snprintf(path, sizeof(path), "/sys/kernel/mm/mempolicy/weighted_interleave/node%ld", arg[0]);
	len = snprintf(text, sizeof(text), "%ld", arg[1]);
	fd = open(path, O_WRONLY);
	must(fd >= 0);
	outcome_call(o, write(fd, text, len) == len ? 0 : -1);
	close(fd);
}

const struct op_type op_weight = {
	"weight", 4, { "node", "weight" }, weight_random, weight_model, weight_execute,
};

static void cpu_random(struct prng *r, const struct model *m, long *arg)
{
	arg[0] = pick_process(r, m);
	arg[1] = prng_below(r, NODES);
}

static void cpu_model(struct model *m, const long *arg, struct outcome *o)
{
	o->skip = !m->process[arg[0]].alive || arg[1] < 0 || arg[1] >= NODES;
	if (!o->skip)
		m->process[arg[0]].node = arg[1];
}

static void cpu_execute(const long *arg, struct outcome *o)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(kernel.cpu[arg[1]], &set);
	outcome_call(o, sched_setaffinity(0, sizeof(set), &set));
}

const struct op_type op_cpu = {
	"cpu", 15, { "process", "node" }, cpu_random, cpu_model, cpu_execute, .in_process = true,
};

enum { MOVE_PROC, MOVE_PAGE, MOVE_PAGES, MOVE_NODE, MOVE_FLAGS };

#define MOVE_QUERY (-1)
#define MOVE_UNSET (-999)

static void move_random(struct prng *r, const struct model *m, long *arg)
{
	arg[MOVE_PROC] = pick_process(r, m);
	pick_span(r, m, arg[MOVE_PROC], &arg[MOVE_PAGE], &arg[MOVE_PAGES]);
	if (arg[MOVE_PAGES] > VALUES)
		arg[MOVE_PAGES] = VALUES;
	arg[MOVE_NODE] = prng_rarely(r, 20) ? (long)prng_below(r, 6) : (long)prng_below(r, 3) - 1;
	arg[MOVE_FLAGS] = prng_rarely(r, 20) ? (long)prng_below(r, 16) :
			  prng_rarely(r, 2) ? MPOL_MF_MOVE : MPOL_MF_MOVE_ALL;
}

static long move_status(const struct model *m, const long *arg, int page)
{
	const struct vma *v = vma_at(&m->process[arg[MOVE_PROC]], page);

	if (!v)
		return -EFAULT;
	if (!touch_is_mapped(m, arg[MOVE_PROC], page))
		return -ENOENT;
	return m->file[v->file].page[v->off + page - v->start].node;
}

/* True if the page is already on the list, through another mapping of it. */
static bool move_is_queued(const struct model *m, const long *arg, int first, int page)
{
	const struct process *p = &m->process[arg[MOVE_PROC]];
	const struct vma *v = vma_at(p, page), *w;
	int i;

	for (i = first; i < page; i++) {
		w = vma_at(p, i);
		if (w->file == v->file && w->off + i - w->start == v->off + page - v->start)
			return true;
	}
	return false;
}

/* Returns 1 if the page is put on the list of pages to move; else 0 or a negative errno. */
static long move_add(const struct model *m, const long *arg, int first, int page)
{
	const struct vma *v = vma_at(&m->process[arg[MOVE_PROC]], page);
	long status = move_status(m, arg, page);

	if (status < 0 || status == arg[MOVE_NODE])
		return status < 0 ? status : 0;
	if (!(arg[MOVE_FLAGS] & MPOL_MF_MOVE_ALL) &&
	    model_mapcount(m, v->file, v->off + page - v->start) > 1)
		return -EACCES;
	return move_is_queued(m, arg, first, page) ? -EBUSY : 1;
}

/*
 * The kernel moves pages list by list, and a list ends before a page that needs no moving. No page
 * can be moved, so the first list ends the call, which returns how many pages are left.
 */
static void move_all(const struct model *m, const long *arg, struct outcome *o)
{
	int n = arg[MOVE_PAGES], i, queued = 0, first = 0;

	for (i = 0; i < n && !o->ret; i++) {
		long added = move_add(m, arg, arg[MOVE_PAGE] + first, arg[MOVE_PAGE] + i);

		if (added == 1) {
			queued++;
			continue;
		}
		o->value[i] = added ?: arg[MOVE_NODE];
		if (queued)
			o->ret = queued + n - i - 1;
		first = i + 1;
	}
	if (!o->ret)
		o->ret = queued;
}

static void move_model(struct model *m, const long *arg, struct outcome *o)
{
	int i;

	o->skip = !m->process[arg[MOVE_PROC]].alive || !in_arena(arg[MOVE_PAGE], arg[MOVE_PAGES]) ||
		  arg[MOVE_PAGES] > VALUES || arg[MOVE_NODE] < MOVE_QUERY ||
		  (kernel.huge && arg[MOVE_NODE] != MOVE_QUERY);
	if (o->skip)
		return;
	for (i = 0; i < arg[MOVE_PAGES]; i++)
		outcome_value(o, MOVE_UNSET);
	if (arg[MOVE_FLAGS] & ~(long)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) {
		outcome_error(o, EINVAL);
	} else if (arg[MOVE_NODE] == MOVE_QUERY) {
		for (i = 0; i < arg[MOVE_PAGES]; i++)
			o->value[i] = move_status(m, arg, arg[MOVE_PAGE] + i);
	} else if (arg[MOVE_NODE] >= NODES) {
		outcome_error(o, arg[MOVE_PAGES] ? ENODEV : 0);
	} else {
		move_all(m, arg, o);
	}
}

static void move_execute(const long *arg, struct outcome *o)
{
	int node[VALUES], status[VALUES], i;
	void *page[VALUES];

	for (i = 0; i < arg[MOVE_PAGES]; i++) {
		page[i] = arena(arg[MOVE_PAGE] + i);
		node[i] = arg[MOVE_NODE];
		status[i] = MOVE_UNSET;
	}
	outcome_call(o, syscall(SYS_move_pages, 0, arg[MOVE_PAGES], page,
				arg[MOVE_NODE] == MOVE_QUERY ? NULL : node, status,
				(int)arg[MOVE_FLAGS]));
	for (i = 0; i < arg[MOVE_PAGES]; i++)
		outcome_value(o, status[i]);
}

const struct op_type op_move_pages = {
	"move_pages", 20, { "process", "page", "pages", "node", "flags" },
	move_random, move_model, move_execute, .in_process = true,
};

enum { MIGRATE_PROC, MIGRATE_FROM, MIGRATE_TO };

static void migrate_random(struct prng *r, const struct model *m, long *arg)
{
	arg[MIGRATE_PROC] = pick_process(r, m);
	arg[MIGRATE_FROM] = prng_below(r, 4);
	arg[MIGRATE_TO] = prng_rarely(r, 10) ? 8 * (long)prng_below(r, 2) : 1 + (long)prng_below(r, 3);
}

/* The number of file pages that this process has mapped and that are on a node to be left. */
static int migrate_left(const struct model *m, int proc, int node)
{
	int count = 0, i, j, page;

	for (i = 0; i < FILES; i++) {
		for (j = 0; j < m->file[i].pages; j++) {
			for (page = 0; page < limits.arena; page++) {
				const struct vma *v = vma_at(&m->process[proc], page);

				if (v && v->file == i && v->off + page - v->start == j &&
				    touch_is_mapped(m, proc, page)) {
					count += m->file[i].page[j].node == node;
					break;
				}
			}
		}
	}
	return count;
}

/* The nodes that pages are moved from, as do_migrate_pages() pairs nodes. */
static unsigned long migrate_sources(long from, long to)
{
	bool pairs = __builtin_popcountl(from) == __builtin_popcountl(to);
	unsigned long sources = 0;
	int node;

	for (node = 0; node < NODES; node++) {
		if (!(from & NODE(node)) || (to & NODE(node) && (!pairs || from == to)))
			continue;
		sources |= NODE(node);
	}
	return sources;
}

/*
 * The call moves all pages of the process, and returns how many could not be moved: at least the
 * pages of our files.
 */
static void migrate_model(struct model *m, const long *arg, struct outcome *o)
{
	unsigned long sources = migrate_sources(arg[MIGRATE_FROM] & BOTH_NODES,
						arg[MIGRATE_TO] & BOTH_NODES);
	int node;

	o->skip = !m->process[arg[MIGRATE_PROC]].alive || arg[MIGRATE_FROM] & ~3L || kernel.huge;
	if (o->skip)
		return;
	if (!(arg[MIGRATE_TO] & BOTH_NODES)) {
		outcome_error(o, EINVAL);
		return;
	}
	o->at_least = true;
	for (node = 0; node < NODES; node++) {
		if (sources & NODE(node))
			o->ret += migrate_left(m, arg[MIGRATE_PROC], node);
	}
}

static void migrate_execute(const long *arg, struct outcome *o)
{
	outcome_call(o, syscall(SYS_migrate_pages, 0, 65, &arg[MIGRATE_FROM], &arg[MIGRATE_TO]));
}

const struct op_type op_migrate_pages = {
	"migrate_pages", 4, { "process", "from", "to" },
	migrate_random, migrate_model, migrate_execute, .in_process = true,
};
