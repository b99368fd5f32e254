// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_vm_ioctl(): KVM_CREATE_GUEST_MEMFD, and the two that set a memslot, on a VM
 * without private memory.
 *
 * The functions behind it would be nearer, but compilers take them apart: GCC 12
 * makes a .part.0 of __kvm_set_memory_region() in 6.8, and the ioctl enters that,
 * past the redirect. This one is in a table of file operations, and whole.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "../gmem/gmem.h"
#include "demand.h"
#include "hooks.h"
#include "set_region.h"

static long vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg);

/*
 * For another process than the VM's, the original has the answer; and to the older of the two
 * that set a memslot, while there is none that it could change under us.
 */
static __always_inline bool vm_ioctl_wanted(struct ftrace_regs *fregs)
{
	unsigned int ioctl = redirect_argument(fregs, 1);
	const struct file *filp;
	struct kvm *kvm;

	if (ioctl != KVM_CREATE_GUEST_MEMFD && ioctl != KVM_SET_USER_MEMORY_REGION2 &&
	    !(ioctl == KVM_SET_USER_MEMORY_REGION && hooks_have_slots()))
		return false;

	filp = (void *)redirect_argument(fregs, 0);
	kvm = filp->private_data;
	return kvm->mm == current->mm && !kvm_arch_has_private_mem(kvm);
}

/* No header declares it: KVM has it in a table, which only takes this type. */
REDIRECT_PROTOTYPE(*((const struct file_operations *)NULL)->unlocked_ioctl, vm_ioctl_replacement);
DEFINE_REDIRECT(vm_ioctl, "kvm_vm_ioctl", vm_ioctl_replacement, vm_ioctl_wanted);

/*
 * A file without flags is KVM's own, if KVM has such files at all. It can be
 * created for any VM, and bound to none that comes here.
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

/* KVM is asked for an ordinary slot; prepare_memory_region.c then finds the request. */
static long set_bound_region(struct file *filp, const struct kvm_userspace_memory_region2 *mem)
{
	const struct kvm_userspace_memory_region2 plain = {
		.slot = mem->slot,
		.guest_phys_addr = mem->guest_phys_addr,
		.memory_size = mem->memory_size,
		.userspace_addr = mem->userspace_addr,
	};
	struct kvm *kvm = filp->private_data;
	struct gmem_bind_request req;
	long r = gmem_region_check(kvm, mem);

	if (r || !mem->memory_size)
		return r ?: hook_set_region(filp, &plain);

	r = hooks_get_slots();
	if (r)
		return r;

	r = gmem_bind_request_begin(&req, kvm, mem);
	r = r ?: hook_set_region(filp, &plain);
	gmem_bind_request_end();
	/* Else it is the slot's, until free_memslot.c. */
	if (!req.served)
		hooks_put_slots();

	/* Nothing was new about the slot: somebody else has just made it. */
	return r ?: req.served ? 0 : -EINVAL;
}

/*
 * From 6.18 on, KVM has guest_memfds of its own for such VMs, and is asked about
 * every file that is not ours, and about deletions, which no file has part in. Earlier
 * it refuses the flag, which is the right answer, but comes ahead of others that should.
 */
static long set_flagged_region(struct file *filp, unsigned long arg,
			       const struct kvm_userspace_memory_region2 *mem)
{
	long r = -EINVAL;

	/* KVM of 6.18 takes it for negative, and binds behind the end (eba85fee7fc6, 7.2). */
	if (mem->memory_size && mem->guest_memfd_offset + mem->memory_size > S64_MAX)
		return -EINVAL;

	if (!mem->memory_size || !gmem_region_names_our_file(mem))
		r = redirect_original(vm_ioctl)(filp, KVM_SET_USER_MEMORY_REGION2, arg);
	if (r == -EINVAL || r == -ENOTTY)
		r = set_bound_region(filp, mem);
	return r;
}

/* The older ioctl has no such flag, and a struct that is the beginning of the newer's. */
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

	/* prepare_memory_region.c refuses it too, but only once it is known to overlap nothing. */
	if (hooks_have_slots() && gmem_region_changes_bound_slot(filp->private_data, &mem))
		return -EINVAL;

	r = redirect_original(vm_ioctl)(filp, ioctl, arg);
	/* Kernels from before guest_memfd have but the older ioctl. */
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
 * The module is held, not only waited for: the arguments may be where user space can keep
 * us waiting for them, and an unload is to be refused then, not to hang. Once it is on its way
 * out, the call is made again, until it goes past us: the original would wait in our stead.
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

/* The VM is another process's: -EIO. */
void hook_prove_vm_ioctl(const struct canary *c)
{
	redirect_entry(vm_ioctl)(c->filp, 0, 0);
}
