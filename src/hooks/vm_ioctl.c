// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_vm_ioctl(): KVM_CREATE_GUEST_MEMFD, and the two ioctls that set a memslot, on a VM without
 * private memory.
 *
 * It would be more direct to redirect the functions that the ioctl calls, but compilers take them
 * apart: GCC 12 makes a .part.0 of __kvm_set_memory_region() in 6.8, which the ioctl calls, so a
 * redirect of the function would be bypassed. kvm_vm_ioctl() is in a table of file operations,
 * and stays whole.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "../gmem/gmem.h"
#include "hooks.h"

static long vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg);

/*
 * The original answers a process other than the VM's. It also serves the older of the two ioctls
 * that set a memslot, as long as there is no bound slot which that ioctl could change.
 */
static __always_inline bool vm_ioctl_wanted(struct ftrace_regs *fregs)
{
	unsigned int ioctl = redirect_argument(fregs, 1);
	const struct file *filp;
	struct kvm *kvm;

	if (ioctl != KVM_CREATE_GUEST_MEMFD && ioctl != KVM_SET_USER_MEMORY_REGION2 &&
	    !(ioctl == KVM_SET_USER_MEMORY_REGION && demand_has_slots()))
		return false;

	filp = (void *)redirect_argument(fregs, 0);
	kvm = filp->private_data;
	return kvm->mm == current->mm && !kvm_arch_has_private_mem(kvm);
}

/* No header declares the function, but KVM puts it into a table, whose field has its type. */
REDIRECT_PROTOTYPE(*((const struct file_operations *)NULL)->unlocked_ioctl, vm_ioctl_replacement);
DEFINE_REDIRECT_BY_ADDRESS(vm_ioctl, "kvm_vm_ioctl", vm_ioctl_replacement, vm_ioctl_wanted);

/*
 * A file without flags is KVM's own, where KVM has such files. It can be created for any VM, and
 * bound to no VM that comes here.
 */
static long create_guest_memfd(struct file *filp, unsigned long arg)
{
	struct kvm_create_guest_memfd args;
	long r = -ENOTTY;

	if (copy_from_user(&args, (void __user *)arg, sizeof(args)))
		return -EFAULT;

	if (!args.flags)
		r = redirect_original(vm_ioctl)(filp, KVM_CREATE_GUEST_MEMFD, arg);
	if (r == -ENOTTY)
		r = gmem_create(filp->private_data, &args);
	return r;
}

/*
 * From 6.18 on, KVM has guest_memfds of its own for such VMs. So KVM is asked first about every
 * file that is not ours, and about deletions, in which no file has a part. Earlier kernels
 * refuse the flag. That is the right answer, but other errors have precedence, and memslot_set()
 * knows those.
 */
static long set_flagged_region(struct file *filp, unsigned long arg,
			       const struct kvm_userspace_memory_region2 *mem)
{
	long r = -EINVAL;

	/*
	 * KVM of 6.18 compares signed numbers here, and binds beyond the end (eba85fee7fc6,
	 * 7.2).
	 */
	if (mem->memory_size && mem->guest_memfd_offset + mem->memory_size > S64_MAX)
		return -EINVAL;

	if (!mem->memory_size || !gmem_fd_is_ours(mem->guest_memfd))
		r = redirect_original(vm_ioctl)(filp, KVM_SET_USER_MEMORY_REGION2, arg);
	if (r == -EINVAL || r == -ENOTTY)
		r = memslot_set(filp, mem);
	return r;
}

/* The older ioctl has no such flag, and its struct is the beginning of the newer one's. */
static long set_memory_region(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm_userspace_memory_region2 mem = {};
	bool newer = ioctl == KVM_SET_USER_MEMORY_REGION2;
	size_t size = newer ? sizeof(mem) : sizeof(struct kvm_userspace_memory_region);
	long r;

	if (copy_from_user(&mem, (void __user *)arg, size))
		return -EFAULT;

	if (newer && (mem.flags & KVM_MEM_GUEST_MEMFD))
		return set_flagged_region(filp, arg, &mem);

	/* prepare_memory_region.c refuses this as well, but only after KVM's test for overlaps. */
	if (demand_has_slots() && memslot_changes_bound(filp->private_data, &mem))
		return -EINVAL;

	r = redirect_original(vm_ioctl)(filp, ioctl, arg);
	/* Kernels from before guest_memfd have the older ioctl only. */
	if (r == -ENOTTY && newer)
		r = redirect_original(vm_ioctl)(filp, KVM_SET_USER_MEMORY_REGION, arg);
	return r;
}

static long vm_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm *kvm = filp->private_data;

	if (kvm->vm_dead)
		return -EIO;
	if (ioctl == KVM_CREATE_GUEST_MEMFD)
		return create_guest_memfd(filp, arg);
	return set_memory_region(filp, ioctl, arg);
}

/*
 * The module is held by a reference, and not by SRCU alone: user space can put the arguments
 * where reading them takes as long as it likes, and an unload must then be refused instead of
 * hanging. If the unload has already begun, the system call is restarted until it finds the
 * redirect gone. Calling the original in that case would not help: then the original would wait
 * for user space in our place.
 */
static long vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	int idx = redirect_enter();
	long r;

	if (try_module_get(THIS_MODULE)) {
		r = vm_ioctl(filp, ioctl, arg);
		module_put(THIS_MODULE);
	} else {
		r = restart_syscall();
	}

	redirect_exit(idx);
	return r;
}

/* The VM belongs to another process, so the original returns -EIO. */
void hook_prove_vm_ioctl(const struct canary *c)
{
	redirect_entry(vm_ioctl)(c->filp, 0, 0);
}
