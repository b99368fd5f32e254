// SPDX-License-Identifier: GPL-2.0-only
/* Folios by a mempolicy, on nodes that may be full. */
#include <linux/kernel.h>
#include <linux/nodemask.h>

#include "features.h"
#include "mempolicy.h"

MEMPOLICY_SYMBOLS(DEFINE_SYMBOL)

static const struct symbol mempolicy_symbols[] = {
	MEMPOLICY_SYMBOLS(SYMBOL_ENTRY)
};

/**
 * mempolicy_symbols_resolve() - make all functions of MEMPOLICY_SYMBOLS() callable
 *
 * Context: module init.
 * Return: as symbols_resolve().
 */
int mempolicy_symbols_resolve(void)
{
	return symbols_resolve(mempolicy_symbols, ARRAY_SIZE(mempolicy_symbols), LOAD_REFUSED);
}

/*
 * How many words of a nodemask can have bits set on this host. nodes_subset() and
 * nodes_intersects() look at all words that the kernel was built for, which for distributions are
 * 16, and that is felt where they are asked about each page.
 */
#define NODE_WORDS BITS_TO_LONGS(nr_node_ids)

/*
 * Does the policy confine pages to some of the nodes, as MPOL_BIND does, so that the allocation
 * must fail when these are full? The OOM killer would look for a task that may use the nodes, but
 * knows policies of tasks only. It would consider every task a candidate, and killing one need
 * not free a page on these nodes. So the allocation fails after reclaim has done what it can.
 *
 * A policy that names all nodes which can hold such pages fails only when there is no memory
 * left at all, and that is what the OOM killer is for.
 */
static bool mempolicy_confines(const struct mempolicy *mpol)
{
	const unsigned long *usable = nodes_addr(node_states[N_NORMAL_MEMORY]);
	const unsigned long *bound = nodes_addr(mpol->nodes);
	unsigned int i;

	if (mpol->mode != MPOL_BIND)
		return false;
	for (i = 0; i < NODE_WORDS; i++) {
		if (usable[i] & ~bound[i])
			return true;
	}
	return false;
}

/**
 * mempolicy_movable_node() - a node of a policy whose memory is all in ZONE_MOVABLE
 * @mpol: the policy
 *
 * Such is hotplugged memory, or CXL memory by daxctl. Folios that are never migrated cannot be
 * allocated there: the page allocator skips such a node or, where the policy names no other,
 * ignores the policy. A node that has other memory as well provides folios from that.
 *
 * Return: the node, or NUMA_NO_NODE.
 */
int mempolicy_movable_node(const struct mempolicy *mpol)
{
	int nid;

	if (mpol->mode == MPOL_LOCAL)
		return NUMA_NO_NODE;

	for_each_node_mask(nid, mpol->nodes) {
		if (!node_state(nid, N_NORMAL_MEMORY))
			return nid;
	}
	return NUMA_NO_NODE;
}

/* Does a policy that confines pages name only nodes that mempolicy_movable_node() is about? */
static bool mempolicy_is_void(const struct mempolicy *mpol)
{
	const unsigned long *usable = nodes_addr(node_states[N_NORMAL_MEMORY]);
	const unsigned long *bound = nodes_addr(mpol->nodes);
	unsigned int i;

	for (i = 0; i < NODE_WORDS; i++) {
		if (usable[i] & bound[i])
			return false;
	}
	return true;
}

/**
 * mempolicy_alloc_folio() - allocate a folio of one page by a policy
 * @gfp: how to allocate it
 * @mpol: the policy
 * @ilx: index for interleaving
 *
 * Context: may sleep; on the task whose cpuset counts.
 * Return: the folio; ERR_PTR(-ENOSPC) if the nodes that the policy confines it to are full;
 *	   ERR_PTR(-ENODEV) if the page allocator would ignore the policy, because it names only
 *	   nodes that mempolicy_movable_node() is about; ERR_PTR(-ENOMEM).
 */
struct folio *mempolicy_alloc_folio(gfp_t gfp, struct mempolicy *mpol, pgoff_t ilx)
{
	bool confined = mempolicy_confines(mpol);
	struct folio *folio;

	if (confined) {
		gfp |= __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
		if (mempolicy_is_void(mpol))
			return ERR_PTR(-ENODEV);
	}
	folio = compat_alloc_folio(gfp, mpol, ilx);
	return folio ?: ERR_PTR(confined ? -ENOSPC : -ENOMEM);
}
