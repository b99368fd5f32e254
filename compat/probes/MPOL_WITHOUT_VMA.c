// SPDX-License-Identifier: GPL-2.0-only
/* NUMA policies without a mapping (get_policy() returns an interleave base from 6.7 on) */
#include <linux/gfp.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>

#ifdef PROBE_NEW
static_assert(__same_type(((const struct vm_operations_struct *)0)->get_policy,
			  struct mempolicy *(*)(struct vm_area_struct *, unsigned long,
						pgoff_t *)));
#ifndef alloc_hooks
static_assert(__same_type(alloc_pages_mpol,
			  struct page *(gfp_t, unsigned int, struct mempolicy *, pgoff_t, int)));
#endif
#endif

#ifdef PROBE_OLD
static_assert(__same_type(((const struct vm_operations_struct *)0)->get_policy,
			  struct mempolicy *(*)(struct vm_area_struct *, unsigned long)));
static_assert(__same_type(vma_alloc_folio,
			  struct folio *(gfp_t, int, struct vm_area_struct *, unsigned long,
					 bool)));
#endif
