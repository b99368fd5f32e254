// SPDX-License-Identifier: GPL-2.0-only
/* A private page is put into its file, on the node that the VMM's policy names. */
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "../log.h"
#include "../mempolicy.h"
#include "compat/kvm_gmem.h"
#include "private.h"

static pgoff_t slot_index(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return gfn - slot->base_gfn + slot->gmem.pgoff;
}

static gfn_t slot_gfn(const struct kvm_memory_slot *slot, pgoff_t index)
{
	return slot->base_gfn + index - slot->gmem.pgoff;
}

/* KVM then allocates the page, elsewhere, as it would without the module. */
static void leave_movable(void)
{
	private_count(PRIVATE_MOVABLE);
	log_refused("private memory is not placed by policy",
		    "all memory of the nodes it is bound to is movable, which guest memory is not; bind it to other nodes, or online their memory as kernel memory\n");
}

/*
 * The folio is neither cleared nor marked uptodate: by that mark KVM knows pages that it has
 * cleared and made the guest's, and kvm_gmem_populate() refuses them. It is one page in size,
 * because KVM makes as many pages the guest's as the folio has, and maps one.
 *
 * The allocation is charged to the same memory cgroup as KVM's own would be, and where it fails,
 * KVM's own would fail as well, or break the policy.
 */
static int add_folio(struct address_space *mapping, pgoff_t index, struct private_policy policy)
{
	gfp_t gfp = mapping_gfp_mask(mapping);
	struct folio *folio;
	int err;

	folio = mempolicy_alloc_folio(gfp, policy.mpol, policy.ilx);
	if (IS_ERR(folio))
		return PTR_ERR(folio);

	err = filemap_add_folio(mapping, folio, index, gfp);
	if (!err)
		folio_unlock(folio);
	folio_put(folio);
	return err;
}

/* SEV-SNP's launch turns the errno into EIO, so it alone does not tell what to do. */
static void say_full(const struct mempolicy *mpol)
{
	log_refused("private memory refused",
		    "node %*pbl, which it is bound to, is full; free memory there, or have the VMM prefer the node instead\n",
		    nodemask_pr_args(&mpol->nodes));
}

static __always_inline int place_by(struct address_space *mapping, pgoff_t index,
				    struct private_policy policy)
{
	int err = add_folio(mapping, index, policy);

	switch (err) {
	case 0:
		private_count(PRIVATE_PLACED);
		return 0;
	case -EEXIST:
		/* Another task was faster. */
		return 0;
	case -ENODEV:
		leave_movable();
		return 0;
	case -ENOSPC:
		say_full(policy.mpol);
		fallthrough;
	default:
		private_count(PRIVATE_REFUSED);
		return mempolicy_errno(err);
	}
}

/**
 * private_place_by() - private_place() by a policy
 * @policy: from private_policy_get(), with a policy, whose reference this drops
 * @slot: as for private_place()
 * @gfn: as for private_place()
 *
 * Context: as private_place().
 * Return: as private_place().
 */
int private_place_by(struct private_policy policy, const struct kvm_memory_slot *slot, gfn_t gfn)
{
	struct file *file = compat_slot_get_file(slot);
	pgoff_t index = slot_index(slot, gfn);
	int err = 0;

	/*
	 * The file may be closed. KVM says so. Present pages stay where they are; a poisoned one is
	 * KVM's to report.
	 */
	if (file) {
		if (!xa_load(&file->f_mapping->i_pages, index))
			err = place_by(file->f_mapping, index, policy);
		fput(file);
	}
	kernel_call(__mpol_put)(policy.mpol);
	return err;
}

static pgoff_t slot_end(const struct kvm_memory_slot *slot)
{
	return slot->gmem.pgoff + slot->npages;
}

/*
 * The slot that has the index or, if none has, the next one in the file. KVM has an array for this
 * in the file, whose layout is its own.
 */
static struct kvm_memory_slot *slot_from_index(struct kvm *kvm, const struct file *file,
					       pgoff_t index)
{
	struct kvm_memory_slot *slot, *next = NULL;
	struct kvm_memslots *slots = kvm_memslots(kvm);
	int bucket;

	if (kvm_memslots_empty(slots))
		return NULL;

	kvm_for_each_memslot(slot, bucket, slots) {
		if (compat_slot_file_is(slot, file) && slot_end(slot) > index &&
		    (!next || slot->gmem.pgoff < next->gmem.pgoff))
			next = slot;
	}
	return next;
}

static int place_absent(const struct kvm *kvm, struct address_space *mapping,
			const struct kvm_memory_slot *slot, pgoff_t index)
{
	unsigned long hva = __gfn_to_hva_memslot(slot, slot_gfn(slot, index));
	struct private_policy policy = private_policy_get(kvm, hva);
	int err;

	if (!policy.mpol)
		return 0;
	err = place_by(mapping, index, policy);
	kernel_call(__mpol_put)(policy.mpol);
	return err;
}

/* The first page of a range that is present, or the range's end. */
static pgoff_t first_present(struct address_space *mapping, pgoff_t start, pgoff_t end)
{
	unsigned long index = start;

	return xa_find(&mapping->i_pages, &index, end - 1, XA_PRESENT) ? index : end;
}

/* Pages between slots are skipped, and so are present ones. */
static int place_indices(struct kvm *kvm, struct file *file, pgoff_t *index, pgoff_t end)
{
	struct address_space *mapping = file->f_mapping;
	struct kvm_memory_slot *slot = NULL;
	pgoff_t present = *index;
	int err;

	for (; *index < end && !signal_pending(current); ++*index) {
		if (!slot || *index >= slot_end(slot))
			slot = slot_from_index(kvm, file, *index);
		if (!slot || slot->gmem.pgoff >= end) {
			*index = end;
			return 0;
		}
		*index = max(*index, slot->gmem.pgoff);
		if (present <= *index)
			present = first_present(mapping, *index, end);
		if (present == *index)
			continue;
		err = place_absent(kvm, mapping, slot, *index);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/**
 * private_place_range() - private_place() for a range of a file
 * @file: a guest_memfd of KVM's own
 * @start: page offset of the start
 * @end: page offset of the end, exclusive
 * @done: set to where the range is done with: @end, or the page that failed, or the first one
 *	  after a signal has arrived
 *
 * Pages that no slot is bound to are left to KVM, and so are all pages of a file that was not
 * noted: one from before the load, for example, or from a time when the parameter was not set.
 *
 * Context: may sleep. Takes kvm->srcu.
 * Return: as private_place().
 */
int private_place_range(struct file *file, pgoff_t start, pgoff_t end, pgoff_t *done)
{
	struct kvm *kvm = private_file_vm(file);
	int err, idx;

	*done = end;
	if (!kvm)
		return 0;

	*done = start;
	idx = srcu_read_lock(&kvm->srcu);
	err = place_indices(kvm, file, done, end);
	srcu_read_unlock(&kvm->srcu, idx);
	return err;
}
