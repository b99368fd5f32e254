// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: KVM_SET_USER_MEMORY_REGION2 with KVM_MEM_GUEST_MEMFD.
 *
 * KVM before 6.18 refuses the flag for a VM without private memory, and its
 * own code would take our files for its own. So KVM is asked for the slot
 * without the flag, and the file is linked to the slot when KVM has allocated
 * the slot's metadata and has not yet shown it to anybody. All of this happens on
 * one task, by which the request is found again.
 */
#include <linux/file.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/spinlock.h>

#include "compat/kvm_gfn_to_pfn.h"
#include "gmem.h"

static LIST_HEAD(bind_requests);
static DEFINE_SPINLOCK(bind_requests_lock);
atomic_t gmem_bind_requests = ATOMIC_INIT(0);
atomic_t gmem_bound_slots = ATOMIC_INIT(0);

static u16 region_as_id(u32 slot)
{
	return slot >> 16;
}

/* The slot that this would change; NULL if it would create or delete one. */
static struct kvm_memory_slot *region_changes(struct kvm *kvm,
					      const struct kvm_userspace_memory_region2 *mem)
{
	u16 as_id = region_as_id(mem->slot), id = mem->slot;

	if (!mem->memory_size || as_id >= kvm_arch_nr_memslot_as_ids(kvm) ||
	    id >= KVM_MEM_SLOTS_NUM)
		return NULL;
	return id_to_memslot(__kvm_memslots(kvm, as_id), id);
}

/**
 * gmem_region_changes_bound_slot() - is this for a slot that only can be deleted?
 * @kvm: a VM without private memory
 * @mem: the request, as user space made it
 *
 * Context: no locks held; the answer may be out of date at once.
 */
bool gmem_region_changes_bound_slot(struct kvm *kvm,
				    const struct kvm_userspace_memory_region2 *mem)
{
	bool bound;

	if (!gmem_slots_bound())
		return false;

	mutex_lock(&kvm->slots_lock);
	bound = gmem_slot_is_bound(region_changes(kvm, mem));
	mutex_unlock(&kvm->slots_lock);
	return bound;
}

/**
 * gmem_region_names_our_file() - is this slot to be bound to a file of this module?
 * @mem: the request, with KVM_MEM_GUEST_MEMFD
 *
 * Should user space put another file behind the descriptor meanwhile, whoever gets
 * it refuses what is not his own.
 *
 * Return: true also if there is no file, so that the errno is the same everywhere.
 */
bool gmem_region_names_our_file(const struct kvm_userspace_memory_region2 *mem)
{
	struct file *file = fget(mem->guest_memfd);
	bool ours = !file || file->f_op == &gmem_file_operations;

	if (file)
		fput(file);
	return ours;
}

/**
 * gmem_region_check() - refuse what KVM can no longer refuse itself
 * @kvm: a VM without private memory
 * @mem: the request, as user space made it, for a file of ours
 *
 * The checks of kvm_set_memory_region() that depend on KVM_MEM_GUEST_MEMFD.
 * All others are left to KVM, which runs them after these; where both would
 * refuse, both say -EINVAL.
 *
 * Context: no locks held; whether the slot exists may be out of date at once.
 * Return: 0 or -EINVAL.
 */
int gmem_region_check(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	bool change;

	/* Read-only and dirty logging are not for guest_memfd. */
	if (mem->flags & ~KVM_MEM_GUEST_MEMFD)
		return -EINVAL;
	if (!PAGE_ALIGNED(mem->guest_memfd_offset) ||
	    mem->guest_memfd_offset + mem->memory_size < mem->guest_memfd_offset)
		return -EINVAL;

	/* A slot that exists can only be deleted. */
	mutex_lock(&kvm->slots_lock);
	change = region_changes(kvm, mem);
	mutex_unlock(&kvm->slots_lock);
	return change ? -EINVAL : 0;
}

