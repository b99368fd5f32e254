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
#define COMPAT_FAULT_HOOKS(X)			\
	X(faultin_pfn, HOOKS_FOR_SLOTS)		\
	X(prefetch_pages, HOOKS_FOR_SLOTS)
#else
#define COMPAT_FAULT_HOOKS(X)			\
	X(gfn_to_pfn, HOOKS_FOR_SLOTS)		\
	X(gfn_to_pfn_atomic, HOOKS_FOR_SLOTS)	\
	X(gfn_to_page_many, HOOKS_FOR_SLOTS)
#endif

#if COMPAT_BUILDS_GUEST_MEMFD
#define COMPAT_GUEST_MEMFD_HOOKS(X)			\
	COMPAT_FAULT_HOOKS(X)				\
	X(free_memslot, HOOKS_FOR_SLOTS)		\
	X(prepare_memory_region, HOOKS_FOR_SLOTS)	\
	X(check_extension, HOOKS_ADVERTISE)		\
	X(vm_ioctl, HOOKS_FOR_FILES)
#else
#define COMPAT_GUEST_MEMFD_HOOKS(X)
#endif

#if COMPAT_BUILDS_TSC_VCPU_GATE
#define COMPAT_VCPU_GATE_HOOKS(X) X(arch_vcpu_ioctl, HOOKS_TSC_VCPU_GATE)
#else
#define COMPAT_VCPU_GATE_HOOKS(X)
#endif

/*
 * Name, and with which others it is attached. In the order in which they are armed: a file
 * must not be creatable before every path that will meet it is ready, so what creates
 * one, and what tells user space to, comes last. And faults come first, because calls
 * are looked up in this order.
 */
#define COMPAT_HOOKS(X)				\
	COMPAT_GUEST_MEMFD_HOOKS(X)		\
	X(arch_vm_ioctl, HOOKS_TSC_VM_GATE)	\
	COMPAT_VCPU_GATE_HOOKS(X)

#endif /* _GMEM_COMPAT_KVM_HOOKS_H */
