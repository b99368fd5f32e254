// SPDX-License-Identifier: GPL-2.0-only
/* A page whose memory failed. */
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
 * @folio: the folio, locked, marked as poisoned, unmapped from the host
 *
 * Stands for kvm_gmem_error_folio(). Takes the page from the guests, and leaves
 * it in the file: a later fault reports -EHWPOISON, and what to do then is for
 * the VMM to say.
 *
 * Punching a hole waits for folio locks with the invalidate_lock held, so
 * taking that lock in here, as upstream does, can deadlock. The folio's lock is
 * dropped meanwhile; a reference on the inode replaces it as what keeps the
 * mapping. The module is held as well: iput() may drop the inode's reference to
 * it, and we have not returned yet. The caller looks at neither the mapping nor
 * the index afterwards.
 *
 * Return: MF_DELAYED.
 */
int gmem_error_remove_folio(struct address_space *mapping, struct folio *folio)
{
	pgoff_t start = folio->index, end = folio_next_index(folio);
	struct inode *inode = igrab(mapping->host);

	/* Being evicted: the file was released, and no guest has the page. */
	if (!inode)
		return MF_DELAYED;

	__module_get(THIS_MODULE);
	folio_unlock(folio);
	gmem_zap_poisoned(inode, start, end);
	/* May evict the inode, which waits for the folio's lock. */
	iput(inode);
	folio_lock(folio);
	module_put(THIS_MODULE);

	return MF_DELAYED;
}
