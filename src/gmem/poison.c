// SPDX-License-Identifier: GPL-2.0-only
/* A page whose memory has failed. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>

#include "gmem.h"

static void gmem_zap_poisoned(struct inode *inode, pgoff_t start, pgoff_t end)
{
	filemap_invalidate_lock_shared(inode->i_mapping);
	gmem_zap_begin(inode, start, end);
	gmem_zap_end(inode, start, end);
	filemap_invalidate_unlock_shared(inode->i_mapping);
}

/**
 * gmem_error_remove_folio() - address_space_operations.error_remove_folio
 * @mapping: mapping of a guest_memfd
 * @folio: the folio: locked, marked as poisoned, unmapped from the host
 *
 * Stands for kvm_gmem_error_folio(). Unmaps the page from the guests, and leaves it in the file,
 * so that a later fault reports -EHWPOISON and the VMM decides what to do.
 *
 * A task that punches a hole waits for folio locks with the invalidate_lock held, so taking the
 * invalidate_lock in here with the folio locked, as upstream does, can deadlock. The folio lock
 * is therefore dropped in between. Until then it was what kept the mapping; a reference to the
 * inode takes its place. A reference to the module is needed as well, because iput() may drop
 * the inode's, and this function has not returned yet. The caller looks at neither the mapping
 * nor the index afterwards.
 *
 * Return: MF_DELAYED.
 */
int gmem_error_remove_folio(struct address_space *mapping, struct folio *folio)
{
	pgoff_t start = folio->index, end = folio_next_index(folio);
	struct inode *inode = igrab(mapping->host);

	/* The inode is being evicted: the file was released, and no guest has the page mapped. */
	if (!inode)
		return MF_DELAYED;

	__module_get(THIS_MODULE);
	folio_unlock(folio);
	gmem_zap_poisoned(inode, start, end);
	/* May evict the inode, which waits for the folio lock. */
	iput(inode);
	folio_lock(folio);
	module_put(THIS_MODULE);

	return MF_DELAYED;
}
