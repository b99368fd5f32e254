/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of kvm.ko that are redirected, one per file here.
 *
 * Each file has three parts: which calls are ours, what happens to them, and a
 * call for the proof. The work itself is done elsewhere, in gmem/. Which of them
 * a kernel needs, and in which order, is in compat/kvm_hooks.h.
 */
#ifndef _GMEM_HOOKS_H
#define _GMEM_HOOKS_H

#include <linux/fs.h>
#include <linux/kvm_host.h>

#include "../features.h"
#include "../redirect/redirect.h"
#include "compat/kvm_hooks.h"

/**
 * struct canary - arguments for the calls that prove the redirects
 * @kvm: a VM, all zero but for what its locks need
 * @vcpu: a vCPU of it, likewise
 * @mmu: its MMU
 * @slot: a memslot, all zero
 * @filp: an open file whose private_data is @kvm
 *
 * A redirect that does not fire lets the original run on these. Each proof
 * chooses its arguments so that the original returns early and touches nothing
 * else.
 */
struct canary {
	struct kvm *kvm;
	struct kvm_vcpu *vcpu;
	struct kvm_mmu *mmu;
	struct kvm_memory_slot *slot;
	struct file *filp;
};

/**
 * enum hook_group - redirects that are attached and detached together
 * @HOOKS_FOR_SLOTS: for FEATURE_GUEST_MEMFD, while any memslot of the host is bound to a file of
 *	ours. Guest faults and memslots of VMs without one do not meet the module while there is
 *	none on the host
 * @HOOKS_FOR_FILES: for FEATURE_GUEST_MEMFD, as long as the module is loaded
 * @HOOKS_ADVERTISE: for FEATURE_GUEST_MEMFD, while the parameter advertise is set
 * @HOOKS_TSC_VM_GATE: for FEATURE_TSC_VM_GATE, while the parameter tsc_gate is set
 * @HOOKS_TSC_VCPU_GATE: for FEATURE_TSC_VCPU_GATE, likewise
 * @HOOK_GROUPS: how many there are
 */
enum hook_group {
	HOOKS_FOR_SLOTS,
	HOOKS_FOR_FILES,
	HOOKS_ADVERTISE,
	HOOKS_TSC_VM_GATE,
	HOOKS_TSC_VCPU_GATE,
	HOOK_GROUPS,
};

#define X(name, group)					\
	DECLARE_REDIRECT(name)				\
	void hook_prove_##name(const struct canary *c);
COMPAT_HOOKS(X)
#undef X

struct canary *canary_create(void);
void canary_destroy(struct canary *c);

int hook_detect_arch_vm_ioctl(const struct canary *c);

int hooks_detect_tsc_gate(void);
int hooks_find(enum feature feature);
enum feature hooks_feature(enum hook_group group);
int hooks_attach(enum hook_group group, const char *what);
int hooks_detach(enum hook_group group);
const char *hooks_traced(enum hook_group group);
ssize_t hooks_list(char *buf);
void hooks_arm(void);
void hooks_disarm(void);
void hooks_remove(void);

#endif /* _GMEM_HOOKS_H */
