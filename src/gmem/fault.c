// SPDX-License-Identifier: GPL-2.0-only
/* Faults: a page is touched by the guest, or through a mapping in the VMM. */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/userfaultfd_k.h>

#include "../mempolicy.h"
#include "compat/fs_file.h"
#include "gmem.h"
#include "symbols.h"

/* How many pages one host fault maps at most, if they are present: as many as for other files. */
#define GMEM_FAULT_AROUND 16

/* Without INIT_SHARED the host may not access the memory, and a mapping serves mbind() only. */
static bool gmem_host_may_map(const struct vm_fault *vmf)
{
	return GMEM_I(file_inode(vmf->vma->vm_file))->flags & GUEST_MEMFD_FLAG_INIT_SHARED;
}

/*
 * vm_operations_struct.map_pages, for read faults. Its presence also tells core mm that faults
 * do not need the mmap_lock.
 */
static vm_fault_t gmem_map_pages(struct vm_fault *vmf, pgoff_t first, pgoff_t last)
{
	return gmem_host_may_map(vmf) ? filemap_map_pages(vmf, first, last) : 0;
}

/*
 * Core mm does not map pages around a write fault on a file, because it would have to track
 * which pages become dirty. Nothing is ever written back here, so the pages can be mapped. The
 * window is aligned by address, so that it lies within one page table.
 */
static vm_fault_t gmem_map_window(struct vm_fault *vmf)
{
	pgoff_t skew = (vmf->address >> PAGE_SHIFT) % GMEM_FAULT_AROUND;
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t ret;

	/* As in core mm: userfaultfd must see the fault of each page. */
	if (uffd_disable_fault_around(vma))
		return 0;

	rcu_read_lock();
	ret = filemap_map_pages(vmf, vmf->pgoff - min(skew, vmf->pgoff - vma->vm_pgoff),
				min(vmf->pgoff - skew + GMEM_FAULT_AROUND,
				    vma->vm_pgoff + vma_pages(vma)) - 1);
	rcu_read_unlock();
	return ret;
}

/*
 * A fault from user mode that returns VM_FAULT_OOM is retried, for ever if the OOM killer is not
 * invoked. So where the page's node is full, user mode gets SIGBUS, as from hugetlbfs when its
 * pool is empty. The kernel's own accesses, and system calls that fault in pages, can report an
 * errno.
 */
static vm_fault_t gmem_host_fault_error(const struct vm_fault *vmf, int err)
{
	if ((err == -ENOSPC || err == -ENODEV) && vmf->flags & FAULT_FLAG_USER)
		return VM_FAULT_SIGBUS;
	return vmf_error(mempolicy_errno(err));
}

static vm_fault_t gmem_host_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;

	/* Compared in pages, because mremap() reaches offsets that in bytes exceed a loff_t. */
	if (vmf->pgoff >= i_size_read(inode) >> PAGE_SHIFT || !gmem_host_may_map(vmf))
		return VM_FAULT_SIGBUS;

	if (xa_load(&inode->i_mapping->i_pages, vmf->pgoff) && gmem_map_window(vmf))
		return VM_FAULT_NOPAGE;

	folio = gmem_get_folio(inode, vmf->pgoff, 0, ULONG_MAX);
	if (IS_ERR(folio))
		return gmem_host_fault_error(vmf, PTR_ERR(folio));

	vmf->page = folio_file_page(folio, vmf->pgoff);
	return VM_FAULT_LOCKED;
}

COMPAT_DEFINE_GET_POLICY(gmem_get_policy)

const struct vm_operations_struct gmem_vm_operations = {
	.fault = gmem_host_fault,
	.map_pages = gmem_map_pages,
	.set_policy = gmem_set_policy,
	COMPAT_GET_POLICY(gmem_get_policy),
};

static struct page *gmem_slot_get_page(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	struct gmem_binding *binding = gmem_binding_of(slot);
	pgoff_t index = gfn - slot->base_gfn + binding->pgoff;
	struct folio *folio;
	struct file *file;
	struct page *page;

	/* Fails as soon as the last reference is dropped, before gmem_release() has run. */
	file = compat_get_file_active(&binding->file);
	if (!file)
		return ERR_PTR(-EFAULT);

	folio = gmem_get_folio(file_inode(file), index, 0, ULONG_MAX);
	fput(file);
	if (IS_ERR(folio))
		return ERR_PTR(mempolicy_errno(PTR_ERR(folio)));

	page = folio_file_page(folio, index);
	if (PageHWPoison(page)) {
		folio_unlock(folio);
		folio_put(folio);
		return ERR_PTR(-EHWPOISON);
	}

	/*
	 * A clean page without host mappings looks unused, and soft offlining would remove it
	 * from the file while the guest has it mapped.
	 */
	folio_mark_dirty(folio);
	folio_unlock(folio);
	return page;
}

/**
 * gmem_guest_fault() - get the page behind a gfn
 * @slot: a bound slot, not marked invalid
 * @gfn: a gfn of the slot
 *
 * Stands for kvm_gmem_get_pfn() and kvm_mmu_faultin_pfn_gmem().
 *
 * The function does not rely on what it reads of the binding, and waits for the invalidate_lock
 * only while a hole is punched around the page. That is sound because KVM read mmu_invalidate_seq
 * before the call: if a hole is punched or the file is closed in the meantime, KVM drops the
 * page and retries the fault.
 *
 * Context: on the vCPU's task, kvm->srcu held. May sleep.
 * Return: a pfn with one reference to its folio. Or KVM_PFN_ERR_FAULT, with KVM_EXIT_MEMORY_FAULT
 *	   filled in; the ioctl then fails with the error itself, see gmem_fault_errno().
 */
kvm_pfn_t gmem_guest_fault(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	struct page *page = gmem_slot_get_page(slot, gfn);
	struct kvm_vcpu *vcpu;

	if (!IS_ERR(page))
		return page_to_pfn(page);

	vcpu = kernel_call(kvm_get_running_vcpu)();
	if (WARN_ON_ONCE(!vcpu))
		return KVM_PFN_ERR_FAULT;

	compat_memory_fault_exit(vcpu, gfn_to_gpa(gfn), PAGE_SIZE);
	gmem_fault_errno(PTR_ERR(page));
	return KVM_PFN_ERR_FAULT;
}
