/* SPDX-License-Identifier: GPL-2.0-only */
/* Page caches whose pages stay where they are. */
#ifndef _GMEM_COMPAT_MM_MAPPING_H
#define _GMEM_COMPAT_MM_MAPPING_H

#include <linux/pagemap.h>

#include "compat/have.h"

/* Renamed in 6.12, where it came to mean that the host must not read the pages either. */
static inline void compat_mapping_pin(struct address_space *mapping)
{
#ifdef HAVE_MAPPING_INACCESSIBLE
	mapping_set_inaccessible(mapping);
#else
	mapping_set_unmovable(mapping);
#endif
}

#endif /* _GMEM_COMPAT_MM_MAPPING_H */
