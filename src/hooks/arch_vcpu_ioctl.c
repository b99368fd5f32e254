// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_arch_vcpu_ioctl(): KVM_SET_TSC_KHZ on a vCPU, which is refused if the vCPU's TSC is
 * protected (6.17). KVM cannot set the frequency of such a TSC, and would compute with one that
 * the guest does not see.
 */
#include "compat/kvm_tsc.h"
#include "hooks.h"

static long arch_vcpu_ioctl_replacement(struct file *filp, unsigned int ioctl, unsigned long arg)
{
	return -EINVAL;
}

/* The field is set when the vCPU is created, and never cleared. */
static __always_inline bool arch_vcpu_ioctl_wanted(struct ftrace_regs *fregs)
{
	const struct file *filp = (void *)redirect_argument(fregs, 0);

	return (unsigned int)redirect_argument(fregs, 1) == KVM_SET_TSC_KHZ &&
	       compat_vcpu_tsc_protected(filp->private_data);
}

REDIRECT_PROTOTYPE(kvm_arch_vcpu_ioctl, arch_vcpu_ioctl_replacement);
DEFINE_REDIRECT(arch_vcpu_ioctl, "kvm_arch_vcpu_ioctl", arch_vcpu_ioctl_replacement,
		arch_vcpu_ioctl_wanted);

/* The original would load the canary as a vCPU on this CPU, which needs a real vCPU. */
void hook_prove_arch_vcpu_ioctl(const struct canary *c)
{
	redirect_prove_by_text(&redirect_arch_vcpu_ioctl);
}
