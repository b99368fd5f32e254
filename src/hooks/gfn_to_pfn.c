// SPDX-License-Identifier: GPL-2.0-only
/* __gfn_to_pfn_memslot(): the page behind a gfn, on 6.12 and earlier. */
#include "../gmem/gmem.h"
#include "compat/kvm_gfn_to_pfn.h"
#include "hooks.h"

static kvm_pfn_t gfn_to_pfn_replacement(const struct kvm_memory_slot *slot, gfn_t gfn,
					bool atomic, COMPAT_INTERRUPTIBLE_PARAMETER bool *async,
					bool write_fault, bool *writable, hva_t *hva);

static __always_inline bool gfn_to_pfn_wanted(struct ftrace_regs *fregs)
{
	return gmem_slot_is_bound((void *)redirect_argument(fregs, 0));
}

REDIRECT_PROTOTYPE(__gfn_to_pfn_memslot, gfn_to_pfn_replacement);
DEFINE_REDIRECT(gfn_to_pfn, "__gfn_to_pfn_memslot", gfn_to_pfn_replacement, gfn_to_pfn_wanted);

/*
 * The arguments tell the callers apart: only a guest fault passes @hva. All other callers are KVM
 * reading guest memory for itself, which it does by hva, as in every version. gfn_to_pfn_atomic.c
 * takes care of prefetching.
 */
static kvm_pfn_t gfn_to_pfn_replacement(const struct kvm_memory_slot *slot, gfn_t gfn,
					bool atomic, COMPAT_INTERRUPTIBLE_PARAMETER bool *async,
					bool write_fault, bool *writable, hva_t *hva)
{
	int idx = redirect_enter();
	kvm_pfn_t pfn;

	if (hva) {
		*hva = __gfn_to_hva_memslot(slot, gfn);
		*writable = true;
		pfn = gmem_guest_fault(slot, gfn);
	} else {
		pfn = redirect_original(gfn_to_pfn)(slot, gfn, atomic, COMPAT_INTERRUPTIBLE async,
						    write_fault, writable, hva);
	}

	redirect_exit(idx);
	return pfn;
}

/* Without a slot, the original returns KVM_PFN_NOSLOT. */
void hook_prove_gfn_to_pfn(const struct canary *c)
{
	redirect_entry(gfn_to_pfn)(NULL, 0, true, COMPAT_INTERRUPTIBLE_FALSE NULL, false, NULL,
				   NULL);
}
