// SPDX-License-Identifier: GPL-2.0-only
/* The folios of a file, in its page cache. */
#include <linux/pagemap.h>

#include "gmem.h"

/*
 * truncate_inode_pages_range() loops until it finds no page, and KVM asks for the page before it
 * checks whether the fault must be retried. So guests that touch a hole while it is punched
 * could fill it as fast as it is emptied, and keep the task that punches it busy for as long as
 * they like, with the invalidate_lock held (compare CVE-2014-4171 of shmem). Upstream does not
 * wait here.
 *
 * No lock orders this against the task that punches the hole: a fault that has just missed the
 * announcement adds one page, and the next one waits. The lock is not kept either, so that other
 * parts of the file can be filled in the meantime. A task with a fatal signal pending does not
 * wait.
 */
static void gmem_wait_for_hole(struct inode *inode, pgoff_t index)
{
	const struct gmem_inode *gi = GMEM_I(inode);

	if (likely(index >= READ_ONCE(gi->hole_end)) || index < READ_ONCE(gi->hole_start))
		return;

	if (!down_read_killable(&inode->i_mapping->invalidate_lock))
		up_read(&inode->i_mapping->invalidate_lock);
}

/**
 * gmem_get_folio() - get the folio at an index, allocated if there is none
 * @inode: inode of a guest_memfd
 * @index: page offset, below the size of the file
 * @first: page offset of the start of the range that may become resident for the page's sake
 * @end: its end, exclusive; may lie behind the end of the file
 *
 * Stands for kvm_gmem_get_folio(). Does not mark the folio accessed, because the memory is
 * unevictable.
 *
 * Context: may sleep. Waits while a hole is punched around @index, so it must not be called with
 *	    the invalidate_lock held.
 * Return: a locked folio that contains the page, with a reference held, which was cleared when
 *	   it was allocated; or an error as gmem_alloc_folio(), or ERR_PTR(-ENOMEM) if the memory
 *	   cgroup is at its limit.
 */
struct folio *gmem_get_folio(struct inode *inode, pgoff_t index, pgoff_t first, pgoff_t end)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio;
	int err;

	for (;;) {
		if (GMEM_I(inode)->huge)
			gmem_wait_for_hole(inode, index);

		/* Older kernels return NULL where newer ones return an error. */
		folio = filemap_lock_folio(mapping, index);
		if (!IS_ERR_OR_NULL(folio))
			return folio;

		if (GMEM_I(inode)->huge) {
			folio = gmem_get_huge_folio(inode, index, first, end);
			if (folio)
				return folio;
		}

		gmem_wait_for_hole(inode, index);
		folio = gmem_alloc_folio(inode, index);
		if (IS_ERR(folio))
			return folio;

		/*
		 * Not with gmem_alloc_folio()'s flags, which would bypass the memory cgroup's
		 * OOM killer.
		 */
		err = filemap_add_folio(mapping, folio, index, mapping_gfp_mask(mapping));
		if (!err)
			return folio;

		folio_put(folio);
		/* Another task was faster. Take its folio. */
		if (err != -EEXIST)
			return ERR_PTR(err);
	}
}
