// SPDX-License-Identifier: GPL-2.0-only
/* A memslot gets its memory from a file: the binding between the two. */
#include <linux/file.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "gmem.h"

/**
 * gmem_fd_is_ours() - does this descriptor name a file of this module?
 * @fd: from user space
 *
 * User space may put another file behind the descriptor right afterwards.
 * gmem_file_for_slot() looks at the file again, and so does KVM.
 *
 * Return: true also if there is no file, so that the errno is the same on all kernels.
 */
bool gmem_fd_is_ours(unsigned int fd)
{
	struct file *file = fget(fd);
	bool ours = !file || file->f_op == &gmem_file_operations;

	if (file)
		fput(file);
	return ours;
}

/**
 * gmem_fd_is_huge() - does this descriptor name a file of ours that can have folios of 2 MiB?
 * @fd: from user space, see gmem_fd_is_ours()
 */
bool gmem_fd_is_huge(unsigned int fd)
{
	struct file *file = fget(fd);
	bool huge = file && file->f_op == &gmem_file_operations && GMEM_I(file_inode(file))->huge;

	if (file)
		fput(file);
	return huge;
}

/**
 * gmem_file_for_slot() - get the file that a new slot is to be bound to
 * @kvm: the VM
 * @slot: the new slot
 * @fd: descriptor of the file
 * @offset: offset of the slot's first page in the file, in bytes
 *
 * Stands for the checks of kvm_gmem_bind().
 *
 * Context: kvm->slots_lock held.
 * Return: the file, with a reference; ERR_PTR(-EBADF); or ERR_PTR(-EINVAL) if the file is not
 *	   ours, belongs to another VM, has no flags, or ends before the slot does.
 */
struct file *gmem_file_for_slot(struct kvm *kvm, const struct kvm_memory_slot *slot,
				unsigned int fd, u64 offset)
{
	u64 size = (u64)slot->npages << PAGE_SHIFT, end;
	struct file *file = fget(fd);
	struct gmem_file *f;

	if (!file)
		return ERR_PTR(-EBADF);

	if (file->f_op != &gmem_file_operations)
		goto err;

	f = file->private_data;
	if (f->kvm != kvm)
		goto err;

	/* A file without flags would be private memory, which this VM does not have. */
	if (!GMEM_I(file_inode(file))->flags)
		goto err;

	/* Computed in unsigned numbers, as upstream since eba85fee7fc6 (7.2). */
	if (check_add_overflow(offset, size, &end) || end > i_size_read(file_inode(file)))
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
 * KVM chooses the size of a mapping by walking the host page tables at userspace_addr, where
 * anything may be mapped. A huge page there must not make KVM map 2 MiB around one of our 4 KiB
 * pages. All of KVM's paths look at disallow_lpage first: NPT and EPT, shadow paging, nested
 * paging, and the collapse of small mappings. The arrays are freed together with the slot, so
 * nothing has to undo this.
 */
static void slot_forbid_huge_mappings(struct kvm_memory_slot *slot, int level)
{
	struct kvm_lpage_info *info = slot->arch.lpage_info[level - PG_LEVEL_2M];
	unsigned long i, n = slot_lpages(slot, level);

	for (i = 0; i < n; i++)
		info[i].disallow_lpage++;
}

/*
 * Allow 2 MiB wherever the slot contains all of them, and leave the rest to gmem_mapping_level().
 * KVM has forbidden them where gfn and userspace_addr do not agree, which means nothing here. It
 * counts its own reasons against them only once the slot can be seen.
 */
static void slot_allow_huge_mappings(struct kvm_memory_slot *slot)
{
	struct kvm_lpage_info *info = slot->arch.lpage_info[0];
	unsigned long i, n = slot_lpages(slot, PG_LEVEL_2M);

	for (i = 0; i < n; i++)
		info[i].disallow_lpage = 0;
	if (slot->base_gfn % GMEM_HUGE_PAGES)
		info[0].disallow_lpage = 1;
	if ((slot->base_gfn + slot->npages) % GMEM_HUGE_PAGES)
		info[n - 1].disallow_lpage = 1;
}

/* A folio is as far from a boundary of 2 MiB in the file as in memory. */
static bool slot_is_congruent(const struct kvm_memory_slot *slot, pgoff_t pgoff)
{
	return (slot->base_gfn ^ pgoff) % GMEM_HUGE_PAGES == 0;
}

static void slot_limit_mappings(struct kvm_memory_slot *slot, const struct gmem_binding *binding)
{
	int level = PG_LEVEL_2M;

	if (binding->huge && slot_is_congruent(slot, binding->pgoff)) {
		slot_allow_huge_mappings(slot);
		level++;
	}
	for (; level <= KVM_MAX_HUGEPAGE_LEVEL; level++)
		slot_forbid_huge_mappings(slot, level);
}

static struct gmem_binding *binding_alloc(struct kvm_memory_slot *slot, struct file *file,
					  pgoff_t pgoff, bool huge)
{
	unsigned long n = slot_lpages(slot, GMEM_LPAGE_LEVEL);
	struct gmem_binding *b = kvzalloc(struct_size(b, lpage_info, n), GFP_KERNEL_ACCOUNT);

	if (!b)
		return NULL;

	b->slot = slot;
	b->file = file;
	b->pgoff = pgoff;
	b->huge = huge;
	b->kvm_lpage_info = slot->arch.lpage_info[GMEM_LPAGE_INDEX];
	memcpy(b->lpage_info, b->kvm_lpage_info, array_size(n, sizeof(*b->lpage_info)));
	return b;
}

/* Link the binding into the file. Undoes what it has done if there is no memory. */
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
 * gmem_bind() - bind a new memslot to its file
 * @slot: the slot: its metadata is allocated, and nobody can see it yet
 * @file: from gmem_file_for_slot(); the reference stays with the caller
 * @pgoff: page offset of the slot's first page in the file
 * @huge: KVM asks gmem_mapping_level() about mappings of the slot
 *
 * Stands for the second half of kvm_gmem_bind(). Once this has returned 0, gmem_unbind() must be
 * called before the slot is freed.
 *
 * Context: kvm->slots_lock and slots_arch_lock held. Takes the invalidate_lock.
 * Return: 0; -EEXIST if part of the range is bound already; -ENOMEM.
 */
int gmem_bind(struct kvm_memory_slot *slot, struct file *file, pgoff_t pgoff, bool huge)
{
	struct gmem_binding *binding = binding_alloc(slot, file, pgoff, huge);
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
	slot_limit_mappings(slot, binding);
	slot->flags |= GMEM_SLOT_BOUND;
	/* The file may be closed before the slot is deleted, so the slot pins the module itself. */
	__module_get(THIS_MODULE);
	return 0;
}

/**
 * gmem_unbind() - undo gmem_bind() before the slot is freed
 * @slot: a bound slot, which no vCPU can see any longer
 *
 * Stands for kvm_gmem_unbind(). If the file is being released at the same time, the release
 * waits for slots_lock and has not freed anything yet; if it was released before, binding->file
 * is NULL.
 *
 * Context: kvm->slots_lock held; or the last reference to the VM is gone, and with it every file
 *	    of the VM. Takes the invalidate_lock.
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
