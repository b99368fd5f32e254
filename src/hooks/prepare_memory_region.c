// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_arch_prepare_memory_region(): allocates a memslot's metadata, with slots_lock and
 * slots_arch_lock held. After it, KVM does nothing to a new slot that can fail.
 */
#include <linux/file.h>

#include "../gmem/gmem.h"
#include "hooks.h"

static int prepare_memory_region_replacement(struct kvm *kvm, const struct kvm_memory_slot *old,
					     struct kvm_memory_slot *new,
					     enum kvm_mr_change change);

static __always_inline bool prepare_memory_region_wanted(struct ftrace_regs *fregs)
{
	u32 change = redirect_argument(fregs, 3);

	if (change == KVM_MR_DELETE)
		return false;
	return memslot_any_requested() ||
	       (change != KVM_MR_CREATE && gmem_slot_is_bound((void *)redirect_argument(fregs, 1)));
}

REDIRECT_PROTOTYPE(kvm_arch_prepare_memory_region, prepare_memory_region_replacement);
DECLARE_REDIRECT_ORIGINAL(free_memslot, typeof(kvm_arch_free_memslot));
DEFINE_REDIRECT(prepare_memory_region, "kvm_arch_prepare_memory_region",
		prepare_memory_region_replacement, prepare_memory_region_wanted);

/*
 * As upstream, a wrong file is reported before anything that is wrong with the slot. The metadata
 * is allocated before the slot is bound, because as soon as it is bound, a task that punches a
 * hole in the file walks the metadata.
 */
static int prepare_bound_slot(struct kvm *kvm, struct kvm_memory_slot *new)
{
	struct file *file = memslot_file(kvm, new);
	int r;

	if (IS_ERR(file))
		return PTR_ERR(file);

	r = redirect_original(prepare_memory_region)(kvm, NULL, new, KVM_MR_CREATE);
	if (r)
		goto out;

	r = memslot_bind(new, file);
	if (r)
		redirect_original(free_memslot)(kvm, new);
out:
	fput(file);
	return r;
}

/*
 * A bound slot can be neither moved nor given other flags, and a slot that exists cannot be
 * bound. KVM, which does not know about the binding, would allow the former. When this function
 * refuses a change, KVM undoes what it has done so far.
 */
static int prepare_memory_region_replacement(struct kvm *kvm, const struct kvm_memory_slot *old,
					     struct kvm_memory_slot *new,
					     enum kvm_mr_change change)
{
	bool create = change == KVM_MR_CREATE;
	int idx = redirect_enter();
	int r = -EINVAL;

	if (memslot_requested())
		r = create ? prepare_bound_slot(kvm, new) : -EINVAL;
	else if (create || !gmem_slot_is_bound(old))
		/* The call was only wanted because of another task's request. */
		r = redirect_original(prepare_memory_region)(kvm, old, new, change);

	redirect_exit(idx);
	return r;
}

/* A deletion needs no preparation. */
void hook_prove_prepare_memory_region(const struct canary *c)
{
	redirect_entry(prepare_memory_region)(c->kvm, c->slot, NULL, KVM_MR_DELETE);
}
