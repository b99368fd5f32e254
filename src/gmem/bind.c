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
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "gmem.h"

/* By task: a bounded number of steps, however many there are, and none without a request. */
DEFINE_XARRAY(gmem_bind_requests);

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
 * Return: 0 or -ENOMEM.
 */
int gmem_bind_request_begin(struct gmem_bind_request *req, struct kvm *kvm,
			    const struct kvm_userspace_memory_region2 *mem)
{
	*req = (struct gmem_bind_request){
		.kvm = kvm,
		.id = mem->slot,
		.fd = mem->guest_memfd,
		.offset = mem->guest_memfd_offset,
	};
	return xa_err(xa_store(&gmem_bind_requests, (unsigned long)current, req,
			       GFP_KERNEL_ACCOUNT));
}

/**
 * gmem_bind_request_end() - the slot is there, or was refused
 *
 * Context: on the task that began it.
 */
void gmem_bind_request_end(void)
{
	xa_erase(&gmem_bind_requests, (unsigned long)current);
}

/**
 * gmem_bind_request_find() - the request that this task has begun
 *
 * Return: it, or NULL. It stays, as nobody but this task ends it.
 */
struct gmem_bind_request *gmem_bind_request_find(void)
{
	return xa_load(&gmem_bind_requests, (unsigned long)current);
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

static unsigned long slot_lpages(const struct kvm_memory_slot *slot, int level)
{
	gfn_t last = slot->base_gfn + slot->npages - 1;
	int shift = KVM_HPAGE_GFN_SHIFT(level);

	return (last >> shift) - (slot->base_gfn >> shift) + 1;
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
	int level;

	for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++) {
		struct kvm_lpage_info *info = slot->arch.lpage_info[level - PG_LEVEL_2M];
		unsigned long i, n = slot_lpages(slot, level);

		for (i = 0; i < n; i++)
			info[i].disallow_lpage++;
	}
}

static struct gmem_binding *binding_alloc(struct kvm_memory_slot *slot, struct file *file,
					  pgoff_t pgoff)
{
	unsigned long n = slot_lpages(slot, GMEM_LPAGE_LEVEL);
	struct gmem_binding *b = kvzalloc(struct_size(b, lpage_info, n), GFP_KERNEL_ACCOUNT);

	if (!b)
		return NULL;

	b->slot = slot;
	b->file = file;
	b->pgoff = pgoff;
	b->kvm_lpage_info = slot->arch.lpage_info[GMEM_LPAGE_INDEX];
	memcpy(b->lpage_info, b->kvm_lpage_info, array_size(n, sizeof(*b->lpage_info)));
	return b;
}

/* The file's end of the link; undoes itself if there is no memory. */
static int file_link(struct file *file, struct gmem_binding *binding)
{
	unsigned long pgoff = binding->pgoff, last = pgoff + binding->slot->npages - 1;
	struct gmem_file *f = file->private_data;
	unsigned long index = pgoff;
	int err;

	if (xa_find(&f->bindings, &index, last, XA_PRESENT))
		return -EEXIST;

	err = xa_err(xa_store_range(&f->bindings, pgoff, last, binding, GFP_KERNEL_ACCOUNT));
	if (err)
		xa_store_range(&f->bindings, pgoff, last, NULL, GFP_KERNEL);
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
	struct gmem_binding *binding = binding_alloc(slot, file, pgoff);
	int err;

	if (!binding)
		return -ENOMEM;

	filemap_invalidate_lock(file->f_mapping);
	err = file_link(file, binding);
	filemap_invalidate_unlock(file->f_mapping);
	if (err) {
		kvfree(binding);
		return err;
	}

	slot->arch.lpage_info[GMEM_LPAGE_INDEX] = binding->lpage_info;
	slot_forbid_huge_mappings(slot);
	slot->flags |= GMEM_SLOT_BOUND;
	/* The file may be closed before the slot, so the slot pins us itself. */
	__module_get(THIS_MODULE);
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

	slot->arch.lpage_info[GMEM_LPAGE_INDEX] = binding->kvm_lpage_info;
	slot->flags &= ~GMEM_SLOT_BOUND;
	kvfree(binding);
	module_put(THIS_MODULE);
}
