/* SPDX-License-Identifier: GPL-2.0-only */
/* Page caches whose pages stay where they are. */
#ifndef _GMEM_COMPAT_MM_MAPPING_H
#define _GMEM_COMPAT_MM_MAPPING_H

#include <linux/pagemap.h>

#include "compat/have.h"

/*
 * Unmovable is of 6.7; in 6.12 it came to mean that the host must not read the pages
 * either, and was renamed. Before, migration finds out from the file system, which
 * refuses: pages are isolated, unmapped from the host and put back.
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
