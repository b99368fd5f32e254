// SPDX-License-Identifier: GPL-2.0-only
/* guest faults that a signal can interrupt (6.2) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
kvm_pfn_t probe = KVM_PFN_ERR_SIGPENDING;
#endif

#ifdef PROBE_OLD
static_assert(__same_type(__gfn_to_pfn_memslot,
			  kvm_pfn_t (const struct kvm_memory_slot *, gfn_t, bool, bool *, bool,
				     bool *, hva_t *)));
#endif
