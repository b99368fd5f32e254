// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_gmem_get_pfn(): the page behind a gfn of private memory: for a guest fault and
 * KVM_PRE_FAULT_MEMORY, and for SEV-SNP's RMP faults and VMSAs.
 *
 * TDX of 6.16 to 6.18 calls this from within kvm_gmem_populate(), for a page that is already in
 * the file.
 */
#include "../private/private.h"
#include "compat/kvm_gmem.h"
#include "hooks.h"

static int gmem_get_pfn_replacement(COMPAT_GET_PFN_PARAMETERS);

static __always_inline bool gmem_get_pfn_wanted(struct ftrace_regs *fregs)
{
	const struct kvm_memory_slot *slot = (void *)redirect_argument(fregs, 1);

	return demand_places_private_pages() && compat_slot_has_private_memory(slot) &&
	       !private_policy_is_none((void *)redirect_argument(fregs, 0),
				       __gfn_to_hva_memslot(slot, redirect_argument(fregs, 2)));
}

REDIRECT_PROTOTYPE(kvm_gmem_get_pfn, gmem_get_pfn_replacement);
DEFINE_REDIRECT(gmem_get_pfn, "kvm_gmem_get_pfn", gmem_get_pfn_replacement, gmem_get_pfn_wanted);

static int gmem_get_pfn_replacement(COMPAT_GET_PFN_PARAMETERS)
{
	int idx = redirect_enter();
	int r = private_place(kvm, slot, gfn);

	if (!r)
		r = redirect_original(gmem_get_pfn)(COMPAT_GET_PFN_ARGUMENTS);
	redirect_exit(idx);
	return r;
}

/* A slot without a file. */
void hook_prove_gmem_get_pfn(const struct canary *c)
{
	redirect_entry(gmem_get_pfn)(c->kvm, c->slot, 0, COMPAT_GET_PFN_NOWHERE);
}
