// SPDX-License-Identifier: GPL-2.0-only
/* setting a memslot (kvm_set_memory_region(), exported until 6.13, static from then on) */
#include <linux/kvm_host.h>

/* Fails where a header declares it. */
#ifdef PROBE_NEW
char kvm_set_memory_region;
#endif

#ifdef PROBE_OLD
#ifdef KVM_SET_USER_MEMORY_REGION2
#define REGION struct kvm_userspace_memory_region2
#else
#define REGION struct kvm_userspace_memory_region
#endif
static_assert(__same_type(kvm_set_memory_region, int (struct kvm *, const REGION *)));
#endif
