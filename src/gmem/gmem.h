/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_memfd files of this module.
 *
 * The path of a page, in the order it is travelled:
 *	create.c	ioctl -> inode and file
 *	bind.c		memslot -> file, by way of a binding
 *	fault.c		guest or host touches a page -> folio
 *	folio.c		the folio of an index, allocated if there is none
 *	policy.c	which node it comes from
 *	fallocate.c	pages ahead of the first touch, and holes
 *	poison.c	a page whose memory failed
 *	release.c	close
 * with inode.c (file system and slab cache), zap.c (guest mappings), fault_errno.c (why a fault
 * failed) and symbols.c (unexported functions) below.
 *
 * Lifetime. A file pins its VM and its inode; an inode and a bound slot pin this
 * module. Slot and file do not pin each other: the link between them is cut by
 * whichever goes first.
 *
 * Locks, outermost first: kvm->slots_lock, kvm->slots_arch_lock, the inode's
 * invalidate_lock, kvm->mmu_lock. Slot and file are linked and unlinked under
 * slots_lock and invalidate_lock (write); either is enough to rely on a link.
 * A guest fault holds kvm->srcu only, and so takes its own file reference. It, and a
 * host fault with the mmap_lock, waits for the invalidate_lock while a hole is punched
 * around it: nobody with that lock waits for either.
 */
#ifndef _GMEM_GMEM_H
#define _GMEM_GMEM_H

#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/mempolicy.h>
#include <linux/mm_types.h>
#include <linux/xarray.h>
#include <uapi/kvm_gmem_numa.h>

#include "compat/kvm_private_mem.h"
#include "compat/mm_alloc.h"

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

#define GMEM_NAME "[kvm-gmem]"
#define GMEM_SUPPORTED_FLAGS (GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)

/**
 * struct gmem_inode - the memory
 * @policy: NUMA policy per range of offsets; has its own lock
 * @files: the gmem_file of each open file; invalidate_lock
 * @hole_start: first page offset of the hole that is being punched. Written with the
 *		invalidate_lock held, read without
 * @hole_end: page offset behind its last; 0 if there is none. Likewise
 * @flags: GUEST_MEMFD_FLAG_*; constant
 * @pins_module: holds a reference on this module; constant
 * @vfs_inode: the inode; its page cache holds the pages
 */
struct gmem_inode {
	struct shared_policy policy;
	struct list_head files;
	pgoff_t hole_start, hole_end;
	u64 flags;
	bool pins_module;
	struct inode vfs_inode;
};

/**
 * struct gmem_file - one VM's view of the memory
 * @kvm: the VM; holds a reference
 * @bindings: page offset -> struct gmem_binding; invalidate_lock
 * @entry: in gmem_inode.files
 */
struct gmem_file {
	struct kvm *kvm;
	struct xarray bindings;
	struct list_head entry;
};

/**
 * struct gmem_binding - what a memslot is bound to
 * @slot: the memslot
 * @file: the file, without a reference; NULL once it is released. Written under
 *	  slots_lock and invalidate_lock
 * @pgoff: the slot's first page in the file
 * @kvm_lpage_info: KVM's own array, to be put back before KVM frees it
 * @lpage_info: what the slot has in its place, by which it leads here
 *
 * KVM has a field in the memslot for a guest_memfd, but not on every kernel: it goes with the
 * configuration, and has changed its type twice. What every slot has is an array that says where
 * pages of 1 GiB are allowed, small, allocated before the slot is seen and freed by
 * kvm_arch_free_memslot() alone, which is redirected. The array of a bound slot is part of this.
 * So a fault needs no lookup, and depends on nobody else's slots. Copies that KVM makes of the
 * slot while it deletes it lead here as well.
 */
struct gmem_binding {
	struct kvm_memory_slot *slot;
	struct file *file;
	pgoff_t pgoff;
	struct kvm_lpage_info *kvm_lpage_info;
	struct kvm_lpage_info lpage_info[];
};

#define GMEM_LPAGE_LEVEL PG_LEVEL_1G
#define GMEM_LPAGE_INDEX (GMEM_LPAGE_LEVEL - PG_LEVEL_2M)

