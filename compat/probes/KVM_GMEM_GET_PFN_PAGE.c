// SPDX-License-Identifier: GPL-2.0-only
/* finding a page of private memory (kvm_gmem_get_pfn() also returns the page from 6.13 on) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
static_assert(__same_type(kvm_gmem_get_pfn,
			  int (struct kvm *, struct kvm_memory_slot *, gfn_t, kvm_pfn_t *,
			       struct page **, int *)));
#endif

/* Kernels before 6.8 have no private memory, and no such function. */
#ifdef PROBE_ODD
static_assert(!__same_type(kvm_gmem_get_pfn,
			   int (struct kvm *, struct kvm_memory_slot *, gfn_t, kvm_pfn_t *,
				int *)));
#endif
