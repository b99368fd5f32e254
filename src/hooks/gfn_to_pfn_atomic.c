// SPDX-License-Identifier: GPL-2.0-only
/*
 * gfn_to_pfn_memslot_atomic(): a page to be mapped ahead of its fault, under
 * shadow paging and for nested guests.
 */
#include "../gmem/gmem.h"
#include "hooks.h"

/*
 * As in gfn_to_page_many.c. Not left to gfn_to_pfn.c: compilers put that
 * function's body into this one, so the call never arrives there.
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

/* No slot: KVM_PFN_NOSLOT. */
void hook_prove_gfn_to_pfn_atomic(const struct canary *c)
{
	redirect_entry(gfn_to_pfn_atomic)(NULL, 0);
}
