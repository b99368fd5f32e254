// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_arch_prepare_memory_region(): metadata of a memslot; slots_lock and
 * slots_arch_lock held. Nothing that KVM does to a new slot after it can fail.
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
	return gmem_bind_requested() ||
	       (change != KVM_MR_CREATE && gmem_slot_is_bound((void *)redirect_argument(fregs, 1)));
}

REDIRECT_PROTOTYPE(kvm_arch_prepare_memory_region, prepare_memory_region_replacement);
DECLARE_REDIRECT_ORIGINAL(free_memslot, typeof(kvm_arch_free_memslot));
DEFINE_REDIRECT(prepare_memory_region, "kvm_arch_prepare_memory_region",
		prepare_memory_region_replacement, prepare_memory_region_wanted);

/*
 * Metadata first, then the link: a hole punched as soon as the link is there
 * already walks the metadata.
 */
static int prepare_bound_slot(struct kvm *kvm, struct kvm_memory_slot *new, struct file *file,
			      pgoff_t pgoff)
{
	int r = redirect_original(prepare_memory_region)(kvm, NULL, new, KVM_MR_CREATE);

	if (r)
		return r;

	r = gmem_bind(new, file, pgoff);
	if (r)
		redirect_original(free_memslot)(kvm, new);
	return r;
}

static int prepare_requested_slot(struct gmem_bind_request *req, struct kvm *kvm,
				  struct kvm_memory_slot *new)
{
	struct file *file = gmem_bind_file(req, kvm, new);
	int r;

	if (IS_ERR(file))
		return PTR_ERR(file);

	r = prepare_bound_slot(kvm, new, file, req->offset >> PAGE_SHIFT);
	fput(file);
	req->served = !r;
	return r;
}

/*
 * A bound slot cannot be moved, and its flags stay as they are. KVM, which does not
 * know that it is bound, would allow it; what it has done up to here, it undoes. Nor
 * can a slot be bound that is there already.
 */
static int prepare_memory_region_replacement(struct kvm *kvm, const struct kvm_memory_slot *old,
					     struct kvm_memory_slot *new,
					     enum kvm_mr_change change)
{
	struct gmem_bind_request *req;
	int idx = redirect_enter();
	int r = -EINVAL;

	req = gmem_bind_request_find();
	if (req && change == KVM_MR_CREATE)
		r = prepare_requested_slot(req, kvm, new);
	else if (!req && (change == KVM_MR_CREATE || !gmem_slot_is_bound(old)))
		/* Another task's request made us look. */
		r = redirect_original(prepare_memory_region)(kvm, old, new, change);

	redirect_exit(idx);
	return r;
}

/* Nothing to prepare for a deletion. */
void hook_prove_prepare_memory_region(const struct canary *c)
{
	redirect_entry(prepare_memory_region)(c->kvm, c->slot, NULL, KVM_MR_DELETE);
}
