// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_arch_vm_ioctl(): KVM_SET_TSC_KHZ on a VM, which is refused once the VM has a vCPU
 * (dcbe5a466c12, 6.17). The ioctl sets the frequency of vCPUs that are created later, so a VM that
 * already has vCPUs would end up with different frequencies.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>

#include "../log.h"
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
 * KVM_CREATE_VCPU increments created_vcpus under kvm->lock before the vCPU takes over the
 * frequency. Holding that lock across check and change therefore leaves no gap. The original
 * does not take it for this ioctl.
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
 * The module is held by a reference, as in vm_ioctl.c: a task that holds kvm->lock may be
 * waiting for user space, and the current task waits for that task.
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

/* KVM does not know ioctl 0, and returns -ENOTTY. */
void hook_prove_arch_vm_ioctl(const struct canary *c)
{
	redirect_entry(arch_vm_ioctl)(c->filp, 0, 0);
}

/**
 * hook_detect_arch_vm_ioctl() - ask KVM itself whether it refuses KVM_SET_TSC_KHZ
 * @c: a canary, which counts as a VM with a vCPU from now on
 *
 * Frequency 0 stands for that of the host, which KVM never finds too high. The call changes
 * nothing but a field of the canary.
 *
 * Return: 1 if KVM refuses, 0 if it does not; -ENOENT or -EINVAL after one line in the log that
 *	   says what is wrong.
 */
int hook_detect_arch_vm_ioctl(const struct canary *c)
{
	const struct redirect_list list = { 1, { &redirect_arch_vm_ioctl } };
	int r = redirects_find(&list, LOAD_REFUSED);

	if (r)
		return r;

	c->kvm->created_vcpus = 1;
	r = redirect_entry(arch_vm_ioctl)(c->filp, KVM_SET_TSC_KHZ, 0);
	if (r && r != -EINVAL) {
		log_refused(LOAD_REFUSED,
			    "kvm answers KVM_SET_TSC_KHZ with %d, which is not known\n",
			    r);
		return -EINVAL;
	}
	return r == -EINVAL;
}
