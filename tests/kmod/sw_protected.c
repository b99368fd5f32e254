// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs of the type KVM_X86_SW_PROTECTED_VM on kernels that are built without it, as distributions'
 * are. Whether an access of such a guest is to private memory follows from the page's attribute,
 * where SEV-SNP and TDX have the hardware say so; all else is the code of kernels that have the
 * type. So a guest runs on private memory, and upstream's tests of that run.
 */
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/module.h>

/* KVM makes a VM of the default type, and does not get to see that it was asked for another. */
static int init_vm_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kvm **kvm = (void *)ri->data;

	*kvm = (void *)regs->di;
	if (regs->si != KVM_X86_SW_PROTECTED_VM)
		return 1;
	regs->si = KVM_X86_DEFAULT_VM;
	return 0;
}

static int init_vm_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct kvm *kvm = *(struct kvm **)ri->data;

	if (!regs_return_value(regs)) {
		kvm->arch.vm_type = KVM_X86_SW_PROTECTED_VM;
		kvm->arch.has_private_mem = true;
	}
	return 0;
}

static struct kretprobe init_vm = {
	.kp.symbol_name = "kvm_arch_init_vm",
	.entry_handler = init_vm_entry,
	.handler = init_vm_return,
	.data_size = sizeof(struct kvm *),
};

static int capability_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return (int)regs->si != KVM_CAP_VM_TYPES;
}

static int capability_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	regs->ax |= BIT(KVM_X86_SW_PROTECTED_VM);
	return 0;
}

static struct kretprobe capability = {
	.kp.symbol_name = "kvm_vm_ioctl_check_extension",
	.entry_handler = capability_entry,
	.handler = capability_return,
};

/* Faults with reserved bits are MMIO, which is always shared. */
static int page_fault_entry(struct kprobe *kp, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (void *)regs->di;

	if (vcpu->kvm->arch.vm_type == KVM_X86_SW_PROTECTED_VM && !(regs->dx & PFERR_RSVD_MASK) &&
	    kvm_mem_is_private(vcpu->kvm, gpa_to_gfn(regs->si)))
		regs->dx |= PFERR_PRIVATE_ACCESS;
	return 0;
}

static struct kprobe page_fault = {
	.symbol_name = "kvm_mmu_page_fault",
	.pre_handler = page_fault_entry,
};

static int __init sw_protected_init(void)
{
	int err;

	if (IS_ENABLED(CONFIG_KVM_SW_PROTECTED_VM))
		return -EEXIST;

	err = register_kretprobe(&init_vm);
	if (err)
		return err;
	err = register_kretprobe(&capability);
	if (err)
		goto err_capability;
	err = register_kprobe(&page_fault);
	if (err)
		goto err_page_fault;
	return 0;

err_page_fault:
	unregister_kretprobe(&capability);
err_capability:
	unregister_kretprobe(&init_vm);
	return err;
}

/* VMs of this type must be gone. */
static void __exit sw_protected_exit(void)
{
	unregister_kprobe(&page_fault);
	unregister_kretprobe(&capability);
	unregister_kretprobe(&init_vm);
}

module_init(sw_protected_init);
module_exit(sw_protected_exit);
MODULE_DESCRIPTION("Test: software-protected VMs on kernels that are built without them");
MODULE_LICENSE("GPL");