/**
 * gmem_bind_request_begin() - what the slot that this task sets is to be bound to
 * @req: uninitialised; lives until gmem_bind_request_end()
 * @kvm: the VM
 * @mem: a request that passed gmem_region_check()
 *
 * Context: no locks held.
 */
void gmem_bind_request_begin(struct gmem_bind_request *req, struct kvm *kvm,
			     const struct kvm_userspace_memory_region2 *mem)
{
	req->task = current;
	req->kvm = kvm;
	req->id = mem->slot;
	req->fd = mem->guest_memfd;
	req->offset = mem->guest_memfd_offset;
	req->served = false;

	spin_lock(&bind_requests_lock);
	list_add(&req->entry, &bind_requests);
	spin_unlock(&bind_requests_lock);
	atomic_inc(&gmem_bind_requests);
}

/**
 * gmem_bind_request_end() - the slot is there, or was refused
 * @req: as given to gmem_bind_request_begin()
 *
 * Context: on the task that began it.
 */
void gmem_bind_request_end(struct gmem_bind_request *req)
{
	atomic_dec(&gmem_bind_requests);
	spin_lock(&bind_requests_lock);
	list_del(&req->entry);
	spin_unlock(&bind_requests_lock);
}

/**
 * gmem_bind_request_find() - the request that this task has begun
 *
 * Return: it, or NULL. It stays, as nobody but this task ends it.
 */
struct gmem_bind_request *gmem_bind_request_find(void)
{
	struct gmem_bind_request *req, *found = NULL;

	spin_lock(&bind_requests_lock);
	list_for_each_entry(req, &bind_requests, entry) {
		if (req->task == current) {
			found = req;
			break;
		}
	}
	spin_unlock(&bind_requests_lock);
	return found;
}

/* KVM read the arguments where other threads can write. */
static bool slot_is_as_requested(const struct gmem_bind_request *req, struct kvm *kvm,
				 const struct kvm_memory_slot *slot)
{
	return req->kvm == kvm && req->id == ((u32)slot->as_id << 16 | (u16)slot->id) &&
	       !slot->flags;
}

/**
 * gmem_bind_file() - the file that a new slot is to be bound to
 * @req: this task's request
 * @kvm: the VM
 * @slot: the new slot, not yet visible
 *
 * Stands for kvm_gmem_prepare_memory_region().
 *
 * Context: kvm->slots_lock held.
 * Return: the file, with a reference; or ERR_PTR(-EBADF), or ERR_PTR(-EINVAL) for a
 *	   slot that is not the one asked for, and a file that is not ours, is
 *	   another VM's, or ends before the slot does.
 */
struct file *gmem_bind_file(const struct gmem_bind_request *req, struct kvm *kvm,
			    const struct kvm_memory_slot *slot)
{
	u64 size = (u64)slot->npages << PAGE_SHIFT, end;
	struct gmem_file *f;
	struct file *file;

	if (!slot_is_as_requested(req, kvm, slot))
		return ERR_PTR(-EINVAL);

	file = fget(req->fd);
	if (!file)
		return ERR_PTR(-EBADF);

	if (file->f_op != &gmem_file_operations)
		goto err;

	f = file->private_data;
	if (f->kvm != kvm)
		goto err;

	/* Without flags it would be private memory, which the VM has not. */
	if (!GMEM_I(file_inode(file))->flags)
		goto err;

	/* Unsigned. */
	if (check_add_overflow(req->offset, size, &end) || end > i_size_read(file_inode(file)))
		goto err;

	return file;

err:
	fput(file);
	return ERR_PTR(-EINVAL);
}

/*
 * KVM decides the size of a mapping by walking the host page tables at
 * userspace_addr, which may map anything. A huge page there must not make KVM
 * map 2 MiB around one of our 4 KiB pages. Every path asks disallow_lpage
 * first: NPT and EPT, shadow paging, nested paging, and the collapse of small
 * mappings. The arrays go with the slot, so there is no undo.
 */
