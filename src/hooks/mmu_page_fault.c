// SPDX-License-Identifier: GPL-2.0-only
/* kvm_mmu_page_fault(): a guest fault, of whichever kind; see gmem/fault_errno.c. */
#include "../gmem/gmem.h"
#include "hooks.h"

static int mmu_page_fault_replacement(struct kvm_vcpu *vcpu, gpa_t cr2_or_gpa, u64 error_code,
				      void *insn, int insn_len);

static __always_inline bool mmu_page_fault_wanted(struct ftrace_regs *fregs)
{
	const struct kvm_vcpu *vcpu = (void *)redirect_argument(fregs, 0);

	return gmem_fault_scope_wanted(vcpu->kvm);
}

REDIRECT_PROTOTYPE(kvm_mmu_page_fault, mmu_page_fault_replacement);
DEFINE_REDIRECT(mmu_page_fault, "kvm_mmu_page_fault", mmu_page_fault_replacement,
		mmu_page_fault_wanted);

static int mmu_page_fault_replacement(struct kvm_vcpu *vcpu, gpa_t cr2_or_gpa, u64 error_code,
				      void *insn, int insn_len)
{
	int idx = redirect_enter();
	struct gmem_fault_scope scope;
	int r = 1; /* back into the guest, which faults again, and past us before long */

	if (gmem_fault_scope_begin(&scope)) {
		r = redirect_original(mmu_page_fault)(vcpu, cr2_or_gpa, error_code, insn, insn_len);
		r = gmem_fault_scope_end(&scope, r);
	}
	redirect_exit(idx);
	return r;
}

static int canary_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	return -ECANCELED;
}

/* KVM hands the fault to the MMU, and passes its error on. */
void hook_prove_mmu_page_fault(const struct canary *c)
{
	c->mmu->page_fault = canary_page_fault;
	redirect_original(mmu_page_fault)(c->vcpu, 0, 0, NULL, 0);
}
