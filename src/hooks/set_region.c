// SPDX-License-Identifier: GPL-2.0-only
/* Asking KVM for a memslot. Until 6.13, there is a function for it. */
#include <linux/kvm_host.h>

#include "set_region.h"

/**
 * hook_set_region() - ioctl KVM_SET_USER_MEMORY_REGION, with arguments that user space did not give
 * @filp: file of the VM
 * @mem: the arguments; those that only KVM_SET_USER_MEMORY_REGION2 has are 0
 *
 * Stands for kvm_vm_ioctl_set_memory_region().
 *
 * Context: process of the VM, no locks held.
 * Return: what KVM says.
 */
long hook_set_region(struct file *filp, const struct kvm_userspace_memory_region2 *mem)
{
	/* What the function is told is the newer struct, or one that is its beginning. */
	const void *arg = mem;

	/* Slots of KVM's own. */
	if ((u16)mem->slot >= KVM_USER_MEM_SLOTS)
		return -EINVAL;

	return kvm_set_memory_region(filp->private_data, arg);
}
