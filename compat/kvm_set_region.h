/* SPDX-License-Identifier: GPL-2.0-only */
/* The function that creates, changes and deletes memslots. */
#ifndef _GMEM_COMPAT_KVM_SET_REGION_H
#define _GMEM_COMPAT_KVM_SET_REGION_H

#include <linux/kvm_host.h>
#include <uapi/kvm_gmem_numa.h>

#include "compat/have.h"

/*
 * The one that wants slots_lock held. Until 6.13 kvm_set_memory_region() is the
 * wrapper that takes it; since 6.14, which gave KVM's internal memslots a
 * function of their own, it is the function itself, and static.
 */
#ifdef HAVE_KVM_SET_INTERNAL_MEMSLOT
#define COMPAT_SET_MEMORY_REGION kvm_set_memory_region
int kvm_set_memory_region(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem);
#else
#define COMPAT_SET_MEMORY_REGION __kvm_set_memory_region
#endif

/* Before guest_memfd (6.8), it takes the older struct, with which the newer begins. */
#ifdef HAVE_GUEST_MEMFD_ABI
#define COMPAT_REGION_TYPE struct kvm_userspace_memory_region2
#else
#define COMPAT_REGION_TYPE struct kvm_userspace_memory_region
#endif

#define GMEM_SAME_OFFSET(member)						\
	static_assert(offsetof(struct kvm_userspace_memory_region, member) ==	\
		      offsetof(struct kvm_userspace_memory_region2, member))
GMEM_SAME_OFFSET(slot);
GMEM_SAME_OFFSET(flags);
GMEM_SAME_OFFSET(guest_phys_addr);
GMEM_SAME_OFFSET(memory_size);
GMEM_SAME_OFFSET(userspace_addr);

#endif /* _GMEM_COMPAT_KVM_SET_REGION_H */
