// SPDX-License-Identifier: GPL-2.0-only
/* splitting a large folio (into folios of an order that is asked for, from 6.9 on) */
#include <linux/mm.h>

#ifdef PROBE_NEW
static_assert(__same_type(split_huge_page_to_list_to_order,
			  int (struct page *, struct list_head *, unsigned int)));
#endif

#ifdef PROBE_OLD
static_assert(__same_type(split_huge_page_to_list, int (struct page *, struct list_head *)));
#endif
