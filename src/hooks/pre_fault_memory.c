// SPDX-License-Identifier: GPL-2.0-only
/* kvm_arch_vcpu_pre_fault_memory(): ioctl KVM_PRE_FAULT_MEMORY; see gmem/fault_errno.c. */
#include <linux/sched/signal.h>

#include "../gmem/gmem.h"
#include "hooks.h"

static long pre_fault_memory_replacement(struct kvm_vcpu *vcpu,
					 struct kvm_pre_fault_memory *range);

static __always_inline bool pre_fault_memory_wanted(struct ftrace_regs *fregs)
{
	const struct kvm_vcpu *vcpu = (void *)redirect_argument(fregs, 0);

	return gmem_fault_scope_wanted(vcpu->kvm);
}

REDIRECT_PROTOTYPE(kvm_arch_vcpu_pre_fault_memory, pre_fault_memory_replacement);
DEFINE_REDIRECT(pre_fault_memory, "kvm_arch_vcpu_pre_fault_memory",
		pre_fault_memory_replacement, pre_fault_memory_wanted);

static long pre_fault_memory_replacement(struct kvm_vcpu *vcpu,
					 struct kvm_pre_fault_memory *range)
{
	int idx = redirect_enter();
	struct gmem_fault_scope scope;
	long r;

	if (gmem_fault_scope_begin(&scope)) {
		r = redirect_original(pre_fault_memory)(vcpu, range);
		r = gmem_fault_scope_end(&scope, r);
	} else {
		r = restart_syscall();
	}
	redirect_exit(idx);
	return r;
}

/* pre_fault_allowed is not set: -EOPNOTSUPP. */
void hook_prove_pre_fault_memory(const struct canary *c)
{
	struct kvm_pre_fault_memory range = {};

	redirect_original(pre_fault_memory)(c->vcpu, &range);
}
