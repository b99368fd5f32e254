// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_arch_vm_ioctl(): KVM_SET_TSC_KHZ on a VM, which is refused once the VM
 * has a vCPU (dcbe5a466c12, 6.17). It sets the frequency of vCPUs to come;
 * later it would leave the VM with vCPUs that differ.
 */
#include "hooks.h"

static int vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg);

static __always_inline bool vm_ioctl_wanted(struct ftrace_regs *fregs)
{
	return (unsigned int)redirect_argument(fregs, 1) == KVM_SET_TSC_KHZ &&
	       READ_ONCE(gmem_tsc_gate);
}

DEFINE_REDIRECT(vm_ioctl, "kvm_arch_vm_ioctl", vm_ioctl_replacement, vm_ioctl_wanted);

/*
 * KVM_CREATE_VCPU counts created_vcpus under kvm->lock before the vCPU takes
 * the frequency over, so holding it across check and change leaves no gap. The
 * original does not take it here.
 */
static int vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	struct kvm *kvm = filp->private_data;
	int idx = redirect_enter();
	int r = -EINVAL;

	mutex_lock(&kvm->lock);
	if (!kvm->created_vcpus)
		r = redirect_original(vm_ioctl)(filp, ioctl, arg);
	mutex_unlock(&kvm->lock);

	redirect_exit(idx);
	return r;
}

/* An ioctl that KVM does not know: -ENOTTY. */
void hook_prove_vm_ioctl(const struct canary *c)
{
	redirect_original(vm_ioctl)(c->filp, 0, 0);
}
