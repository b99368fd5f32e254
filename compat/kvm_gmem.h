/* SPDX-License-Identifier: GPL-2.0-only */
/* guest_memfds of KVM's own, and the functions that serve them. */
#ifndef _GMEM_COMPAT_KVM_GMEM_H
#define _GMEM_COMPAT_KVM_GMEM_H

#include <linux/fs.h>
#include <linux/kvm_host.h>

#include "compat/have.h"

/* In 6.8 and some later versions, the pointer to the file is marked as protected by RCU. */
static inline struct file *compat_slot_get_file(const struct kvm_memory_slot *slot)
{
	return get_file_active((struct file **)&slot->gmem.file);
}

static inline bool compat_slot_file_is(const struct kvm_memory_slot *slot, const struct file *file)
{
	return (__force struct file *)READ_ONCE(slot->gmem.file) == file;
}

/*
 * Since 6.18, a guest_memfd can also be memory of guests whose VMM maps it. Then all of the
 * slot's memory comes from it, and since 6.19 the VMM sets its policy on the file itself.
 */
static __always_inline bool compat_slot_has_private_memory(const struct kvm_memory_slot *slot)
{
#ifdef KVM_MEMSLOT_GMEM_ONLY
	if (slot->flags & KVM_MEMSLOT_GMEM_ONLY)
		return false;
#endif
	return slot->flags & KVM_MEM_GUEST_MEMFD;
}

/* Since 6.13, kvm_gmem_get_pfn() also returns the page. */
#ifdef HAVE_KVM_GMEM_GET_PFN_PAGE
#define COMPAT_GET_PFN_PARAMETERS						\
	struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t *pfn, \
	struct page **page, int *max_order
#define COMPAT_GET_PFN_ARGUMENTS kvm, slot, gfn, pfn, page, max_order
#define COMPAT_GET_PFN_NOWHERE NULL, NULL, NULL
#else
#define COMPAT_GET_PFN_PARAMETERS						\
	struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn, kvm_pfn_t *pfn, int *max_order
#define COMPAT_GET_PFN_ARGUMENTS kvm, slot, gfn, pfn, max_order
#define COMPAT_GET_PFN_NOWHERE NULL, NULL
#endif

/* Since 7.3, kvm_gmem_populate() is told whether it may write to its source. */
#ifdef HAVE_KVM_GMEM_POPULATE_WRITEBACK
#define COMPAT_POPULATE_PARAMETERS						\
	struct kvm *kvm, gfn_t gfn, void __user *src, long npages, bool may_writeback, \
	kvm_gmem_populate_cb post_populate, void *opaque
#define COMPAT_POPULATE_ARGUMENTS(gfn, src, npages) \
	kvm, gfn, src, npages, may_writeback, post_populate, opaque
#else
#define COMPAT_POPULATE_PARAMETERS						\
	struct kvm *kvm, gfn_t gfn, void __user *src, long npages,		\
	kvm_gmem_populate_cb post_populate, void *opaque
#define COMPAT_POPULATE_ARGUMENTS(gfn, src, npages) \
	kvm, gfn, src, npages, post_populate, opaque
#endif

#endif /* _GMEM_COMPAT_KVM_GMEM_H */
