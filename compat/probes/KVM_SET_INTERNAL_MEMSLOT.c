// SPDX-License-Identifier: GPL-2.0-only
/* the function that sets a memslot (kvm_set_internal_memslot() is for KVM itself from 6.14 on) */
#include <linux/kvm_host.h>
#include <uapi/kvm_gmem_numa.h>

#ifdef PROBE_NEW
/* With it, kvm_set_memory_region() became static and wants slots_lock held. */
static_assert(__same_type(kvm_set_internal_memslot,
			  int (struct kvm *, const struct kvm_userspace_memory_region2 *)));
#endif

#ifdef PROBE_OLD
static_assert(__same_type(__kvm_set_memory_region,
			  int (struct kvm *, const struct kvm_userspace_memory_region2 *)) ||
	      __same_type(__kvm_set_memory_region,
			  int (struct kvm *, const struct kvm_userspace_memory_region *)));
#endif
