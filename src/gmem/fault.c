// SPDX-License-Identifier: GPL-2.0-only
/* A page is touched: by the guest, or through a mapping in the VMM. */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/userfaultfd_k.h>

#include "compat/fs_file.h"
#include "gmem.h"
#include "symbols.h"

/* Pages that one host fault maps, if they are there: as many as for other files. */
#define GMEM_FAULT_AROUND 16

/* Not shared with the host, its mapping is there for mbind() only. */
static bool gmem_host_may_map(const struct vm_fault *vmf)
{
	return GMEM_I(file_inode(vmf->vma->vm_file))->flags & GUEST_MEMFD_FLAG_INIT_SHARED;
}

/*
 * vm_operations_struct.map_pages, at read faults. That it is there also tells core mm
 * that faults do not need the mmap_lock.
 */
static vm_fault_t gmem_map_pages(struct vm_fault *vmf, pgoff_t first, pgoff_t last)
{
	return gmem_host_may_map(vmf) ? filemap_map_pages(vmf, first, last) : 0;
}

/*
 * At write faults, core mm leaves a file alone: it would have to track what becomes
 * dirty. Here nothing is written back. The window is aligned by address, so it is in
 * one page table.
 */
static vm_fault_t gmem_map_window(struct vm_fault *vmf)
{
	pgoff_t skew = (vmf->address >> PAGE_SHIFT) % GMEM_FAULT_AROUND;
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t ret;

	/* As core mm: userfaultfd is to decide about each page by itself. */
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
 * A user's fault that reports VM_FAULT_OOM is taken again, for ever if the OOM killer was
 * not asked. So if its node is full it gets SIGBUS, as hugetlbfs gives when its pool is
 * empty. The kernel's own accesses, and system calls that take pages, have an errno to
 * report.
 */
static vm_fault_t gmem_host_fault_error(const struct vm_fault *vmf, int err)
{
	if (err == -ENOSPC && vmf->flags & FAULT_FLAG_USER)
		return VM_FAULT_SIGBUS;
	return vmf_error(gmem_errno(err));
}

static vm_fault_t gmem_host_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	struct folio *folio;

	/* In pages: mremap() reaches offsets whose bytes do not fit a loff_t. */
	if (vmf->pgoff >= i_size_read(inode) >> PAGE_SHIFT || !gmem_host_may_map(vmf))
		return VM_FAULT_SIGBUS;

	if (xa_load(&inode->i_mapping->i_pages, vmf->pgoff) && gmem_map_window(vmf))
		return VM_FAULT_NOPAGE;

	folio = gmem_get_folio(inode, vmf->pgoff);
	if (IS_ERR(folio))
		return gmem_host_fault_error(vmf, PTR_ERR(folio));

	vmf->page = folio_page(folio, 0);
	return VM_FAULT_LOCKED;
}

COMPAT_DEFINE_GET_POLICY(gmem_get_policy)

const struct vm_operations_struct gmem_vm_operations = {
	.fault = gmem_host_fault,
	.map_pages = gmem_map_pages,
	.set_policy = gmem_set_policy,
	COMPAT_GET_POLICY(gmem_get_policy),
};

static struct folio *gmem_slot_get_folio(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	struct gmem_binding *binding = gmem_binding_of(slot);
	struct folio *folio;
	struct file *file;

	/* Fails once the last reference is dropped, before release has run. */
	file = compat_get_file_active(&binding->file);
	if (!file)
		return ERR_PTR(-EFAULT);

	folio = gmem_get_folio(file_inode(file), gfn - slot->base_gfn + binding->pgoff);
	fput(file);
	if (IS_ERR(folio))
		return ERR_PTR(gmem_errno(PTR_ERR(folio)));

	if (folio_test_hwpoison(folio)) {
		folio_unlock(folio);
		folio_put(folio);
		return ERR_PTR(-EHWPOISON);
	}

	/*
	 * A clean page without host mappings looks unused, and soft offlining
	 * would drop it from the file under the guest's feet.
	 */
	folio_mark_dirty(folio);
	folio_unlock(folio);
	return folio;
}

/**
 * gmem_guest_fault() - the page behind a guest frame
 * @slot: a bound slot, not marked invalid
 * @gfn: a frame of it
 *
 * Stands for kvm_gmem_get_pfn() and kvm_mmu_faultin_pfn_gmem().
 *
 * Does not rely on what it reads of the binding, and waits for the invalidate_lock only at a
 * hole: KVM read mmu_invalidate_seq before it came here, so a hole punched meanwhile, or
 * a file closed meanwhile, makes it drop the page and fault again.
 *
 * Context: on the vCPU's task, kvm->srcu held. May sleep.
 * Return: a pfn with one reference held on its folio. Or KVM_PFN_ERR_FAULT, with
 *	   KVM_EXIT_MEMORY_FAULT filled in, and the ioctl fails with the error itself, see
 *	   gmem_fault_errno().
 */
kvm_pfn_t gmem_guest_fault(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	struct folio *folio = gmem_slot_get_folio(slot, gfn);
	struct kvm_vcpu *vcpu;

	if (!IS_ERR(folio))
		return folio_pfn(folio);

	vcpu = kernel_call(kvm_get_running_vcpu)();
	if (WARN_ON_ONCE(!vcpu))
		return KVM_PFN_ERR_FAULT;

	compat_memory_fault_exit(vcpu, gfn_to_gpa(gfn), PAGE_SIZE);
	gmem_fault_errno(PTR_ERR(folio));
	return KVM_PFN_ERR_FAULT;
}
