// SPDX-License-Identifier: GPL-2.0-only
/*
 * gfn_to_pfn_memslot_atomic(): a page that KVM wants to map before the guest touches it, under
 * shadow paging and for nested guests, on 6.12 and earlier.
 */
#include "../gmem/gmem.h"
#include "hooks.h"

/*
 * gfn_to_page_many.c tells why there is no prefetch. The redirect in gfn_to_pfn.c does not cover
 * this caller, because compilers inline __gfn_to_pfn_memslot() here.
 */
static kvm_pfn_t gfn_to_pfn_atomic_replacement(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return KVM_PFN_ERR_FAULT;
}

static __always_inline bool gfn_to_pfn_atomic_wanted(struct ftrace_regs *fregs)
{
	return gmem_slot_is_bound((void *)redirect_argument(fregs, 0));
}

REDIRECT_PROTOTYPE(gfn_to_pfn_memslot_atomic, gfn_to_pfn_atomic_replacement);
DEFINE_REDIRECT(gfn_to_pfn_atomic, "gfn_to_pfn_memslot_atomic", gfn_to_pfn_atomic_replacement,
		gfn_to_pfn_atomic_wanted);

/* Without a slot, the original returns KVM_PFN_NOSLOT. */
void hook_prove_gfn_to_pfn_atomic(const struct canary *c)
{
	redirect_entry(gfn_to_pfn_atomic)(NULL, 0);
}
