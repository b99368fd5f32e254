// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node that a folio comes from.
 *
 * mbind() on a mapping of the file sets the policy of a range of the file. The policy outlives
 * the mapping and holds for every allocation in that range: by other mappings, other processes,
 * fallocate() and the guest.
 */
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "../log.h"
#include "gmem.h"
#include "symbols.h"

/*
 * Interleaving counts pages from the start of the file, as the kernel's numa_memory_policy
 * document promises for shared segments: page i goes to node i modulo n, regardless of the task
 * that touches it first and of the order. Upstream uses the faulting task's counter
 * (NO_INTERLEAVE_INDEX).
 *
 * shmem adds the inode number, so that small files do not all start on the first node. Guest
 * memory is not small, and i modulo n can be checked.
 */
#define GMEM_INTERLEAVE_BASE 0

/*
 * Does the policy confine pages to some of the nodes, as MPOL_BIND does, so that the allocation
 * must fail when these are full? The OOM killer would look for a task that may use the nodes, but
 * knows policies of tasks only. It would consider every task a candidate, and killing one need
 * not free a page on these nodes. So the allocation fails after reclaim has done what it can.
 *
 * A policy that names all nodes which can hold such pages fails only when there is no memory
 * left at all, and that is what the OOM killer is for.
 */
static bool gmem_policy_confines(const struct mempolicy *mpol)
{
	return mpol->mode == MPOL_BIND &&
	       !nodes_subset(node_states[N_NORMAL_MEMORY], mpol->nodes);
}

/*
 * A node of the policy whose memory is all in ZONE_MOVABLE (hotplugged memory, CXL by daxctl),
 * or NUMA_NO_NODE. Folios of a guest_memfd are never migrated, so they cannot be allocated
 * there. The page allocator would skip such a node or, where the policy names no other, ignore
 * the policy. mbind() fails instead, so that its caller knows. A node that has other memory as
 * well provides folios from that.
 */
static int gmem_unusable_node(const struct mempolicy *mpol)
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

/* False if the last memory outside ZONE_MOVABLE was taken offline after the policy was set. */
static bool gmem_policy_can_be_met(const struct mempolicy *mpol)
{
	return nodes_intersects(mpol->nodes, node_states[N_NORMAL_MEMORY]);
}

/**
 * gmem_alloc_folio() - allocate the folio for an index as the file's policy says
 * @inode: inode of a guest_memfd
 * @index: page offset
 *
 * Where the file has no policy, the task's own policy and its cpuset decide.
 *
 * The allocator clears the page, once. A kernel that was booted with init_on_alloc=1 does so in
 * any case, and clearing the page here would only do so a second time.
 *
 * Context: may sleep; on the task that is charged for the page.
 * Return: a folio of one page that is in no mapping, cleared and uptodate; or ERR_PTR(-ENOSPC)
 *	   if the nodes that the policy confines it to are full, or ERR_PTR(-ENOMEM).
 */
struct folio *gmem_alloc_folio(struct inode *inode, pgoff_t index)
{
	gfp_t gfp = mapping_gfp_mask(inode->i_mapping) | __GFP_ZERO;
	struct folio *folio = NULL;
	struct mempolicy *mpol;
	bool confined = false;

	mpol = kernel_call(mpol_shared_policy_lookup)(&GMEM_I(inode)->policy, index);
	if (mpol) {
		confined = gmem_policy_confines(mpol);
		if (confined)
			gfp |= __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
		if (!confined || gmem_policy_can_be_met(mpol))
			folio = compat_alloc_folio(gfp, mpol, GMEM_INTERLEAVE_BASE + index);
		/* This is mpol_cond_put(), which calls an unexported function. */
		if (mpol_needs_cond_ref(mpol))
			kernel_call(__mpol_put)(mpol);
	} else {
		folio = filemap_alloc_folio(gfp, 0);
	}

	if (!folio)
		return ERR_PTR(confined ? -ENOSPC : -ENOMEM);

	__folio_mark_uptodate(folio);
	return folio;
}

/**
 * gmem_set_policy() - mbind() on a mapping; vm_operations_struct.set_policy
 * @vma: the part of the mapping that mbind() was called for
 * @mpol: the policy, or NULL to remove it
 *
 * Context: mmap_lock held for write.
 * Return: 0, -ENOMEM, or -EINVAL after one line in the log that names a node which cannot hold
 *	   guest memory.
 */
int gmem_set_policy(struct vm_area_struct *vma, struct mempolicy *mpol)
{
	struct inode *inode = file_inode(vma->vm_file);
	int nid = mpol ? gmem_unusable_node(mpol) : NUMA_NO_NODE;

	if (nid != NUMA_NO_NODE) {
		log_refused("mbind() of a guest_memfd refused",
			    "all memory of node %d is movable, which guest memory is not; leave that node out, or online its memory as kernel memory\n",
			    nid);
		return -EINVAL;
	}

	return kernel_call(mpol_set_shared_policy)(&GMEM_I(inode)->policy, vma, mpol);
}

/**
 * gmem_get_policy() - policy at an address; vm_operations_struct.get_policy
 * @vma: a mapping
 * @addr: an address in it
 * @ilx: set to the base of interleaving, to which the caller adds the page offset (48dbe4732198:
 *	 it must not contain the page offset)
 *
 * Context: mmap_lock held.
 * Return: the policy, with a reference if it is MPOL_F_SHARED. NULL where none was set, instead
 *	   of the task's policy, because get_mempolicy() must return MPOL_DEFAULT.
 */
struct mempolicy *gmem_get_policy(struct vm_area_struct *vma, unsigned long addr, pgoff_t *ilx)
{
	struct inode *inode = file_inode(vma->vm_file);

	*ilx = GMEM_INTERLEAVE_BASE;
	return kernel_call(mpol_shared_policy_lookup)(&GMEM_I(inode)->policy,
						      linear_page_index(vma, addr));
}
