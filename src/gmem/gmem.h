/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gmem/ implements the guest_memfd files of this module, and their memory, from creation to
 * close.
 *
 * The files, in the order in which a page travels:
 *	create.c	KVM_CREATE_GUEST_MEMFD makes a file; the file's operations, mmap()
 *	bind.c		a memslot is bound to the file
 *	fault.c		the guest or the host touches a page
 *	folio.c		the folio at an index of the file, allocated if there is none
 *	huge.c		a folio of 2 MiB, if it is asked for, and the size of guests' mappings
 *	policy.c	the node that the folio comes from
 *	fallocate.c	folios allocated before their first touch
 *	hole.c		holes, also in the middle of a folio
 *	poison.c	a page whose memory has failed
 *	release.c	close
 * Below them are inode.c (file system and slab cache), zap.c (guest mappings), fault_errno.c (the
 * errno of a failed guest fault) and symbols.c (unexported functions).
 *
 * Lifetime. A file pins its VM and its inode. An inode pins this module, and so does a bound
 * slot. A slot and its file do not pin each other: whichever is freed first cuts the link
 * between them.
 *
 * Locks, outermost first: kvm->slots_lock, kvm->slots_arch_lock, the inode's invalidate_lock,
 * kvm->mmu_lock. A slot and a file are linked and unlinked under both slots_lock and the
 * invalidate_lock (for write); holding either of them keeps the link. A guest fault holds
 * kvm->srcu only, and therefore takes its own reference to the file. A guest fault, and a host
 * fault with the mmap_lock held, waits for the invalidate_lock while a hole is punched around
 * its page; no task that holds the invalidate_lock waits for kvm->srcu or the mmap_lock.
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
 * Marks a memslot that is bound to a file of this module. KVM never sees its own flag,
 * KVM_MEM_GUEST_MEMFD, in such a slot, so its own guest_memfd code never meets our files.
 *
 * This is the top bit, because KVM adds internal flags from bit 16 upwards: INVALID is 16, and
 * 6.18 added GMEM_ONLY as 17.
 */
#define GMEM_SLOT_BOUND (1U << 31)

static_assert(sizeof_field(struct kvm_memory_slot, flags) == sizeof(u32));
static_assert(!(KVM_MEMSLOT_INVALID & GMEM_SLOT_BOUND));

#define GMEM_NAME "[kvm-gmem]"
#define GMEM_SUPPORTED_FLAGS (GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)

/* Pages in a folio of 2 MiB, the only size there is besides single pages. */
#define GMEM_HUGE_PAGES (1UL << (PMD_SHIFT - PAGE_SHIFT))

/**
 * enum gmem_huge - when folios of 2 MiB are allocated, as for shmem
 * @GMEM_HUGE_NEVER: never
 * @GMEM_HUGE_ADVISE: where a mapping has MADV_HUGEPAGE
 * @GMEM_HUGE_WITHIN_SIZE: where no mapping has MADV_NOHUGEPAGE, and not beyond the end of the file
 * @GMEM_HUGE_ALWAYS: the same, because a file never grows beyond its end
 */
enum gmem_huge {
	GMEM_HUGE_NEVER,
	GMEM_HUGE_ADVISE,
	GMEM_HUGE_WITHIN_SIZE,
	GMEM_HUGE_ALWAYS,
};

/**
 * struct gmem_inode - the memory of a guest_memfd
 * @policy: NUMA policy of each range of offsets; has a lock of its own
 * @files: the gmem_file of each open file; protected by the invalidate_lock
 * @hole_start: page offset of the start of the hole that is being punched. Written with the
 *		invalidate_lock held, read without
 * @hole_end: page offset of the end of the hole, exclusive; 0 if no hole is being punched.
 *		Accessed like @hole_start
 * @holes: pages of folios that could not be split, see hole.c; protected by the invalidate_lock
 * @holes_work: tries to split them again
 * @holes_delay: when it does, in jiffies; protected by the invalidate_lock
 * @flags: GUEST_MEMFD_FLAG_*; constant
 * @huge: when folios of 2 MiB are allocated; constant
 * @pins_module: the inode holds a reference to this module; constant
 * @vfs_inode: the VFS's inode; its page cache holds the folios
 */
struct gmem_inode {
	struct shared_policy policy;
	struct list_head files;
	pgoff_t hole_start, hole_end;
	struct xarray holes;
	struct delayed_work holes_work;
	unsigned long holes_delay;
	u64 flags;
	enum gmem_huge huge;
	bool pins_module;
	struct inode vfs_inode;
};

/**
 * struct gmem_file - one VM's view of the memory
 * @kvm: the VM, to which the file holds a reference
 * @bindings: from page offset to struct gmem_binding; protected by the invalidate_lock
 * @entry: in gmem_inode.files
 */
struct gmem_file {
	struct kvm *kvm;
	struct xarray bindings;
	struct list_head entry;
};

