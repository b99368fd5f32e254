// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks a vCPU as one whose TSC is protected, as KVM does for TDX guests and SEV-SNP guests with
 * Secure TSC, which QEMU cannot emulate. The vCPU is named by its descriptor, by the process that
 * has it open.
 */
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/module.h>

static int vcpu_set(const char *val, const struct kernel_param *kp)
{
	struct kvm_vcpu *vcpu;
	struct file *file;
	int fd, err;

	err = kstrtoint(val, 0, &fd);
	if (err)
		return err;

	file = fget(fd);
	if (!file)
		return -EBADF;

	vcpu = file->private_data;
	vcpu->arch.guest_tsc_protected = true;
	fput(file);
	return 0;
}

static const struct kernel_param_ops vcpu_ops = {
	.set = vcpu_set,
};

module_param_cb(vcpu, &vcpu_ops, NULL, 0200);
MODULE_DESCRIPTION("Test: a vCPU whose TSC is protected");
MODULE_LICENSE("GPL");
