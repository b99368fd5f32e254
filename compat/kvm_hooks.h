/* SPDX-License-Identifier: GPL-2.0-only */
/* Which functions of kvm.ko this kernel needs redirected. objects.mk has the objects. */
#ifndef _GMEM_COMPAT_KVM_HOOKS_H
#define _GMEM_COMPAT_KVM_HOOKS_H

#include "compat/features.h"

/*
 * Guest faults, and pages mapped around them. One function each since 6.13,
 * which made KVM keep struct page apart from pfn. Before, prefetching has two, and
 * the compiler puts the first of the three into the second.
 */
#ifdef HAVE_KVM_FAULTIN_PFN
#define COMPAT_FAULT_HOOKS(X)						\
	X(faultin_pfn, FEATURE_GUEST_MEMFD, HOOK_FOR_SLOTS)		\
	X(prefetch_pages, FEATURE_GUEST_MEMFD, HOOK_FOR_SLOTS)
#else
#define COMPAT_FAULT_HOOKS(X)						\
	X(gfn_to_pfn, FEATURE_GUEST_MEMFD, HOOK_FOR_SLOTS)		\
	X(gfn_to_pfn_atomic, FEATURE_GUEST_MEMFD, HOOK_FOR_SLOTS)	\
	X(gfn_to_page_many, FEATURE_GUEST_MEMFD, HOOK_FOR_SLOTS)
#endif

/* Before 6.2 the first failure is the one that counts, see kvm_gfn_to_pfn.h. */
#ifdef HAVE_KVM_PFN_ERR_SIGPENDING
#define COMPAT_HOOK_AROUND_FAULTS HOOK_FOR_FAILURES
#else
#define COMPAT_HOOK_AROUND_FAULTS HOOK_FOR_SLOTS
#endif

/* ioctl KVM_PRE_FAULT_MEMORY is of 6.11. */
#ifdef HAVE_KVM_PRE_FAULT_MEMORY
#define COMPAT_PRE_FAULT_HOOKS(X) \
	X(pre_fault_memory, FEATURE_GUEST_MEMFD, COMPAT_HOOK_AROUND_FAULTS)
#else
#define COMPAT_PRE_FAULT_HOOKS(X)
#endif

#if COMPAT_BUILDS_GUEST_MEMFD
#define COMPAT_GUEST_MEMFD_HOOKS(X)						\
	COMPAT_FAULT_HOOKS(X)							\
	X(mmu_page_fault, FEATURE_GUEST_MEMFD, COMPAT_HOOK_AROUND_FAULTS)	\
	COMPAT_PRE_FAULT_HOOKS(X)						\
	X(free_memslot, FEATURE_GUEST_MEMFD, HOOK_FOR_SLOTS)			\
	X(prepare_memory_region, FEATURE_GUEST_MEMFD, HOOK_FOR_SLOTS)		\
	X(check_extension, FEATURE_GUEST_MEMFD, HOOK_ALWAYS)			\
	X(vm_ioctl, FEATURE_GUEST_MEMFD, HOOK_ALWAYS)
#else
#define COMPAT_GUEST_MEMFD_HOOKS(X)
#endif

#if COMPAT_BUILDS_TSC_VCPU_GATE
#define COMPAT_VCPU_GATE_HOOKS(X) X(arch_vcpu_ioctl, FEATURE_TSC_VCPU_GATE, HOOK_ALWAYS)
#else
#define COMPAT_VCPU_GATE_HOOKS(X)
#endif

/*
 * Name, feature and when it is attached. In the order in which they are armed: a file
 * must not be creatable before every path that will meet it is ready, so what creates
 * one, and what tells user space to, comes last. And faults come first, because calls
 * are looked up in this order.
 */
#define COMPAT_HOOKS(X)						\
	COMPAT_GUEST_MEMFD_HOOKS(X)				\
	X(arch_vm_ioctl, FEATURE_TSC_VM_GATE, HOOK_ALWAYS)	\
	COMPAT_VCPU_GATE_HOOKS(X)

#endif /* _GMEM_COMPAT_KVM_HOOKS_H */
