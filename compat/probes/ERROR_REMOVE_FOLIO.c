// SPDX-License-Identifier: GPL-2.0-only
/* the callback for a page whose memory has failed (error_remove_folio() from 6.8 on) */
#include <linux/fs.h>
#include <linux/pagemap.h>

#ifdef PROBE_NEW
static_assert(__same_type(((const struct address_space_operations *)0)->error_remove_folio,
			  int (*)(struct address_space *, struct folio *)));
#endif

#ifdef PROBE_OLD
static_assert(__same_type(((const struct address_space_operations *)0)->error_remove_page,
			  int (*)(struct address_space *, struct page *)));
static_assert(__same_type(mapping_set_unevictable, void (struct address_space *)));
#endif
