// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asking KVM for a memslot, from 6.14 on, where compilers inline or split KVM's function for it.
 * So the ioctl itself is called, with arguments that are put into user space for the time of the
 * call. Another thread of the process can change them there, but gains only what it could ask
 * for itself, because memslot_file() compares the slot with the request. The thread can also
 * make the page stay behind, or keep the call waiting.
 */
#include <linux/err.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#include "hooks.h"

DECLARE_REDIRECT_ORIGINAL(vm_ioctl, long (struct file *, unsigned int, unsigned long));

/**
 * hook_set_region() - KVM_SET_USER_MEMORY_REGION with arguments of the module's own
 * @filp: file of the VM
 * @mem: the arguments; the fields that only KVM_SET_USER_MEMORY_REGION2 has are 0
 *
 * Context: process of the VM, no locks held.
 * Return: KVM's result; also -ENOMEM if the process has no room for one more mapping.
 */
long hook_set_region(struct file *filp, const struct kvm_userspace_memory_region2 *mem)
{
	unsigned long arg;
	long r = -ENOMEM;

	arg = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(arg))
		return -ENOMEM;

	if (!copy_to_user((void __user *)arg, mem, sizeof(struct kvm_userspace_memory_region)))
		r = redirect_original(vm_ioctl)(filp, KVM_SET_USER_MEMORY_REGION, arg);

	vm_munmap(arg, PAGE_SIZE);
	return r;
}
