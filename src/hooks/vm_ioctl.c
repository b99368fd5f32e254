// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_arch_vm_ioctl(): the ioctls of a VM that are the architecture's, and those
 * that KVM does not know.
 *
 * KVM_SET_TSC_KHZ is refused once the VM has a vCPU (dcbe5a466c12, 6.17). It
 * sets the frequency of vCPUs to come; later it would leave the VM with vCPUs that
 * differ.
 *
 * KVM_CREATE_GUEST_MEMFD arrives here only if kvm.ko was built without it, see
 * compat/kvm_hooks.h.
 */
#include <linux/uaccess.h>

#include "../gmem/gmem.h"
#include "hooks.h"

static int vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg);

static __always_inline bool vm_ioctl_wanted(struct ftrace_regs *fregs)
{
	switch ((unsigned int)redirect_argument(fregs, 1)) {
	case KVM_SET_TSC_KHZ:
		return feature_is_ours(FEATURE_TSC_VM_GATE) && READ_ONCE(gmem_tsc_gate);
	case KVM_CREATE_GUEST_MEMFD:
		return feature_is_ours(FEATURE_GUEST_MEMFD);
	default:
		return false;
	}
}

REDIRECT_PROTOTYPE(kvm_arch_vm_ioctl, vm_ioctl_replacement);
DEFINE_REDIRECT(vm_ioctl, "kvm_arch_vm_ioctl", vm_ioctl_replacement, vm_ioctl_wanted);

/*
 * KVM_CREATE_VCPU counts created_vcpus under kvm->lock before the vCPU takes
 * the frequency over, so holding it across check and change leaves no gap. The
 * original does not take it here.
 */
static int set_tsc_khz(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm *kvm = filp->private_data;
	int r = -EINVAL;

	mutex_lock(&kvm->lock);
	if (!kvm->created_vcpus)
		r = redirect_original(vm_ioctl)(filp, ioctl, arg);
	mutex_unlock(&kvm->lock);
	return r;
}

/* A file without flags would be KVM's own, which has none to give. */
static int create_guest_memfd(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm_create_guest_memfd args;

	if (!feature_is_ours(FEATURE_GUEST_MEMFD))
		return -ENOTTY;
	if (copy_from_user(&args, (void __user *)arg, sizeof(args)))
		return -EFAULT;
	if (!args.flags)
		return redirect_original(vm_ioctl)(filp, ioctl, arg);
	return gmem_create(filp->private_data, &args);
}

static int vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	int idx = redirect_enter();
	int r;

	if (ioctl == KVM_SET_TSC_KHZ)
		r = set_tsc_khz(filp, ioctl, arg);
	else
		r = create_guest_memfd(filp, ioctl, arg);

	redirect_exit(idx);
	return r;
}

/* An ioctl that KVM does not know: -ENOTTY. */
void hook_prove_vm_ioctl(const struct canary *c)
{
	redirect_original(vm_ioctl)(c->filp, 0, 0);
}

/**
 * hook_detect_vm_ioctl() - ask KVM itself whether it refuses KVM_SET_TSC_KHZ
 * @c: a canary; is taken to have a vCPU from now on
 *
 * Frequency 0 stands for that of the host, which KVM never finds too high. All
 * that changes is a field of the canary.
 *
 * Return: 1 if it refuses, 0 if not; -ENOENT or -EINVAL after one line that says
 *	   what is wrong.
 */
int hook_detect_vm_ioctl(const struct canary *c)
{
	int r = redirect_find(&redirect_vm_ioctl);

	if (r)
		return r;

	c->kvm->created_vcpus = 1;
	r = redirect_original(vm_ioctl)(c->filp, KVM_SET_TSC_KHZ, 0);
	if (r && r != -EINVAL) {
		feature_refused("kvm_arch_vm_ioctl answers KVM_SET_TSC_KHZ with %d; this kernel build is not supported\n",
				r);
		return -EINVAL;
	}
	return r == -EINVAL;
}
