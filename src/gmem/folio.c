// SPDX-License-Identifier: GPL-2.0-only
/* The pages of a file, in its page cache. */
#include <linux/pagemap.h>

#include "gmem.h"

/*
 * truncate_inode_pages_range() looks again and again until it finds nothing, and KVM asks
 * for the page before it looks whether its fault has to be retried. So guests that touch
 * a hole while it is punched would fill it as fast as it is emptied, and whoever punches it
 * would be held up for as long as they like, with the invalidate_lock held (in the manner of
 * CVE-2014-4171 of shmem). Upstream has no such wait.
 *
 * No lock orders this against the one who punches. A fault that has just missed the
 * hole adds one page, and the next one waits. The lock is not kept either: other parts of the
 * file can be filled meanwhile. A task that is to die does not wait.
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
 * gmem_get_folio() - the folio of an index, allocated if there is none
 * @inode: inode of a guest_memfd
 * @index: page offset, below the size of the file
 *
 * Stands for kvm_gmem_get_folio(). Does not mark the folio accessed: the
 * memory is unevictable.
 *
 * Context: may sleep. If a hole is being punched there, waits for its end; who punches it
 *	    does not call this.
 * Return: a locked folio of one page with a reference held, cleared when it was
 *	   allocated; or what gmem_alloc_folio() says, or ERR_PTR(-ENOMEM) if the
 *	   memory cgroup is at its limit.
 */
struct folio *gmem_get_folio(struct inode *inode, pgoff_t index)
{
	struct address_space *mapping = inode->i_mapping;
	struct folio *folio;
	int err;

	for (;;) {
		/* NULL on older kernels. */
		folio = filemap_lock_folio(mapping, index);
		if (!IS_ERR_OR_NULL(folio))
			return folio;

		gmem_wait_for_hole(inode, index);
		folio = gmem_alloc_folio(inode, index);
		if (IS_ERR(folio))
			return folio;

		/* Plain flags: with ours, the cgroup's OOM killer would not be asked. */
		err = filemap_add_folio(mapping, folio, index, mapping_gfp_mask(mapping));
		if (!err)
			return folio;

		folio_put(folio);
		/* Another task was faster: take its folio. */
		if (err != -EEXIST)
			return ERR_PTR(err);
	}
}
