// SPDX-License-Identifier: GPL-2.0-only
/*
 * gfn_to_page_many_atomic(): the pages around a fault, to be mapped with it,
 * under shadow paging.
 */
#include "../gmem/gmem.h"
#include "hooks.h"

/*
 * KVM looks where userspace_addr points and maps what it finds there, which
 * need not be the file. Upstream still does so in 7.3. No pages: no prefetch.
 */
static int gfn_to_page_many_replacement(struct kvm_memory_slot *slot, gfn_t gfn,
					struct page **pages, int nr_pages)
{
	return -1;
}

static __always_inline bool gfn_to_page_many_wanted(struct ftrace_regs *fregs)
{
	return gmem_slot_is_bound((void *)redirect_argument(fregs, 0));
}

REDIRECT_PROTOTYPE(gfn_to_page_many_atomic, gfn_to_page_many_replacement);
DEFINE_REDIRECT(gfn_to_page_many, "gfn_to_page_many_atomic", gfn_to_page_many_replacement,
		gfn_to_page_many_wanted);

/* No slot: -1. */
void hook_prove_gfn_to_page_many(const struct canary *c)
{
	redirect_entry(gfn_to_page_many)(NULL, 0, NULL, 0);
}
