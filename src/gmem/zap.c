// SPDX-License-Identifier: GPL-2.0-only
/* Unmapping pages from the guests. */
#include <linux/kvm_host.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>

#include "compat/kvm_gfn_range.h"
#include "gmem.h"
#include "symbols.h"

static bool gmem_file_is_bound(struct gmem_file *f, pgoff_t start, pgoff_t end)
{
	unsigned long index = start;

	return xa_find(&f->bindings, &index, end - 1, XA_PRESENT);
}

/*
 * From here to slots_let_go(), KVM does not replace the visible version of a slot by another, as
 * it does not while its own mmu notifiers run. Otherwise a nested guest could start after
 * visible_slot() has found the version that vCPUs see and before its metadata is read, and the
 * metadata would belong to another version.
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
	/* Only a task that holds slots_lock waits here, so there is at most one. */
	if (last)
		rcuwait_wake_up(&kvm->mn_memslots_update_rcuwait);
}

/*
 * The version of a bound slot that vCPUs see: the slot itself, or the copy that vCPUs see while
 * KVM deletes the slot. The copy must be used then, because its metadata may be newer: if a
 * nested guest starts at that moment, KVM allocates rmaps for the copy alone, and a walk of the
 * original would dereference NULL. The result is NULL if vCPUs do not see the slot yet or any
 * longer; then nothing of it is mapped.
 */
static struct kvm_memory_slot *visible_slot(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	struct kvm_memory_slot *visible =
		search_memslots(__kvm_memslots(kvm, slot->as_id), slot->base_gfn, false);

	return gmem_slot_is_bound(visible) && visible->id == slot->id &&
	       visible->base_gfn == slot->base_gfn ? visible : NULL;
}

/**
 * struct zap - a range that is unmapped from a VM
 * @kvm: the VM
 * @start: page offset of the start
 * @end: page offset of the end, exclusive
 * @flush: TLBs must be flushed before mmu_lock is dropped
 * @visible: vCPUs can see a slot that covers part of the range
 */
struct zap {
	struct kvm *kvm;
	pgoff_t start, end;
	bool flush, visible;
};

static void zap_binding(struct zap *zap, const struct gmem_binding *b)
{
	pgoff_t first = b->pgoff;
	struct kvm_gfn_range range = {
		.start = b->slot->base_gfn + max(first, zap->start) - first,
		.end = b->slot->base_gfn + min(first + b->slot->npages, zap->end) - first,
		.may_block = true,
	};

	/* This comes before visible_slot(): from here on, faults in the range are retried. */
	compat_mmu_invalidate_add(zap->kvm, b->slot, range.start, range.end);

	range.slot = visible_slot(zap->kvm, b->slot);
	if (!range.slot)
		return;

	compat_gfn_range_set_shared(&range);
	zap->flush |= kernel_call(kvm_unmap_gfn_range)(zap->kvm, &range);
	zap->visible = true;
}

static void zap_flush(struct zap *zap)
{
	if (zap->flush)
		kernel_call(kvm_flush_remote_tlbs)(zap->kvm);
	zap->flush = false;
}

/*
 * Yield between two slots, because a hole may span thousands of them. KVM yields by itself
 * within a slot. Faults are retried until gmem_file_zap_end(), whether the lock is held or not.
 */
static void zap_yield(struct zap *zap)
{
	if (!need_resched() && !rwlock_needbreak(&zap->kvm->mmu_lock))
		return;

	zap_flush(zap);
	cond_resched_rwlock_write(&zap->kvm->mmu_lock);
}

/* A binding may take several entries of the xarray, so it can come up more than once. */
static void zap_bindings(struct zap *zap, struct gmem_file *f)
{
	struct gmem_binding *binding, *last = NULL;
	unsigned long index;

	xa_for_each_range(&f->bindings, index, binding, zap->start, zap->end - 1) {
		if (binding == last)
			continue;
		zap_binding(zap, binding);
		zap_yield(zap);
		last = binding;
	}
	zap_flush(zap);
}

/**
 * gmem_file_zap_begin() - unmap a range from one VM, and keep faults off it
 * @f: the VM's view of the file
 * @start: page offset of the start
 * @end: page offset of the end, exclusive
 *
 * Stands for __kvm_gmem_invalidate_start(). From here to gmem_file_zap_end(), guest faults in the
 * range are retried.
 *
 * Context: may sleep. The invalidate_lock is held until after gmem_file_zap_end(). Takes
 *	    kvm->srcu, which keeps the visible version of each slot, and kvm->mmu_lock.
 */
void gmem_file_zap_begin(struct gmem_file *f, pgoff_t start, pgoff_t end)
{
	struct zap zap = { .kvm = f->kvm, .start = start, .end = end };
	struct kvm *kvm = f->kvm;
	int idx;

	if (!gmem_file_is_bound(f, start, end))
		return;

	idx = srcu_read_lock(&kvm->srcu);
	slots_hold(kvm);
	write_lock(&kvm->mmu_lock);
	compat_mmu_invalidate_begin(kvm);
	zap_bindings(&zap, f);
	write_unlock(&kvm->mmu_lock);
	slots_let_go(kvm);
	srcu_read_unlock(&kvm->srcu, idx);

	/*
	 * For SEV: no dirty cache line of a page may be written back once the page has a new
	 * owner. As in KVM's own notifiers, it does not matter whether anything was mapped now:
	 * pages that were unmapped earlier may still have lines in the caches.
	 */
	if (zap.visible)
		kernel_call(kvm_arch_guest_memory_reclaimed)(kvm);
}

/**
 * gmem_file_zap_end() - let guest faults in the range through again
 * @f: as given to gmem_file_zap_begin()
 * @start: as given to gmem_file_zap_begin()
 * @end: as given to gmem_file_zap_begin()
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
 * @start: page offset of the start
 * @end: page offset of the end, exclusive
 *
 * Where the file has folios of 2 MiB, all 2 MiB are unmapped of which the range has a part,
 * because a fault on another page of them could map the range as well.
 *
 * Context: as gmem_file_zap_begin().
 */
void gmem_zap_begin(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct gmem_file *f;

	gmem_round_to_folios(inode, &start, &end);
	list_for_each_entry(f, &GMEM_I(inode)->files, entry)
		gmem_file_zap_begin(f, start, end);
}

/**
 * gmem_zap_end() - gmem_file_zap_end() for every VM that has the file
 * @inode: as given to gmem_zap_begin()
 * @start: as given to gmem_zap_begin()
 * @end: as given to gmem_zap_begin()
 */
void gmem_zap_end(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct gmem_file *f;

	gmem_round_to_folios(inode, &start, &end);
	list_for_each_entry(f, &GMEM_I(inode)->files, entry)
		gmem_file_zap_end(f, start, end);
}
