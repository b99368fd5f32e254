// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_prefetch_pages(): the pages around a fault, which KVM wants to map together with it, under
 * shadow paging and for nested guests, on 6.13 and later.
 */
#include "../gmem/gmem.h"
#include "hooks.h"

/* See gfn_to_page_many.c for why there is no prefetch. */
static int prefetch_pages_replacement(struct kvm_memory_slot *slot, gfn_t gfn,
				      struct page **pages, int nr_pages)
{
	return -1;
}

static __always_inline bool prefetch_pages_wanted(struct ftrace_regs *fregs)
{
	return gmem_slot_is_bound((void *)redirect_argument(fregs, 0));
}

REDIRECT_PROTOTYPE(kvm_prefetch_pages, prefetch_pages_replacement);
DEFINE_REDIRECT(prefetch_pages, "kvm_prefetch_pages", prefetch_pages_replacement,
		prefetch_pages_wanted);

/* Without a slot, the original returns -1. */
void hook_prove_prefetch_pages(const struct canary *c)
{
	redirect_entry(prefetch_pages)(NULL, 0, NULL, 0);
}
