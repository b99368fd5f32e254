// SPDX-License-Identifier: GPL-2.0-only
/*
 * gfn_to_page_many_atomic(): the pages around a fault, which KVM wants to map together with it,
 * under shadow paging, on 6.12 and earlier.
 */
#include "../gmem/gmem.h"
#include "hooks.h"

/*
 * KVM maps the pages that it finds at userspace_addr, where something other than the file may be
 * mapped. Upstream still does so in 7.3. The replacement reports that there are no pages, so KVM
 * does not prefetch.
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

/* Without a slot, the original returns -1. */
void hook_prove_gfn_to_page_many(const struct canary *c)
{
	redirect_entry(gfn_to_page_many)(NULL, 0, NULL, 0);
}
