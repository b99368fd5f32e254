// SPDX-License-Identifier: GPL-2.0-only
/* __kvm_faultin_pfn(): the page behind a gfn, on 6.13 and later. */
#include "../gmem/gmem.h"
#include "hooks.h"

/*
 * Every call with a slot that user space has created is a guest fault. Where KVM reads guest
 * memory for itself, it uses the hva and does not call this function.
 */
static kvm_pfn_t faultin_pfn_replacement(const struct kvm_memory_slot *slot, gfn_t gfn,
					 unsigned int foll, bool *writable,
					 struct page **refcounted_page)
{
	int idx = redirect_enter();
	kvm_pfn_t pfn = gmem_guest_fault(slot, gfn);
	bool good = !is_error_pfn(pfn);

	*writable = good;
	*refcounted_page = good ? pfn_to_page(pfn) : NULL;

	redirect_exit(idx);
	return pfn;
}

static __always_inline bool faultin_pfn_wanted(struct ftrace_regs *fregs)
{
	return gmem_slot_is_bound((void *)redirect_argument(fregs, 0));
}

REDIRECT_PROTOTYPE(__kvm_faultin_pfn, faultin_pfn_replacement);
DEFINE_REDIRECT(faultin_pfn, "__kvm_faultin_pfn", faultin_pfn_replacement, faultin_pfn_wanted);

/* Without a slot, the original returns KVM_PFN_NOSLOT. */
void hook_prove_faultin_pfn(const struct canary *c)
{
	struct page *page;
	bool writable;

	redirect_entry(faultin_pfn)(NULL, 0, 0, &writable, &page);
}
