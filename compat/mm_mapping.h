/* SPDX-License-Identifier: GPL-2.0-only */
/* Page caches whose folios are not moved. */
#ifndef _GMEM_COMPAT_MM_MAPPING_H
#define _GMEM_COMPAT_MM_MAPPING_H

#include <linux/pagemap.h>

#include "compat/have.h"

/*
 * Unmovable mappings came with 6.7. In 6.12 the flag was renamed, and since then also means that
 * the host must not read the folios. Before 6.7, the file system refuses migration, but only after
 * a folio has been isolated and unmapped from the host's page tables; it is then put back.
 */
static inline void compat_mapping_pin(struct address_space *mapping)
{
#if defined(HAVE_MAPPING_INACCESSIBLE)
	mapping_set_inaccessible(mapping);
#elif defined(HAVE_ERROR_REMOVE_FOLIO)
	mapping_set_unmovable(mapping);
#else
	mapping_set_unevictable(mapping);
#endif
}

#endif /* _GMEM_COMPAT_MM_MAPPING_H */
