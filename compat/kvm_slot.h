/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a memslot keeps the file that backs it. */
#ifndef _GMEM_COMPAT_KVM_SLOT_H
#define _GMEM_COMPAT_KVM_SLOT_H

#include <linux/kvm_host.h>

/*
 * Marks a memslot that is bound to a file of this module. KVM's own flag,
 * KVM_MEM_GUEST_MEMFD, never reaches KVM for such a slot, so KVM's own
 * guest_memfd code never meets our files.
 *
 * The top bit, because KVM adds its internal flags from bit 16 upwards:
 * INVALID is 16, and 6.18 added GMEM_ONLY as 17.
 */
#define GMEM_SLOT_BOUND (1U << 31)

static_assert(sizeof_field(struct kvm_memory_slot, flags) == sizeof(u32));
static_assert(!(KVM_MEMSLOT_INVALID & GMEM_SLOT_BOUND));

/*
 * slot->gmem is KVM's own field for the same purpose (a7800aa80ea4, 6.8). It
 * is free to use: KVM looks at it only where KVM_MEM_GUEST_MEMFD is set.
 */
static inline struct file **gmem_slot_file(struct kvm_memory_slot *slot)
{
	return &slot->gmem.file;
}

static inline pgoff_t gmem_slot_pgoff(const struct kvm_memory_slot *slot)
{
	return slot->gmem.pgoff;
}

static inline void gmem_slot_set(struct kvm_memory_slot *slot, struct file *file,
				 pgoff_t pgoff)
{
	slot->gmem.pgoff = pgoff;
	WRITE_ONCE(slot->gmem.file, file);
}

static inline void gmem_slot_clear(struct kvm_memory_slot *slot)
{
	WRITE_ONCE(slot->gmem.file, NULL);
}

#endif /* _GMEM_COMPAT_KVM_SLOT_H */
