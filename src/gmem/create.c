// SPDX-License-Identifier: GPL-2.0-only
/* KVM_CREATE_GUEST_MEMFD, and what can be done with the file: its operations, and mmap(). */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "gmem.h"

static int gmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(GMEM_I(file_inode(file))->flags & GUEST_MEMFD_FLAG_MMAP))
		return -ENODEV;

	if ((vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) != (VM_SHARED | VM_MAYSHARE))
		return -EINVAL;

	vma->vm_ops = &gmem_vm_operations;
	return 0;
}

/* How much memory there is, and in folios of which size. */
static void gmem_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct inode *inode = file_inode(file);
	unsigned long pages = READ_ONCE(inode->i_mapping->nrpages);
	unsigned long huge = min(gmem_huge_folios(inode), pages / GMEM_HUGE_PAGES);

	seq_printf(m, "guest_memfd_huge_folios:\t%lu\n", huge);
	seq_printf(m, "guest_memfd_small_folios:\t%lu\n", pages - huge * GMEM_HUGE_PAGES);
}

/* There is no .owner, because the inode pins the module, and for longer; see inode.c. */
const struct file_operations gmem_file_operations = {
	.open = generic_file_open,
	.mmap = gmem_mmap,
	.fallocate = gmem_fallocate,
	/* Addresses that can be mapped by 2 MiB. */
	.get_unmapped_area = thp_get_unmapped_area,
	.show_fdinfo = gmem_show_fdinfo,
	.release = gmem_release,
	/* The writer that keeps khugepaged out would be mistaken for the caller; see inode.c. */
	.setlease = simple_nosetlease,
};

static struct file *gmem_create_file(struct kvm *kvm, loff_t size, u64 flags)
{
	struct gmem_file *f;
	struct file *file;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return ERR_PTR(-ENOMEM);

	file = gmem_open(size, flags);
	if (IS_ERR(file)) {
		kfree(f);
		return file;
	}

	kvm_get_kvm(kvm);
	f->kvm = kvm;
	xa_init(&f->bindings);
	/* Nobody else can see the inode yet, so no lock is needed. */
	list_add(&f->entry, &GMEM_I(file_inode(file))->files);
	file->private_data = f;
	return file;
}

/**
 * gmem_create() - create a guest_memfd for a VM without private memory
 * @kvm: the VM
 * @args: size in bytes, and GUEST_MEMFD_FLAG_*; a file without flags can be neither mapped nor
 *	  bound
 *
 * Stands for kvm_gmem_create() of 6.18 and later.
 *
 * Context: ioctl of @kvm, no locks held, the module held.
 * Return: a file descriptor, or -EINVAL (flags, size), -ENOMEM, -EMFILE, -ENFILE, or an error
 *	   from the LSM.
 */
int gmem_create(struct kvm *kvm, const struct kvm_create_guest_memfd *args)
{
	loff_t size = args->size;
	struct file *file;
	int fd;

	if (args->flags & ~GMEM_SUPPORTED_FLAGS)
		return -EINVAL;
	if (size <= 0 || !PAGE_ALIGNED(size))
		return -EINVAL;

	fd = get_unused_fd_flags(0);
	if (fd >= 0) {
		file = gmem_create_file(kvm, size, args->flags);
		if (IS_ERR(file)) {
			put_unused_fd(fd);
			fd = PTR_ERR(file);
		} else {
			fd_install(fd, file);
		}
	}

	return fd;
}
