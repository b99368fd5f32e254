// SPDX-License-Identifier: GPL-2.0-only
/* kvm_vm_ioctl_check_extension_generic(): KVM_CHECK_EXTENSION on /dev/kvm and on a VM. */
#include "../gmem/gmem.h"
#include "hooks.h"

/*
 * No header declares the function. It returns a long in 6.1 and an int in 6.8, whose callers
 * take the lower half of the long. tests/guest/load.sh compares the prototype with the kernel's
 * type information.
 */
static long check_extension_replacement(struct kvm *kvm, long ext)
{
	return ext == KVM_CAP_GUEST_MEMFD_FLAGS ? GMEM_SUPPORTED_FLAGS : 1;
}

/* The first argument is NULL for an ioctl on /dev/kvm. */
static __always_inline bool check_extension_wanted(struct ftrace_regs *fregs)
{
	struct kvm *kvm = (void *)redirect_argument(fregs, 0);
	long ext = redirect_argument(fregs, 1);

	/* A KVM that knows guest_memfd has KVM_SET_USER_MEMORY_REGION2 itself. */
	if (ext != KVM_CAP_GUEST_MEMFD && ext != KVM_CAP_GUEST_MEMFD_FLAGS &&
	    !(COMPAT_BRINGS_REGION2 && ext == KVM_CAP_USER_MEMORY2))
		return false;
	return !(kvm && kvm_arch_has_private_mem(kvm));
}

DEFINE_REDIRECT(check_extension, "kvm_vm_ioctl_check_extension_generic",
		check_extension_replacement, check_extension_wanted);

/* As for an ioctl on /dev/kvm. */
void hook_prove_check_extension(const struct canary *c)
{
	redirect_entry(check_extension)(NULL, KVM_CAP_USER_MEMORY);
}
