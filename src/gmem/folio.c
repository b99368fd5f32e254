// SPDX-License-Identifier: GPL-2.0-only
/* The pages of a file, in its page cache. */
#include <linux/pagemap.h>

#include "gmem.h"

/**
 * gmem_get_folio() - the folio of an index, allocated if there is none
 * @inode: inode of a guest_memfd
 * @index: page offset, below the size of the file
 *
 * Stands for kvm_gmem_get_folio(). Does not mark the folio accessed: the
 * memory is unevictable.
 *
 * Context: may sleep.
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
