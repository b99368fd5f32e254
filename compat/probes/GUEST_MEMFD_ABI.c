// SPDX-License-Identifier: GPL-2.0-only
/* the ioctls of guest_memfd (6.8) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
static_assert(sizeof(struct kvm_userspace_memory_region2) == 160);
static_assert(sizeof(struct kvm_create_guest_memfd) == 64);
#endif

#ifdef PROBE_ODD
#if !defined(KVM_CREATE_GUEST_MEMFD) && !defined(KVM_SET_USER_MEMORY_REGION2)
#error there are none
#endif
#endif