/**
 * struct gmem_binding - the link between a memslot and its file
 * @slot: the memslot
 * @file: the file, without a reference; NULL once the file is released. Written under slots_lock
 *	  and the invalidate_lock
 * @pgoff: page offset of the slot's first page in the file
 * @huge: mappings of 2 MiB are allowed where gfn and page offset agree; constant
 * @kvm_lpage_info: KVM's own array, to be put back before KVM frees it
 * @lpage_info: the array that the slot has in its place, from which the binding is found
 *
 * KVM has a field in the memslot for a guest_memfd, but its presence depends on the
 * configuration, and its type has changed twice. Every slot has an array, though, that tells
 * where 1 GiB pages are allowed. The array is small, is allocated before anybody sees the slot,
 * and is freed by kvm_arch_free_memslot() alone, which is redirected. The array of a bound slot
 * is part of this struct. So a fault needs no lookup, and its cost does not depend on other VMs'
 * slots. The copies of a slot that KVM makes while it deletes the slot share the array, so they
 * lead to the binding as well.
 */
struct gmem_binding {
	struct kvm_memory_slot *slot;
	struct file *file;
	pgoff_t pgoff;
	bool huge;
	struct kvm_lpage_info *kvm_lpage_info;
	struct kvm_lpage_info lpage_info[];
};

#define GMEM_LPAGE_LEVEL PG_LEVEL_1G
#define GMEM_LPAGE_INDEX (GMEM_LPAGE_LEVEL - PG_LEVEL_2M)

static inline struct gmem_inode *GMEM_I(struct inode *inode)
{
	return container_of(inode, struct gmem_inode, vfs_inode);
}

/* Extend a range of page offsets to the ends of the folios that it may have a part of. */
static inline void gmem_round_to_folios(struct inode *inode, pgoff_t *start, pgoff_t *end)
{
	if (!GMEM_I(inode)->huge)
		return;
	*start = round_down(*start, GMEM_HUGE_PAGES);
	*end = round_up(*end, GMEM_HUGE_PAGES);
}

static inline bool gmem_slot_is_bound(const struct kvm_memory_slot *slot)
{
	return slot && (slot->flags & GMEM_SLOT_BOUND);
}

/*
 * The binding of a bound slot. It lives as long as the slot: kvm->srcu or kvm->slots_lock keeps
 * both.
 */
static inline struct gmem_binding *gmem_binding_of(const struct kvm_memory_slot *slot)
{
	return container_of(slot->arch.lpage_info[GMEM_LPAGE_INDEX],
			    struct gmem_binding, lpage_info[0]);
}

/* Are mappings of 2 MiB allowed around a gfn of a bound slot? KVM counts what speaks against it. */
static inline bool gmem_slot_allows_huge(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	int shift = KVM_HPAGE_GFN_SHIFT(PG_LEVEL_2M);
	unsigned long i = (gfn >> shift) - (slot->base_gfn >> shift);

	return !slot->arch.lpage_info[0][i].disallow_lpage;
}

/* create.c */
extern const struct file_operations gmem_file_operations;
int gmem_create(struct kvm *kvm, const struct kvm_create_guest_memfd *args);

/* inode.c */
int gmem_start(void);
void gmem_stop(void);
struct file *gmem_open(loff_t size, u64 flags);

/* bind.c */
bool gmem_fd_is_ours(unsigned int fd);
struct file *gmem_file_for_slot(struct kvm *kvm, const struct kvm_memory_slot *slot,
				unsigned int fd, u64 offset);
bool gmem_fd_is_huge(unsigned int fd);
int gmem_bind(struct kvm_memory_slot *slot, struct file *file, pgoff_t pgoff, bool huge);
void gmem_unbind(struct kvm_memory_slot *slot);

/* fault.c */
extern const struct vm_operations_struct gmem_vm_operations;
kvm_pfn_t gmem_guest_fault(const struct kvm_memory_slot *slot, gfn_t gfn);

/* fault_errno.c */
void gmem_fault_errno(int err);

/* folio.c */
struct folio *gmem_get_folio(struct inode *inode, pgoff_t index, pgoff_t first, pgoff_t end);

/* huge.c */
enum gmem_huge gmem_huge_of_new_file(void);
struct folio *gmem_get_huge_folio(struct inode *inode, pgoff_t index, pgoff_t first, pgoff_t end);
unsigned long gmem_huge_folios(struct inode *inode);
int gmem_mapping_level(const struct kvm_memory_slot *slot, gfn_t gfn, int max_level);

/* policy.c */
struct folio *gmem_alloc_folio(struct inode *inode, pgoff_t index);
struct folio *gmem_alloc_huge_folio(struct inode *inode, pgoff_t index, gfp_t gfp);
int gmem_set_policy(struct vm_area_struct *vma, struct mempolicy *mpol);
struct mempolicy *gmem_get_policy(struct vm_area_struct *vma, unsigned long addr, pgoff_t *ilx);

/* fallocate.c */
long gmem_fallocate(struct file *file, int mode, loff_t offset, loff_t len);

/* hole.c */
long gmem_punch_hole(struct inode *inode, loff_t offset, loff_t len);
void gmem_holes_keep(struct inode *inode, pgoff_t start, pgoff_t end);
void gmem_holes_init(struct gmem_inode *gi);
void gmem_holes_forget(struct gmem_inode *gi);

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
