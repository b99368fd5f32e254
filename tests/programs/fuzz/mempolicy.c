// SPDX-License-Identifier: GPL-2.0-only
/* NUMA policies, as core mm creates and follows them. */
#include "fuzz.h"

const struct policy policy_none = { .mode = MPOL_DEFAULT, .home = -1 };

#define ALL_NODES ((1UL << NODES) - 1)
#define STORED (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING)

bool policy_equal(const struct policy *a, const struct policy *b)
{
	if (a->mode != b->mode)
		return false;
	if (a->mode == MPOL_DEFAULT)
		return true;
	return a->flags == b->flags && a->home == b->home && a->nodes == b->nodes &&
	       (!a->flags || a->user == b->user);
}

/* The mask that the kernel reads: one bit less than @maxnode says. */
static int read_nodes(unsigned long nodes, unsigned long maxnode, unsigned long *user)
{
	*user = 0;
	if (!nodes && !maxnode)
		return 0;
	maxnode--;
	if (maxnode > 8 * PAGE)
		return EINVAL;
	*user = maxnode >= 64 ? nodes : nodes & ((1UL << maxnode) - 1);
	return 0;
}

static unsigned long fold(unsigned long nodes)
{
	unsigned long folded = 0;
	int i;

	for (i = 0; i < 64; i++) {
		if (nodes >> i & 1)
			folded |= 1UL << i % NODES;
	}
	return folded;
}

static int check_mode(int mode, int flags)
{
	if ((unsigned int)mode > (kernel.weights ? MPOL_WEIGHTED_INTERLEAVE : MPOL_PREFERRED_MANY))
		return EINVAL;
	if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
		return EINVAL;
	if ((flags & MPOL_F_NUMA_BALANCING) && mode != MPOL_BIND &&
	    !(mode == MPOL_PREFERRED_MANY && kernel.balancing_many))
		return EINVAL;
	return 0;
}

static int check_nodes(int *mode, int flags, unsigned long user)
{
	bool placed = flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);

	switch (*mode) {
	case MPOL_DEFAULT:
		return user ? EINVAL : 0;
	case MPOL_LOCAL:
		return user || placed ? EINVAL : 0;
	case MPOL_PREFERRED:
		if (user)
			return 0;
		*mode = MPOL_LOCAL;
		return placed ? EINVAL : 0;
	default:
		return user ? 0 : EINVAL;
	}
}

/* The errors that are found before anything else is checked. */
int policy_read(int mode, unsigned long nodes, unsigned long maxnode, unsigned long *user)
{
	int err = check_mode(mode & ~STORED, mode & STORED);

	return err ?: read_nodes(nodes, maxnode, user);
}

/**
 * policy_make() - what mbind() and set_mempolicy() make of their arguments
 * @mode: the mode with its flags
 * @nodes: the mask; there is no mask if both @nodes and @maxnode are 0
 * @maxnode: the number of bits in the mask, plus one
 * @p: the policy
 * @user: the mask as the kernel read it
 *
 * Return: 0 or EINVAL.
 */
int policy_make(int mode, unsigned long nodes, unsigned long maxnode, struct policy *p,
		unsigned long *user)
{
	int flags = mode & STORED, err = policy_read(mode, nodes, maxnode, user);

	*p = policy_none;
	mode &= ~STORED;
	err = err ?: check_nodes(&mode, flags, *user);
	if (err || mode == MPOL_DEFAULT)
		return err;

	p->mode = mode;
	p->flags = flags;
	p->user = *user;
	if (mode == MPOL_LOCAL)
		return 0;

	p->nodes = flags & MPOL_F_RELATIVE_NODES ? fold(*user) : *user & ALL_NODES;
	if (!p->nodes)
		return EINVAL;
	if (mode == MPOL_PREFERRED)
		p->nodes &= -p->nodes;
	return 0;
}

static unsigned long interleaved(unsigned long nodes, long index)
{
	return nodes == ALL_NODES ? NODE(index % NODES) : nodes;
}

static unsigned long weighted(const struct model *m, unsigned long nodes, long index)
{
	if (nodes != ALL_NODES)
		return nodes;
	return NODE(index % (m->weight[0] + m->weight[1]) >= m->weight[0]);
}

/**
 * policy_place() - the nodes that a page may come from, while all have memory
 * @m: the model, for the weights
 * @p: a policy
 * @local: the node of the CPU
 * @index: the page's offset in the file; -1 to interleave by the task's counter
 */
unsigned long policy_place(const struct model *m, const struct policy *p, int local, long index)
{
	int near = p->home >= 0 ? p->home : local;

	switch (p->mode) {
	case MPOL_BIND:
	case MPOL_PREFERRED_MANY:
		return p->nodes & NODE(near) ? NODE(near) : p->nodes;
	case MPOL_PREFERRED:
		return p->nodes;
	case MPOL_INTERLEAVE:
		return index < 0 ? p->nodes : interleaved(p->nodes, index);
	case MPOL_WEIGHTED_INTERLEAVE:
		return index < 0 ? p->nodes : weighted(m, p->nodes, index);
	default:
		return NODE(local);
	}
}
