// SPDX-License-Identifier: GPL-2.0-only
/* the function that finds the page of a guest fault (__kvm_faultin_pfn() from 6.13 on) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
static_assert(__same_type(__kvm_faultin_pfn,
			  kvm_pfn_t (const struct kvm_memory_slot *, gfn_t, unsigned int, bool *,
				     struct page **)));
static_assert(__same_type(kvm_prefetch_pages,
			  int (struct kvm_memory_slot *, gfn_t, struct page **, int)));
#endif

#ifdef PROBE_OLD
static_assert(__same_type(gfn_to_pfn_memslot_atomic,
			  kvm_pfn_t (const struct kvm_memory_slot *, gfn_t)));
static_assert(__same_type(gfn_to_page_many_atomic,
			  int (struct kvm_memory_slot *, gfn_t, struct page **, int)));
#endif
