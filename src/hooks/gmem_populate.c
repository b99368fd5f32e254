// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_gmem_populate(): private memory is filled before the guest starts, by SEV-SNP's launch
 * update and by TDX. It allocates pages by itself.
 */
#include <linux/module.h>

#include "../private/private.h"
#include "compat/kvm_gmem.h"
#include "hooks.h"

static long gmem_populate_replacement(COMPAT_POPULATE_PARAMETERS);

static __always_inline bool gmem_populate_wanted(struct ftrace_regs *fregs)
{
	return demand_places_private_pages();
}

REDIRECT_PROTOTYPE(kvm_gmem_populate, gmem_populate_replacement);
DEFINE_REDIRECT_BY_ADDRESS(gmem_populate, "kvm_gmem_populate", gmem_populate_replacement,
			   gmem_populate_wanted);

/*
 * KVM works page by page, and stops at the first page that it cannot fill. So do we: a page behind
 * that is not allocated. As with KVM, the end of the slot is the end.
 */
static long populate(const struct kvm_memory_slot *slot, COMPAT_POPULATE_PARAMETERS)
{
	long i, r = 0;
	int err;

	npages = min_t(unsigned long, npages, slot->base_gfn + slot->npages - gfn);
	for (i = 0; i < npages; i++) {
		void __user *p = src ? src + i * PAGE_SIZE : NULL;

		/* At a signal, KVM stops by itself, before it looks for the page. */
		err = signal_pending(current) ? 0 : private_place(kvm, slot, gfn + i);
		r = err ?:
		    redirect_original(gmem_populate)(COMPAT_POPULATE_ARGUMENTS(gfn + i, p, 1));
		if (r != 1)
			break;
	}
	return i ?: r;
}

static long populate_or_pass(COMPAT_POPULATE_PARAMETERS)
{
	const struct kvm_memory_slot *slot = __gfn_to_memslot(kvm_memslots(kvm), gfn);

	if (npages < 1 || !slot || !compat_slot_has_private_memory(slot))
		return redirect_original(gmem_populate)(COMPAT_POPULATE_ARGUMENTS(gfn, src,
										  npages));
	return populate(slot, COMPAT_POPULATE_ARGUMENTS(gfn, src, npages));
}

/*
 * The module is held by a reference, and not by SRCU alone: user space can put the source where
 * reading it takes as long as it likes, and an unload must then be refused instead of hanging.
 */
static long gmem_populate_replacement(COMPAT_POPULATE_PARAMETERS)
{
	int idx = redirect_enter();
	bool held = try_module_get(THIS_MODULE);
	long r;

	r = populate_or_pass(COMPAT_POPULATE_ARGUMENTS(gfn, src, npages));
	if (held)
		module_put(THIS_MODULE);
	redirect_exit(idx);
	return r;
}

/* The original looks for the slot in a VM, and the canary has no table of slots. */
void hook_prove_gmem_populate(const struct canary *c)
{
	redirect_prove_by_text(&redirect_gmem_populate);
}
