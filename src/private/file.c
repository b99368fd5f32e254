// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which guest_memfds of KVM's own there are, and whose.
 *
 * fallocate() is told the file, and the policy is found by way of the VM's slots. KVM's struct
 * that leads from one to the other is declared in none of its headers. So a file is noted here
 * when it is created, and forgotten when it is released. The note holds a reference to the VM, as
 * the file does itself: user space may put another file behind the descriptor while the file is
 * created, and that file's VM may be another one, which need not live as long.
 *
 * Only the creation and the release of a file write to the array, and readers take no lock.
 */
#include <linux/kvm_host.h>
#include <linux/xarray.h>

#include "private.h"

/* Charged to the memory cgroup of the VMM that creates a file. */
static DEFINE_XARRAY_FLAGS(private_files, XA_FLAGS_ACCOUNT);

/**
 * private_file_add() - note whose a file is
 * @file: a guest_memfd of KVM's own, to which the caller holds a reference
 * @kvm: the VM
 *
 * Return: 0, -EBUSY if the file is known already, or -ENOMEM.
 */
int private_file_add(struct file *file, struct kvm *kvm)
{
	int err;

	kvm_get_kvm(kvm);
	err = xa_insert(&private_files, (unsigned long)file, kvm, GFP_KERNEL);
	if (err)
		kvm_put_kvm(kvm);
	return err;
}

/**
 * private_file_remove() - forget a file
 * @file: a file that is being released
 *
 * Context: no locks held; the VM may be destroyed.
 * Return: was the file known?
 */
bool private_file_remove(struct file *file)
{
	struct kvm *kvm = xa_erase(&private_files, (unsigned long)file);

	if (kvm)
		kvm_put_kvm(kvm);
	return kvm;
}

/**
 * private_file_vm() - the VM that a file belongs to
 * @file: a file to which the caller holds a reference
 *
 * Return: the VM, which lives as long as the file, or NULL if the file is not known.
 */
struct kvm *private_file_vm(struct file *file)
{
	return xa_load(&private_files, (unsigned long)file);
}

/**
 * private_files_forget() - forget all files
 *
 * Context: module exit, when no redirect is attached and no replacement runs. VMs may be
 *	    destroyed.
 */
void private_files_forget(void)
{
	unsigned long file;
	struct kvm *kvm;

	xa_for_each(&private_files, file, kvm)
		kvm_put_kvm(kvm);
	xa_destroy(&private_files);
}
