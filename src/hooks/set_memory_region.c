// SPDX-License-Identifier: GPL-2.0-only
/*
 * __kvm_set_memory_region(), or kvm_set_memory_region(), see
 * compat/kvm_set_region.h: create, change and delete memslots; slots_lock held.
 */
#include "../gmem/gmem.h"
#include "compat/kvm_set_region.h"
#include "hooks.h"

static int set_memory_region_replacement(struct kvm *kvm,
					 const struct kvm_userspace_memory_region2 *mem);

static __always_inline bool set_memory_region_wanted(struct ftrace_regs *fregs)
{
	struct kvm *kvm = (void *)redirect_argument(fregs, 0);
	const struct kvm_userspace_memory_region2 *mem = (void *)redirect_argument(fregs, 1);

	return gmem_region_is_ours(kvm, mem);
}

DEFINE_REDIRECT(set_memory_region, COMPAT_SET_MEMORY_REGION, set_memory_region_replacement,
		set_memory_region_wanted);

/* KVM is asked for an ordinary slot; prepare_memory_region.c then finds the request. */
static int set_bound_region(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	struct kvm_userspace_memory_region2 plain = *mem;
	struct gmem_bind_request req;
	int r = gmem_region_check(kvm, mem);

	if (r)
		return r;

	plain.flags &= ~KVM_MEM_GUEST_MEMFD;

	gmem_bind_request_begin(&req, kvm, mem);
	r = redirect_original(set_memory_region)(kvm, &plain);
	gmem_bind_request_end(&req);
	return r;
}

/*
 * From 6.18 on, KVM has guest_memfds of its own for such VMs, and is asked about
 * every file that is not ours. Earlier it refuses the flag, which is the right
 * answer, but comes ahead of others that should.
 */
static int set_flagged_region(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	int r = -EINVAL;

	if (!gmem_region_names_our_file(mem))
		r = redirect_original(set_memory_region)(kvm, mem);
	if (r == -EINVAL)
		r = set_bound_region(kvm, mem);
	return r;
}

static int set_memory_region_replacement(struct kvm *kvm,
					 const struct kvm_userspace_memory_region2 *mem)
{
	int idx = redirect_enter();
	int r;

	if (gmem_region_changes_bound_slot(kvm, mem))
		r = -EINVAL;
	else if (mem->flags & KVM_MEM_GUEST_MEMFD)
		r = set_flagged_region(kvm, mem);
	else
		r = redirect_original(set_memory_region)(kvm, mem);

	redirect_exit(idx);
	return r;
}

/* Unknown flags: -EINVAL. */
void hook_prove_set_memory_region(const struct canary *c)
{
	struct kvm_userspace_memory_region2 mem = { .flags = ~0U };

	mutex_lock(&c->kvm->slots_lock);
	redirect_original(set_memory_region)(c->kvm, &mem);
	mutex_unlock(&c->kvm->slots_lock);
}
