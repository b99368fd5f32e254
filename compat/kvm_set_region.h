/* SPDX-License-Identifier: GPL-2.0-only */
/* The function that creates, changes and deletes memslots. */
#ifndef _GMEM_COMPAT_KVM_SET_REGION_H
#define _GMEM_COMPAT_KVM_SET_REGION_H

#include <linux/kvm_host.h>

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

#endif /* _GMEM_COMPAT_KVM_SET_REGION_H */
