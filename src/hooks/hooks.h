/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hooks/ is where the module meets KVM: which functions of kvm.ko are redirected, when, and what
 * happens to their calls.
 *
 * There is one file for each redirected function, named after it without KVM's prefixes and
 * suffixes. Such a file has three parts: which calls the module wants, the replacement, and a
 * call that proves the redirect. What a replacement does to guest memory is in gmem/.
 * compat/kvm_hooks.h lists the functions that each kernel needs. Beside them are
 *	hooks.c		attaching, proving, arming and detaching, one group at a time
 *	demand.c	when each group is attached: by memslots and files, and by parameters
 *	canary.c	arguments for the proofs
 *	memslot.c	a memslot's way from the ioctl, through KVM, to its binding
 *	set_region.c, set_region_by_ioctl.c
 *			asking KVM for a memslot
 *
 * There is a loop: hooks.c knows every redirected function, and one of these functions, by way
 * of memslot.c, asks demand.c to attach others. It cannot be avoided, but stays within this
 * folder: no lower layer includes this header.
 */
#ifndef _GMEM_HOOKS_H
#define _GMEM_HOOKS_H

#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/xarray.h>
#include <uapi/kvm_gmem_numa.h>

#include "../features.h"
#include "../redirect/redirect.h"
#include "compat/kvm_hooks.h"

/**
 * struct canary - arguments for the calls that prove the redirects
 * @kvm: a VM, all zero except for its locks
 * @vcpu: a vCPU of @kvm, all zero except for @kvm and @mmu
 * @mmu: the vCPU's MMU
 * @slot: a memslot, all zero
 * @filp: an open file whose private_data is @kvm
 *
 * If a redirect does not fire, the original runs with these arguments. Each proof chooses them so
 * that the original returns early and touches nothing else.
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
 *	ours. As long as there is none, guest faults and memslots of all VMs on the host bypass
 *	the module
 * @HOOKS_FOR_HUGE_SLOTS: for FEATURE_HUGE_MAPPINGS, while any memslot of the host is bound to a
 *	file of ours that can have folios of 2 MiB
 * @HOOKS_FOR_PRIVATE_PAGES: for FEATURE_PRIVATE_POLICY, while any VM of the host has a guest_memfd
 *	for private memory that was created while @HOOKS_FOR_PRIVATE_FILES were attached
 * @HOOKS_FOR_FILES: for FEATURE_GUEST_MEMFD, as long as the module is loaded
 * @HOOKS_FOR_PRIVATE_FILES: for FEATURE_PRIVATE_POLICY, while the parameter private_policy is set
 * @HOOKS_ADVERTISE: for FEATURE_GUEST_MEMFD, while the parameter advertise is set
 * @HOOKS_TSC_VM_GATE: for FEATURE_TSC_VM_GATE, while the parameter tsc_gate is set
 * @HOOKS_TSC_VCPU_GATE: for FEATURE_TSC_VCPU_GATE, while the parameter tsc_gate is set
 * @HOOK_GROUPS: how many groups there are
 *
 * A new group also needs its feature, callback and ftrace_ops in hooks.c, and in demand.c the
 * condition under which it is attached.
 */
enum hook_group {
	HOOKS_FOR_SLOTS,
	HOOKS_FOR_HUGE_SLOTS,
	HOOKS_FOR_PRIVATE_PAGES,
	HOOKS_FOR_FILES,
	HOOKS_FOR_PRIVATE_FILES,
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

/* hooks.c */
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

/* demand.c */
extern bool gmem_tsc_gate, gmem_private_policy;
extern unsigned int demand_users[HOOK_GROUPS];

/**
 * demand_has_slots() - is any memslot bound, or about to be, of any VM?
 *
 * For redirects' wanted(): inline, and calls no other function.
 */
static __always_inline bool demand_has_slots(void)
{
	return READ_ONCE(demand_users[HOOKS_FOR_SLOTS]);
}

/**
 * demand_places_private_pages() - is the parameter private_policy set?
 *
 * For redirects' wanted(): inline, and calls no other function. The redirects for private pages
 * stay attached while the parameter is not set, because files that exist would not be known when
 * it is set again.
 */
static __always_inline bool demand_places_private_pages(void)
{
	return READ_ONCE(gmem_private_policy);
}

int demand_load(enum feature feature);
void demand_start(void);
void demand_stop(void);
int demand_get(enum hook_group group, const char *what);
void demand_put(enum hook_group group);

/* canary.c */
struct canary *canary_create(void);
void canary_destroy(struct canary *c);

/* memslot.c */
extern struct xarray memslot_requests;

/**
 * memslot_any_requested() - is any task binding a memslot?
 *
 * For redirects' wanted(): inline, and calls no other function.
 */
static __always_inline bool memslot_any_requested(void)
{
	return rcu_access_pointer(memslot_requests.xa_head);
}

long memslot_set(struct file *filp, const struct kvm_userspace_memory_region2 *mem);
bool memslot_requested(void);
struct file *memslot_file(struct kvm *kvm, const struct kvm_memory_slot *slot);
int memslot_bind(struct kvm_memory_slot *slot, struct file *file);
bool memslot_changes_bound(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem);

/* set_region.c or set_region_by_ioctl.c */
long hook_set_region(struct file *filp, const struct kvm_userspace_memory_region2 *mem);

/* gmem_release.c */
bool hook_is_guest_memfd(const struct file *file);

/* arch_vm_ioctl.c */
int hook_detect_arch_vm_ioctl(const struct canary *c);

#endif /* _GMEM_HOOKS_H */
