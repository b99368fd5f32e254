// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_arch_vm_ioctl(): KVM_SET_TSC_KHZ on a VM, which is refused once the VM
 * has a vCPU (dcbe5a466c12, 6.17). It sets the frequency of vCPUs to come;
 * later it would leave the VM with vCPUs that differ.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "compat/kvm_ioctl.h"
#include "hooks.h"

static COMPAT_ARCH_VM_IOCTL_TYPE
arch_vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg);

static __always_inline bool arch_vm_ioctl_wanted(struct ftrace_regs *fregs)
{
	return (unsigned int)redirect_argument(fregs, 1) == KVM_SET_TSC_KHZ;
}

REDIRECT_PROTOTYPE(kvm_arch_vm_ioctl, arch_vm_ioctl_replacement);
DEFINE_REDIRECT(arch_vm_ioctl, "kvm_arch_vm_ioctl", arch_vm_ioctl_replacement,
		arch_vm_ioctl_wanted);

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
		r = redirect_original(arch_vm_ioctl)(filp, ioctl, arg);
	mutex_unlock(&kvm->lock);
	return r;
}

/*
 * The module is held, as in vm_ioctl.c: who has kvm->lock may wait for his arguments, and we
 * for him.
 */
static COMPAT_ARCH_VM_IOCTL_TYPE
arch_vm_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	int idx = redirect_enter();
	int r;

	if (try_module_get(THIS_MODULE)) {
		r = set_tsc_khz(filp, ioctl, arg);
		module_put(THIS_MODULE);
	} else {
		r = restart_syscall();
	}

	redirect_exit(idx);
	return r;
}

/* An ioctl that KVM does not know: -ENOTTY. */
void hook_prove_arch_vm_ioctl(const struct canary *c)
{
	redirect_entry(arch_vm_ioctl)(c->filp, 0, 0);
}

/**
 * hook_detect_arch_vm_ioctl() - ask KVM itself whether it refuses KVM_SET_TSC_KHZ
 * @c: a canary; is taken to have a vCPU from now on
 *
 * Frequency 0 stands for that of the host, which KVM never finds too high. All
 * that changes is a field of the canary.
 *
 * Return: 1 if it refuses, 0 if not; -ENOENT or -EINVAL after one line that says
 *	   what is wrong.
 */
int hook_detect_arch_vm_ioctl(const struct canary *c)
{
	const struct redirect_list list = { 1, { &redirect_arch_vm_ioctl } };
	int r = redirects_find(&list);

	if (r)
		return r;

	c->kvm->created_vcpus = 1;
	r = redirect_entry(arch_vm_ioctl)(c->filp, KVM_SET_TSC_KHZ, 0);
	if (r && r != -EINVAL) {
		feature_refused("kvm answers KVM_SET_TSC_KHZ with %d, which is not known\n", r);
		return -EINVAL;
	}
	return r == -EINVAL;
}
