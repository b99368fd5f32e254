// SPDX-License-Identifier: GPL-2.0-only
/* Taking pages from the guests. */
#include <linux/kvm_host.h>
#include <linux/rcuwait.h>

#include "compat/kvm_gfn_range.h"
#include "gmem.h"
#include "symbols.h"

static bool gmem_file_is_bound(struct gmem_file *f, pgoff_t start, pgoff_t end)
{
	unsigned long index = start;

	return xa_find(&f->bindings, &index, end - 1, XA_PRESENT);
}

/*
 * KVM replaces no version of a slot by another from here to slots_let_go(), as while its own
 * notifiers run. Or a nested guest could start between the two looks, at the version that
 * vCPUs see and at its metadata, and the latter would be of another.
 */
static void slots_hold(struct kvm *kvm)
{
	spin_lock(&kvm->mn_invalidate_lock);
	kvm->mn_active_invalidate_count++;
	spin_unlock(&kvm->mn_invalidate_lock);
}

static void slots_let_go(struct kvm *kvm)
{
	bool last;

	spin_lock(&kvm->mn_invalidate_lock);
	last = !--kvm->mn_active_invalidate_count;
	spin_unlock(&kvm->mn_invalidate_lock);
	/* Who waits holds slots_lock, so it is one at most. */
	if (last)
		rcuwait_wake_up(&kvm->mn_memslots_update_rcuwait);
}

/*
 * The version of a bound slot that vCPUs see: itself, or the copy that KVM shows
 * them while it deletes the slot. That copy has the metadata: should a nested guest
 * start just then, rmaps are allocated for it alone, and a walk of the original
 * would follow NULL. None: nobody sees the slot yet, or any longer, and nothing of
 * it is mapped.
 */
static struct kvm_memory_slot *visible_slot(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	struct kvm_memory_slot *visible = id_to_memslot(__kvm_memslots(kvm, slot->as_id), slot->id);

	return gmem_slot_is_bound(visible) && visible->base_gfn == slot->base_gfn ? visible : NULL;
}

/* Returns whether TLBs have to be flushed. */
static bool binding_zap(struct kvm *kvm, const struct gmem_binding *b, pgoff_t start, pgoff_t end)
{
	pgoff_t first = b->pgoff;
	struct kvm_gfn_range range = {
		.start = b->slot->base_gfn + max(first, start) - first,
		.end = b->slot->base_gfn + min(first + b->slot->npages, end) - first,
		.may_block = true,
	};

	/* Before the look at what is visible: from here on, faults are retried. */
	compat_mmu_invalidate_add(kvm, b->slot, range.start, range.end);

	range.slot = visible_slot(kvm, b->slot);
	if (!range.slot)
		return false;

	compat_gfn_range_set_shared(&range);
	return kernel_call(kvm_unmap_gfn_range)(kvm, &range);
}

/**
 * gmem_file_zap_begin() - unmap a range from one VM, and keep faults off it
 * @f: the VM's view of the file
 * @start: first page offset
 * @end: page offset behind the last
 *
 * Stands for __kvm_gmem_invalidate_start(). From here to gmem_file_zap_end(),
 * a guest fault on the range is retried.
 *
 * Context: invalidate_lock held, and kept until gmem_file_zap_end(). Takes
 *	    kvm->srcu, which keeps what is visible, and kvm->mmu_lock.
 */
void gmem_file_zap_begin(struct gmem_file *f, pgoff_t start, pgoff_t end)
{
	struct gmem_binding *binding;
	struct kvm *kvm = f->kvm;
	bool flush = false;
	unsigned long index;
	int idx;

	if (!gmem_file_is_bound(f, start, end))
		return;

	idx = srcu_read_lock(&kvm->srcu);
	slots_hold(kvm);
	write_lock(&kvm->mmu_lock);
	compat_mmu_invalidate_begin(kvm);

	xa_for_each_range(&f->bindings, index, binding, start, end - 1)
		flush |= binding_zap(kvm, binding, start, end);
	if (flush)
		kernel_call(kvm_flush_remote_tlbs)(kvm);

	write_unlock(&kvm->mmu_lock);
	slots_let_go(kvm);
	srcu_read_unlock(&kvm->srcu, idx);

	/* SEV: no line of a page may come back from a cache once it has a new owner. */
	if (flush)
		kernel_call(kvm_arch_guest_memory_reclaimed)(kvm);
}

/**
 * gmem_file_zap_end() - let faults on the range through again
 * @f: as given to gmem_file_zap_begin()
 * @start: likewise
 * @end: likewise
 */
void gmem_file_zap_end(struct gmem_file *f, pgoff_t start, pgoff_t end)
{
	struct kvm *kvm = f->kvm;

	if (!gmem_file_is_bound(f, start, end))
		return;

	write_lock(&kvm->mmu_lock);
	compat_mmu_invalidate_end(kvm);
	write_unlock(&kvm->mmu_lock);
}

/**
 * gmem_zap_begin() - gmem_file_zap_begin() for every VM that has the file
 * @inode: inode of a guest_memfd
 * @start: first page offset
 * @end: page offset behind the last
 */
void gmem_zap_begin(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct gmem_file *f;

	list_for_each_entry(f, &GMEM_I(inode)->files, entry)
		gmem_file_zap_begin(f, start, end);
}

/**
 * gmem_zap_end() - gmem_file_zap_end() for every VM that has the file
 * @inode: as given to gmem_zap_begin()
 * @start: likewise
 * @end: likewise
 */
void gmem_zap_end(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct gmem_file *f;

	list_for_each_entry(f, &GMEM_I(inode)->files, entry)
		gmem_file_zap_end(f, start, end);
}
