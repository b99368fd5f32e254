// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_mmu_max_mapping_level(): how large the mapping of a gfn may be, for guest faults and where
 * KVM puts small mappings together again. It is called with mmu_lock held.
 */
#include "../gmem/gmem.h"
#include "compat/kvm_mapping_level.h"
#include "hooks.h"

static int max_mapping_level_replacement(COMPAT_MAPPING_LEVEL_PARAMETERS)
{
	return gmem_mapping_level(slot, gfn, COMPAT_MAPPING_LEVEL_MAX);
}

static __always_inline bool max_mapping_level_wanted(struct ftrace_regs *fregs)
{
	return gmem_slot_is_bound((void *)redirect_argument(fregs, COMPAT_MAPPING_LEVEL_SLOT));
}

DEFINE_REDIRECT(max_mapping_level, COMPAT_MAPPING_LEVEL_FUNCTION, max_mapping_level_replacement,
		max_mapping_level_wanted);

/* A slot that allows small mappings only, so that no page table is walked. */
void hook_prove_max_mapping_level(const struct canary *c)
{
	struct kvm_lpage_info small[KVM_NR_PAGE_SIZES - 1] = {};
	struct kvm_memory_slot *slot = c->slot;
	int i;

	for (i = 0; i < ARRAY_SIZE(small); i++) {
		small[i].disallow_lpage = 1;
		slot->arch.lpage_info[i] = &small[i];
	}

	write_lock(&c->kvm->mmu_lock);
	redirect_entry(max_mapping_level)(COMPAT_MAPPING_LEVEL_ARGUMENTS(c->kvm, slot, 0));
	write_unlock(&c->kvm->mmu_lock);

	memset(slot->arch.lpage_info, 0, sizeof(slot->arch.lpage_info));
}
