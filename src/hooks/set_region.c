// SPDX-License-Identifier: GPL-2.0-only
/* Asking KVM for a memslot, until 6.13, where KVM has a function that can be called for it. */
#include <linux/kvm_host.h>

#include "hooks.h"

/**
 * hook_set_region() - KVM_SET_USER_MEMORY_REGION with arguments of the module's own
 * @filp: file of the VM
 * @mem: the arguments; the fields that only KVM_SET_USER_MEMORY_REGION2 has are 0
 *
 * Stands for kvm_vm_ioctl_set_memory_region().
 *
 * Context: process of the VM, no locks held.
 * Return: KVM's result.
 */
long hook_set_region(struct file *filp, const struct kvm_userspace_memory_region2 *mem)
{
	/* The function takes the newer struct, or the older one, which is its beginning. */
	const void *arg = mem;

	/* These are KVM's internal slots. */
	if ((u16)mem->slot >= KVM_USER_MEM_SLOTS)
		return -EINVAL;

	return kvm_set_memory_region(filp->private_data, arg);
}
