/* SPDX-License-Identifier: GPL-2.0-only */
/* Keeping guest faults off a range while it is unmapped from the guest. */
#ifndef _GMEM_COMPAT_KVM_INVALIDATE_H
#define _GMEM_COMPAT_KVM_INVALIDATE_H

#include <linux/kvm_host.h>

#include "../src/symbol/symbol.h"
#include "compat/have.h"

/*
 * Since 6.8, KVM keeps a range of gfns, which is added after the beginning of an invalidation.
 * Before, it keeps a range of user addresses, and compares it with the address that
 * hooks/gfn_to_pfn.c reports for a fault. That range covers all invalidations in progress, so it
 * can be widened under mmu_lock.
 */
#ifdef HAVE_GUEST_MEMFD_ABI
#define COMPAT_INVALIDATE_SYMBOLS(X) X(SYMBOL_KVM, kvm_mmu_invalidate_range_add)
#define compat_mmu_invalidate_begin(kvm) kernel_call(kvm_mmu_invalidate_begin)(kvm)
#define compat_mmu_invalidate_end(kvm) kernel_call(kvm_mmu_invalidate_end)(kvm)
#define compat_mmu_invalidate_add(kvm, slot, start, end) \
	kernel_call(kvm_mmu_invalidate_range_add)(kvm, start, end)
#else
#define COMPAT_INVALIDATE_SYMBOLS(X)
#define compat_mmu_invalidate_begin(kvm) kernel_call(kvm_mmu_invalidate_begin)(kvm, ULONG_MAX, 0)
#define compat_mmu_invalidate_end(kvm) kernel_call(kvm_mmu_invalidate_end)(kvm, ULONG_MAX, 0)

static inline void compat_mmu_invalidate_add(struct kvm *kvm, const struct kvm_memory_slot *slot,
					     gfn_t start, gfn_t end)
{
	unsigned long from = __gfn_to_hva_memslot(slot, start);
	unsigned long to = from + ((end - start) << PAGE_SHIFT);

	kvm->mmu_invalidate_range_start = min(kvm->mmu_invalidate_range_start, from);
	kvm->mmu_invalidate_range_end = max(kvm->mmu_invalidate_range_end, to);
}
#endif

#endif /* _GMEM_COMPAT_KVM_INVALIDATE_H */
