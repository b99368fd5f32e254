// SPDX-License-Identifier: GPL-2.0-only
/* the ioctls of guest_memfd, and the functions that came with them (6.8) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
static_assert(sizeof(struct kvm_userspace_memory_region2) == 160);
static_assert(sizeof(struct kvm_create_guest_memfd) == 64);
static_assert(__same_type(kvm_mmu_invalidate_end, void (struct kvm *)));
#endif

#ifdef PROBE_OLD
#if defined(KVM_CREATE_GUEST_MEMFD) || defined(KVM_SET_USER_MEMORY_REGION2)
#error in part
#endif
static_assert(__same_type(kvm_mmu_invalidate_begin,
			  void (struct kvm *, unsigned long, unsigned long)));
static_assert(__same_type(kvm_mmu_invalidate_end,
			  void (struct kvm *, unsigned long, unsigned long)));
static_assert(__same_type(((struct kvm *)0)->mmu_invalidate_range_start, unsigned long));
#endif