static inline struct gmem_inode *GMEM_I(struct inode *inode)
{
	return container_of(inode, struct gmem_inode, vfs_inode);
}

static inline bool gmem_slot_is_bound(const struct kvm_memory_slot *slot)
{
	return slot && (slot->flags & GMEM_SLOT_BOUND);
}

/* The binding of a bound slot. What keeps the slot keeps it: kvm->srcu or kvm->slots_lock. */
static inline struct gmem_binding *gmem_binding_of(const struct kvm_memory_slot *slot)
{
	return container_of(slot->arch.lpage_info[GMEM_LPAGE_INDEX],
			    struct gmem_binding, lpage_info[0]);
}

/* create.c */
extern const struct file_operations gmem_file_operations;
int gmem_create(struct kvm *kvm, const struct kvm_create_guest_memfd *args);

/* inode.c */
int gmem_start(void);
void gmem_stop(void);
struct file *gmem_open(loff_t size, u64 flags);

/* bind.c */

/**
 * struct gmem_bind_request - a memslot on its way through KVM
 * @kvm: the VM
 * @id: number of the slot, with its address space
 * @fd: the guest_memfd that is to back it
 * @offset: offset of the slot's first page in the file, in bytes
 * @served: the slot was bound
 */
struct gmem_bind_request {
	struct kvm *kvm;
	u32 id;
	unsigned int fd;
	u64 offset;
	bool served;
};

extern struct xarray gmem_bind_requests;

/**
 * gmem_bind_requested() - is any request under way, on any VM?
 *
 * For redirects' wanted(): inline, and calling nothing.
 */
static __always_inline bool gmem_bind_requested(void)
{
	return rcu_access_pointer(gmem_bind_requests.xa_head);
}

bool gmem_region_changes_bound_slot(struct kvm *kvm,
				    const struct kvm_userspace_memory_region2 *mem);
bool gmem_region_names_our_file(const struct kvm_userspace_memory_region2 *mem);
int gmem_region_check(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem);
int gmem_bind_request_begin(struct gmem_bind_request *req, struct kvm *kvm,
			    const struct kvm_userspace_memory_region2 *mem);
void gmem_bind_request_end(void);
struct gmem_bind_request *gmem_bind_request_find(void);
struct file *gmem_bind_file(const struct gmem_bind_request *req, struct kvm *kvm,
			    const struct kvm_memory_slot *slot);
int gmem_bind(struct kvm_memory_slot *slot, struct file *file, pgoff_t pgoff);
void gmem_unbind(struct kvm_memory_slot *slot);

/* fault.c */
extern const struct vm_operations_struct gmem_vm_operations;
kvm_pfn_t gmem_guest_fault(const struct kvm_memory_slot *slot, gfn_t gfn);

/* fault_errno.c */
void gmem_fault_errno(int err);

/* folio.c */
struct folio *gmem_get_folio(struct inode *inode, pgoff_t index);

/**
 * gmem_errno() - the error of gmem_get_folio() as user space knows it
 * @err: the error
 *
 * A full node is told apart for host faults, which cannot report an errno.
 */
static inline int gmem_errno(int err)
{
	return err == -ENOSPC ? -ENOMEM : err;
}

/* policy.c */
struct folio *gmem_alloc_folio(struct inode *inode, pgoff_t index);
int gmem_set_policy(struct vm_area_struct *vma, struct mempolicy *mpol);
struct mempolicy *gmem_get_policy(struct vm_area_struct *vma, unsigned long addr, pgoff_t *ilx);

/* fallocate.c */
long gmem_fallocate(struct file *file, int mode, loff_t offset, loff_t len);

/* poison.c */
int gmem_error_remove_folio(struct address_space *mapping, struct folio *folio);

/* release.c */
int gmem_release(struct inode *inode, struct file *file);

/* zap.c */
void gmem_file_zap_begin(struct gmem_file *f, pgoff_t start, pgoff_t end);
void gmem_file_zap_end(struct gmem_file *f, pgoff_t start, pgoff_t end);
void gmem_zap_begin(struct inode *inode, pgoff_t start, pgoff_t end);
void gmem_zap_end(struct inode *inode, pgoff_t start, pgoff_t end);

#endif /* _GMEM_GMEM_H */
