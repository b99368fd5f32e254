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
 * enum hook_when - when a redirect is attached
 * @HOOK_ALWAYS: as long as the module is loaded
 * @HOOK_FOR_SLOTS: while any memslot of the host is bound to a file of ours
 * @HOOK_FOR_FAILURES: then, and once a guest fault has failed or memory was poisoned
 *
 * Guest faults and memslots of VMs without a guest_memfd of ours do not meet the module
 * at all while there is none on the host.
 */
enum hook_when {
	HOOK_ALWAYS,
	HOOK_FOR_SLOTS,
	HOOK_FOR_FAILURES,
};

#define X(name, served, when)				\
	DECLARE_REDIRECT(name)				\
	void hook_prove_##name(const struct canary *c);
COMPAT_HOOKS(X)
#undef X

extern bool gmem_advertise;
extern bool gmem_tsc_gate;

struct canary *canary_create(void);
void canary_destroy(struct canary *c);

int hook_detect_arch_vm_ioctl(const struct canary *c);

int hooks_detect_tsc_gate(void);
int hooks_find(enum feature feature);
int hooks_attach(unsigned long features);
int hooks_prove(enum feature feature);
int hooks_settle(void);
ssize_t hooks_list(char *buf);
void hooks_arm(void);
void hooks_disarm(void);
void hooks_remove(void);

void hooks_callback(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
		    struct ftrace_regs *fregs);
struct redirect_list hooks_of(enum hook_when when);

/* demand.c */
void demand_start(void);
int demand_stop(void);

#endif /* _GMEM_HOOKS_H */
