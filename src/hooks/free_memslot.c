// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_arch_free_memslot(): frees a memslot's metadata, right before KVM frees the slot. KVM
 * calls it for a deleted slot, with slots_lock held, and when a VM is destroyed.
 */
#include "../gmem/gmem.h"
#include "hooks.h"

static void free_memslot_replacement(struct kvm *kvm, struct kvm_memory_slot *slot);

static __always_inline bool free_memslot_wanted(struct ftrace_regs *fregs)
{
	return gmem_slot_is_bound((void *)redirect_argument(fregs, 1));
}

REDIRECT_PROTOTYPE(kvm_arch_free_memslot, free_memslot_replacement);
DEFINE_REDIRECT(free_memslot, "kvm_arch_free_memslot", free_memslot_replacement,
		free_memslot_wanted);

static void free_memslot_replacement(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	bool huge = gmem_binding_of(slot)->huge;
	int idx = redirect_enter();

	gmem_unbind(slot);
	redirect_original(free_memslot)(kvm, slot);
	if (huge)
		demand_put(HOOKS_FOR_HUGE_SLOTS);
	demand_put(HOOKS_FOR_SLOTS);
	redirect_exit(idx);
}

/* A slot without metadata. */
void hook_prove_free_memslot(const struct canary *c)
{
	redirect_entry(free_memslot)(c->kvm, c->slot);
}
