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

#define X(name, served)				\
	extern struct redirect redirect_##name;		\
	void hook_prove_##name(const struct canary *c);
COMPAT_HOOKS(X)
#undef X

extern bool gmem_advertise;
extern bool gmem_tsc_gate;

struct canary *canary_create(void);
void canary_destroy(struct canary *c);

int hook_detect_arch_vm_ioctl(const struct canary *c);

int hooks_detect_tsc_gate(void);
int hooks_install(enum feature feature);
int hooks_prove(enum feature feature);
ssize_t hooks_list(char *buf);
void hooks_arm(void);
void hooks_disarm(void);
void hooks_remove(void);

#endif /* _GMEM_HOOKS_H */
