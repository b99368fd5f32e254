// SPDX-License-Identifier: GPL-2.0-only
/* Folios by a mempolicy, on nodes that may be full. */
#include <linux/cpuset.h>
#include <linux/find.h>
#include <linux/gfp.h>
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
 * How many words of a nodemask can have bits set on this host. nodes_subset(), nodes_intersects()
 * and nodes_weight() look at all words that the kernel was built for, which for distributions are
 * 16, and that is felt where they are asked about each page.
 */
#define NODE_WORDS BITS_TO_LONGS(nr_node_ids)

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

/* Where the page allocator begins to look, by a policy with a set of nodes. */
static int mempolicy_home(const struct mempolicy *mpol)
{
	return mpol->home_node == NUMA_NO_NODE ? numa_node_id() : mpol->home_node;
}

/*
 * Stands for what alloc_pages_mpol() does by MPOL_BIND, which includes that a policy without any
 * node of the task's cpuset does not count.
 *
 * If the policy confines pages to some of the nodes, the allocation must fail when these are full.
 * The OOM killer would look for a task that may use the nodes, but knows policies of tasks only.
 * It would consider every task a candidate, and killing one need not free a page on these nodes.
 * So the allocation fails after reclaim has done what it can. A policy that names all nodes which
 * can hold such pages fails only when there is no memory left at all, and that is what the OOM
 * killer is for.
 */
static __always_inline struct folio *alloc_bound(gfp_t gfp, unsigned int order,
						 struct mempolicy *mpol)
{
	const unsigned long *usable = nodes_addr(node_states[N_NORMAL_MEMORY]);
	const unsigned long *mems = nodes_addr(cpuset_current_mems_allowed);
	const unsigned long *bound = nodes_addr(mpol->nodes);
	unsigned long others = 0, own = 0, allowed = 0;
	struct folio *folio;
	unsigned int i;

	for (i = 0; i < NODE_WORDS; i++) {
		others |= usable[i] & ~bound[i];
		own |= usable[i] & bound[i];
		allowed |= mems[i] & bound[i];
	}
	/* Only nodes that mempolicy_movable_node() is about. */
	if (others && !own)
		return ERR_PTR(-ENODEV);
	if (others)
		gfp |= __GFP_RETRY_MAYFAIL | __GFP_NOWARN;

	folio = __folio_alloc(gfp, order, mempolicy_home(mpol), allowed ? &mpol->nodes : NULL);
	return folio ?: ERR_PTR(others ? -ENOSPC : -ENOMEM);
}

/* The same by MPOL_PREFERRED_MANY. Other nodes are better than waiting for reclaim. */
static struct folio *alloc_preferred(gfp_t gfp, struct mempolicy *mpol)
{
	gfp_t hasty = (gfp | __GFP_NOWARN) & ~__GFP_DIRECT_RECLAIM;
	int nid = mempolicy_home(mpol);

	return __folio_alloc(hasty, 0, nid, &mpol->nodes) ?: __folio_alloc(gfp, 0, nid, NULL);
}

/* The same by MPOL_INTERLEAVE. A cpuset may take nodes off the policy at any time. */
static int interleave_node(const struct mempolicy *mpol, pgoff_t ilx)
{
	const unsigned long *nodes = nodes_addr(mpol->nodes);
	unsigned int weight = bitmap_weight(nodes, nr_node_ids);
	unsigned int nid = nr_node_ids;

	if (weight)
		nid = find_nth_bit(nodes, nr_node_ids, ilx % weight);
	return nid < nr_node_ids ? nid : numa_node_id();
}

/**
 * mempolicy_alloc_folio() - allocate a folio of one page by a policy
 * @gfp: how to allocate it
 * @mpol: the policy
 * @ilx: index for interleaving
 *
 * The modes that VMMs use most are not left to the kernel, whose way from a policy to its nodes
 * takes longer than there is reason for: it looks at all words of its nodemasks.
 *
 * Context: may sleep; on the task whose cpuset counts.
 * Return: the folio; ERR_PTR(-ENOSPC) if the nodes that the policy confines it to are full;
 *	   ERR_PTR(-ENODEV) if the page allocator would ignore the policy, because it names only
 *	   nodes that mempolicy_movable_node() is about; ERR_PTR(-ENOMEM).
 */
struct folio *mempolicy_alloc_folio(gfp_t gfp, struct mempolicy *mpol, pgoff_t ilx)
{
	struct folio *folio;

	switch (mpol->mode) {
	case MPOL_BIND:
		return alloc_bound(gfp, 0, mpol);
	case MPOL_PREFERRED_MANY:
		folio = alloc_preferred(gfp, mpol);
		break;
	case MPOL_INTERLEAVE:
		folio = __folio_alloc(gfp, 0, interleave_node(mpol, ilx), NULL);
		break;
	default:
		folio = compat_alloc_folio(gfp, 0, mpol, ilx);
	}
	return folio ?: ERR_PTR(-ENOMEM);
}

/**
 * mempolicy_alloc_huge() - allocate a folio of a PMD's size by a policy, if that costs nobody
 * @gfp: how to allocate it; without __GFP_RECLAIM
 * @mpol: the policy
 * @ilx: index for interleaving, in folios of this size
 *
 * The folio comes from a node that the policy would take small folios from as long as there are
 * any, or not at all: 2 MiB on the second best node are worth less than small folios on the best.
 * So one node that the policy names must be it; of several, one of them, nearest first. Memory is
 * neither reclaimed nor compacted for it.
 *
 * Context: on the task whose cpuset counts.
 * Return: the folio, or NULL.
 */
struct folio *mempolicy_alloc_huge(gfp_t gfp, struct mempolicy *mpol, pgoff_t ilx)
{
	struct folio *folio;

	gfp |= __GFP_NOMEMALLOC | __GFP_NOWARN;
	switch (mpol->mode) {
	case MPOL_BIND:
		folio = alloc_bound(gfp, HUGE_FOLIO_ORDER, mpol);
		return IS_ERR(folio) ? NULL : folio;
	case MPOL_PREFERRED_MANY:
		/* Only small folios leave the nodes that are preferred. */
		return __folio_alloc(gfp, HUGE_FOLIO_ORDER, mempolicy_home(mpol), &mpol->nodes);
	default:
		return compat_alloc_folio(gfp | __GFP_THISNODE, HUGE_FOLIO_ORDER, mpol, ilx);
	}
}
