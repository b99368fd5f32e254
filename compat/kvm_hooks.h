/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions of kvm.ko that must be redirected on this kernel. objects.mk has their objects. */
#ifndef _GMEM_COMPAT_KVM_HOOKS_H
#define _GMEM_COMPAT_KVM_HOOKS_H

#include "compat/features.h"

/*
 * Guest faults, and pages mapped around them. Since 6.13, which separated struct page from pfn in
 * KVM, there is one function for each. Before, there are two for prefetching, and compilers
 * inline the function for faults into the first of these.
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

#if COMPAT_BUILDS_HUGE_MAPPINGS
#define COMPAT_HUGE_HOOKS(X) X(max_mapping_level, HOOKS_FOR_HUGE_SLOTS)
#else
#define COMPAT_HUGE_HOOKS(X)
#endif

#if COMPAT_BUILDS_GUEST_MEMFD
#define COMPAT_GUEST_MEMFD_HOOKS(X)			\
	COMPAT_FAULT_HOOKS(X)				\
	COMPAT_HUGE_HOOKS(X)				\
	X(free_memslot, HOOKS_FOR_SLOTS)		\
	X(prepare_memory_region, HOOKS_FOR_SLOTS)	\
	X(check_extension, HOOKS_ADVERTISE)		\
	X(vm_ioctl, HOOKS_FOR_FILES)
#else
#define COMPAT_GUEST_MEMFD_HOOKS(X)
#endif

/* kvm_gmem_populate() came with 6.11. */
#ifdef HAVE_KVM_GMEM_POPULATE
#define COMPAT_POPULATE_HOOKS(X) X(gmem_populate, HOOKS_FOR_PRIVATE_PAGES)
#else
#define COMPAT_POPULATE_HOOKS(X)
#endif

#if COMPAT_BUILDS_PRIVATE_POLICY
#define COMPAT_PRIVATE_HOOKS(X)				\
	X(gmem_get_pfn, HOOKS_FOR_PRIVATE_PAGES)	\
	COMPAT_POPULATE_HOOKS(X)			\
	X(gmem_fallocate, HOOKS_FOR_PRIVATE_PAGES)	\
	X(gmem_release, HOOKS_FOR_PRIVATE_PAGES)	\
	X(gmem_create, HOOKS_FOR_PRIVATE_FILES)
#else
#define COMPAT_PRIVATE_HOOKS(X)
#endif

#if COMPAT_BUILDS_TSC_VCPU_GATE
#define COMPAT_VCPU_GATE_HOOKS(X) X(arch_vcpu_ioctl, HOOKS_TSC_VCPU_GATE)
#else
#define COMPAT_VCPU_GATE_HOOKS(X)
#endif

/*
 * The name of each redirect, and the group that it is attached with. The order is that in which
 * they are armed. User space must not be able to create a file before every path that can meet
 * the file is redirected, so the redirects that create files and advertise them come after all
 * others of their feature. Faults come first, because the ftrace callback compares in this order.
 */
#define COMPAT_HOOKS(X)				\
	COMPAT_GUEST_MEMFD_HOOKS(X)		\
	COMPAT_PRIVATE_HOOKS(X)			\
	X(arch_vm_ioctl, HOOKS_TSC_VM_GATE)	\
	COMPAT_VCPU_GATE_HOOKS(X)

#endif /* _GMEM_COMPAT_KVM_HOOKS_H */
