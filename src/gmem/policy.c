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
#include "../mempolicy.h"
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

/* This is mpol_cond_put(), which calls an unexported function. */
static void gmem_policy_put(struct mempolicy *mpol)
{
	if (mpol_needs_cond_ref(mpol))
		kernel_call(__mpol_put)(mpol);
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
 *	   if the nodes that the policy confines it to are full, ERR_PTR(-ENODEV) if all their
 *	   memory has become movable, or ERR_PTR(-ENOMEM).
 */
struct folio *gmem_alloc_folio(struct inode *inode, pgoff_t index)
{
	gfp_t gfp = mapping_gfp_mask(inode->i_mapping) | __GFP_ZERO;
	struct mempolicy *mpol;
	struct folio *folio;

	mpol = kernel_call(mpol_shared_policy_lookup)(&GMEM_I(inode)->policy, index);
	if (mpol) {
		folio = mempolicy_alloc_folio(gfp, mpol, GMEM_INTERLEAVE_BASE + index);
		gmem_policy_put(mpol);
	} else {
		folio = filemap_alloc_folio(gfp, 0) ?: ERR_PTR(-ENOMEM);
	}

	if (!IS_ERR(folio))
		__folio_mark_uptodate(folio);
	return folio;
}

/* The first range with a policy that overlaps another range, or NULL. The tree's lock is held. */
static const struct sp_node *gmem_policy_find(const struct shared_policy *policy, pgoff_t start,
					      pgoff_t end)
{
	const struct rb_node *n = policy->root.rb_node;

	while (n) {
		const struct sp_node *found = rb_entry(n, struct sp_node, nd);

		if (end <= found->start)
			n = n->rb_left;
		else if (start >= found->end)
			n = n->rb_right;
		else
			return found;
	}
	return NULL;
}

/*
 * Get the policy of a whole range, with a reference, or NULL if the file has none there. Returns
 * false where a policy begins or ends inside the range: no folio of its size could obey. The
 * kernel's own lookup tells nothing about where a policy ends.
 */
static bool gmem_policy_of_range(struct inode *inode, pgoff_t start, pgoff_t end,
				 struct mempolicy **mpol)
{
	struct shared_policy *policy = &GMEM_I(inode)->policy;
	const struct sp_node *found;
	bool whole = true;

	*mpol = NULL;
	if (RB_EMPTY_ROOT(&policy->root))
		return true;

	read_lock(&policy->lock);
	found = gmem_policy_find(policy, start, end);
	if (found) {
		whole = found->start <= start && end <= found->end;
		if (whole) {
			*mpol = found->policy;
			mpol_get(*mpol);
		}
	}
	read_unlock(&policy->lock);
	return whole;
}

/**
 * gmem_alloc_huge_folio() - allocate a folio of 2 MiB as the file's policy says
 * @inode: inode of a guest_memfd
 * @index: page offset of its start
 * @gfp: how to allocate it; without __GFP_RECLAIM
 *
 * Interleaving counts folios of this size, as shmem does: 2 MiB number i of the file go to node i
 * modulo n. Where the file has no policy, the task's own counts, and counts in the same way.
 *
 * Context: on the task that is charged for the folio.
 * Return: a folio that is in no mapping, cleared and uptodate; or NULL if @gfp does not provide it
 *	   from the right node, or if not all of its pages have the same policy.
 */
struct folio *gmem_alloc_huge_folio(struct inode *inode, pgoff_t index, gfp_t gfp)
{
	struct mempolicy *mpol, *wanted;
	struct folio *folio;

	if (!gmem_policy_of_range(inode, index, index + GMEM_HUGE_PAGES, &mpol))
		return NULL;

	wanted = mpol ?: current->mempolicy;
	gfp |= __GFP_ZERO;
	if (wanted)
		folio = mempolicy_alloc_huge(gfp, wanted, index >> HUGE_FOLIO_ORDER);
	else
		folio = filemap_alloc_folio(gfp | __GFP_THISNODE, HUGE_FOLIO_ORDER);
	gmem_policy_put(mpol);
	if (folio)
		__folio_mark_uptodate(folio);
	return folio;
}

/**
 * gmem_set_policy() - mbind() on a mapping; vm_operations_struct.set_policy
 * @vma: the part of the mapping that mbind() was called for
 * @mpol: the policy, or NULL to remove it
 *
 * mbind() fails where it could not be obeyed, so that its caller knows.
 *
 * Context: mmap_lock held for write.
 * Return: 0, -ENOMEM, or -EINVAL after one line in the log that names a node which cannot hold
 *	   guest memory.
 */
int gmem_set_policy(struct vm_area_struct *vma, struct mempolicy *mpol)
{
	struct inode *inode = file_inode(vma->vm_file);
	int nid = mpol ? mempolicy_movable_node(mpol) : NUMA_NO_NODE;

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