static void slot_forbid_huge_mappings(struct kvm_memory_slot *slot)
{
	gfn_t last = slot->base_gfn + slot->npages - 1;
	int level;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		struct kvm_lpage_info *info = slot->arch.lpage_info[level - PG_LEVEL_2M];
		int shift = KVM_HPAGE_GFN_SHIFT(level);
		unsigned long i, n = (last >> shift) - (slot->base_gfn >> shift) + 1;

		for (i = 0; i < n; i++)
			info[i].disallow_lpage++;
	}
}

/* Both ends of the link; undoes itself if there is no memory. */
static int slot_link(struct kvm_memory_slot *slot, struct file *file, pgoff_t pgoff)
{
	unsigned long index = pgoff, last = pgoff + slot->npages - 1;
	struct gmem_file *f = file->private_data;
	struct gmem_binding *binding;
	int err;

	if (xa_find(&f->bindings, &index, last, XA_PRESENT))
		return -EEXIST;

	binding = gmem_binding_add(slot, file, pgoff);
	if (!binding)
		return -ENOMEM;

	err = xa_err(xa_store_range(&f->bindings, pgoff, last, binding, GFP_KERNEL_ACCOUNT));
	if (err) {
		xa_store_range(&f->bindings, pgoff, last, NULL, GFP_KERNEL);
		gmem_binding_del(binding);
	}
	return err;
}

/**
 * gmem_bind() - bind a new slot to its file
 * @slot: the slot: metadata allocated, not yet visible
 * @file: from gmem_bind_file(); its reference stays with the caller
 * @pgoff: from gmem_bind_file()
 *
 * Stands for kvm_gmem_commit_memory_region(). Once this has returned 0, the
 * slot must go through gmem_unbind() before it is freed.
 *
 * Context: kvm->slots_lock and slots_arch_lock held. Takes the invalidate_lock.
 * Return: 0, -EEXIST if part of the range is bound already, -ENOMEM.
 */
int gmem_bind(struct kvm_memory_slot *slot, struct file *file, pgoff_t pgoff)
{
	int err;

	filemap_invalidate_lock(file->f_mapping);
	err = slot_link(slot, file, pgoff);
	filemap_invalidate_unlock(file->f_mapping);
	if (err)
		return err;

	slot_forbid_huge_mappings(slot);
	slot->flags |= GMEM_SLOT_BOUND;
	/* The file may be closed before the slot, so the slot pins us itself. */
	__module_get(THIS_MODULE);
	atomic_inc(&gmem_bound_slots);
	if (COMPAT_FOLLOW_ALL_FAULTS)
		gmem_fault_scope_open(((struct gmem_file *)file->private_data)->kvm);
	return 0;
}

/**
 * gmem_unbind() - the slot is about to be freed
 * @slot: a bound slot, which no vCPU can see any longer
 *
 * Stands for kvm_gmem_unbind(). The file may be gone, or going: then its
 * release waits for slots_lock, and has not freed anything yet.
 *
 * Context: kvm->slots_lock held, or the last reference to the VM is gone, and
 *	    with it every file. Takes the invalidate_lock.
 */
void gmem_unbind(struct kvm_memory_slot *slot)
{
	struct gmem_binding *binding = gmem_binding_of(slot);
	struct file *file = binding->file;

	if (file) {
		struct gmem_file *f = file->private_data;
		pgoff_t pgoff = binding->pgoff;

		filemap_invalidate_lock(file->f_mapping);
		xa_store_range(&f->bindings, pgoff, pgoff + slot->npages - 1, NULL, GFP_KERNEL);
		filemap_invalidate_unlock(file->f_mapping);
	}

	gmem_binding_del(binding);
	slot->flags &= ~GMEM_SLOT_BOUND;
	if (atomic_dec_and_test(&gmem_bound_slots))
		gmem_fault_scope_close_all();
	module_put(THIS_MODULE);
}
