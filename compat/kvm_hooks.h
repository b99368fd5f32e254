/* SPDX-License-Identifier: GPL-2.0-only */
/* Which functions of kvm.ko this kernel needs redirected. objects.mk has the objects. */
#ifndef _GMEM_COMPAT_KVM_HOOKS_H
#define _GMEM_COMPAT_KVM_HOOKS_H

#include <linux/kconfig.h>

#include "compat/features.h"

/*
 * Guest faults, and pages mapped around them. One function each since 6.13,
 * which made KVM keep struct page apart from pfn. Before, prefetching has two, and
 * the compiler puts the first of the three into the second.
 */
#ifdef HAVE_KVM_FAULTIN_PFN
#define COMPAT_FAULT_HOOKS(X)				\
	X(faultin_pfn, BIT(FEATURE_GUEST_MEMFD))	\
	X(prefetch_pages, BIT(FEATURE_GUEST_MEMFD))
#else
#define COMPAT_FAULT_HOOKS(X)				\
	X(gfn_to_pfn, BIT(FEATURE_GUEST_MEMFD))		\
	X(gfn_to_pfn_atomic, BIT(FEATURE_GUEST_MEMFD))	\
	X(gfn_to_page_many, BIT(FEATURE_GUEST_MEMFD))
#endif

/* ioctl KVM_PRE_FAULT_MEMORY is of 6.11. */
#ifdef HAVE_KVM_PRE_FAULT_MEMORY
#define COMPAT_PRE_FAULT_HOOKS(X) X(pre_fault_memory, BIT(FEATURE_GUEST_MEMFD))
#else
#define COMPAT_PRE_FAULT_HOOKS(X)
#endif

/*
 * KVM_CREATE_GUEST_MEMFD. Without CONFIG_KVM_PRIVATE_MEM (CONFIG_KVM_GUEST_MEMFD
 * since 6.18), kvm.ko does not know this ioctl, and hands it on to its
 * architecture's part, as it does with any.
 */
#if IS_ENABLED(CONFIG_KVM_PRIVATE_MEM) || IS_ENABLED(CONFIG_KVM_GUEST_MEMFD)
#define COMPAT_CREATE_HOOKS(X) X(gmem_create, BIT(FEATURE_GUEST_MEMFD))
#define COMPAT_VM_IOCTL_FEATURES BIT(FEATURE_TSC_VM_GATE)
#else
#define COMPAT_CREATE_HOOKS(X)
#define COMPAT_VM_IOCTL_FEATURES (BIT(FEATURE_TSC_VM_GATE) | BIT(FEATURE_GUEST_MEMFD))
#endif

#if COMPAT_BUILDS_GUEST_MEMFD
#define COMPAT_GUEST_MEMFD_HOOKS(X)				\
	COMPAT_FAULT_HOOKS(X)					\
	X(mmu_page_fault, BIT(FEATURE_GUEST_MEMFD))		\
	COMPAT_PRE_FAULT_HOOKS(X)				\
	X(free_memslot, BIT(FEATURE_GUEST_MEMFD))		\
	X(prepare_memory_region, BIT(FEATURE_GUEST_MEMFD))	\
	X(set_memory_region, BIT(FEATURE_GUEST_MEMFD))		\
	X(check_extension, BIT(FEATURE_GUEST_MEMFD))		\
	COMPAT_CREATE_HOOKS(X)
#else
#define COMPAT_GUEST_MEMFD_HOOKS(X)
#endif

#if COMPAT_BUILDS_TSC_VCPU_GATE
#define COMPAT_VCPU_IOCTL_HOOKS(X) X(vcpu_ioctl, BIT(FEATURE_TSC_VCPU_GATE))
#else
#define COMPAT_VCPU_IOCTL_HOOKS(X)
#endif

/*
 * Name and features served, in the order in which they are armed. A file must
 * not be creatable before every path that will meet it is ready, so what creates
 * one, and what tells user space to, comes last: with vm_ioctl after all others,
 * where that is what creates files.
 */
#define COMPAT_HOOKS(X)				\
	COMPAT_VCPU_IOCTL_HOOKS(X)		\
	COMPAT_GUEST_MEMFD_HOOKS(X)		\
	X(vm_ioctl, COMPAT_VM_IOCTL_FEATURES)

#endif /* _GMEM_COMPAT_KVM_HOOKS_H */
