// SPDX-License-Identifier: GPL-2.0-only
/* kvm_gmem_create(): ioctl KVM_CREATE_GUEST_MEMFD. */
#include "../gmem/gmem.h"
#include "hooks.h"

static int gmem_create_replacement(struct kvm *kvm, struct kvm_create_guest_memfd *args)
{
	int idx = redirect_enter();
	int r = gmem_create(kvm, args);

	redirect_exit(idx);
	return r;
}

/* A file without flags stays KVM's own, as does every one of a VM with private memory. */
static __always_inline bool gmem_create_wanted(struct ftrace_regs *fregs)
{
	const struct kvm *kvm = (void *)redirect_argument(fregs, 0);
	const struct kvm_create_guest_memfd *args = (void *)redirect_argument(fregs, 1);

	return args->flags && !kvm_arch_has_private_mem(kvm);
}

DEFINE_REDIRECT(gmem_create, "kvm_gmem_create", gmem_create_replacement, gmem_create_wanted);

/* Unknown flags: -EINVAL. */
void hook_prove_gmem_create(const struct canary *c)
{
	struct kvm_create_guest_memfd args = { .flags = ~0ULL };

	redirect_original(gmem_create)(c->kvm, &args);
}
