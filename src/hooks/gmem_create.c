// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm_gmem_create(): a guest_memfd of KVM's own is created, for private memory. From then on, and
 * until the file is released, the functions that allocate its pages are redirected.
 *
 * The slot to which the file will be bound would be the later moment, but KVM holds slots_lock
 * when it looks at a slot's file, and under that lock nothing can be attached.
 */
#include <linux/file.h>
#include <linux/module.h>

#include "../private/private.h"
#include "hooks.h"

static int gmem_create_replacement(struct kvm *kvm, struct kvm_create_guest_memfd *args);

/* A file with flags can be mapped, and since 6.19 has policies of its own. */
static __always_inline bool gmem_create_wanted(struct ftrace_regs *fregs)
{
	const struct kvm_create_guest_memfd *args = (void *)redirect_argument(fregs, 1);
	const struct kvm *kvm = (void *)redirect_argument(fregs, 0);

	return kvm_arch_has_private_mem(kvm) && !args->flags;
}

/*
 * The function is declared in a header of KVM's own. tests/guest/load.sh compares the prototype
 * with the kernel's type information.
 */
DEFINE_REDIRECT(gmem_create, "kvm_gmem_create", gmem_create_replacement, gmem_create_wanted);

/* User space may have put another file behind the descriptor. */
static int note_file(struct kvm *kvm, int fd)
{
	struct file *file = fget(fd);
	int err = -EBADF;

	if (file && hook_is_guest_memfd(file))
		err = private_file_add(file, kvm);
	if (file)
		fput(file);
	return err;
}

/* Whatever goes wrong here, the file is created, and KVM allocates its pages as it would. */
static int create_and_note(struct kvm *kvm, struct kvm_create_guest_memfd *args)
{
	int err = demand_get(HOOKS_FOR_PRIVATE_PAGES, "private memory is not placed by policy");
	int fd = redirect_original(gmem_create)(kvm, args);

	if (!err && (fd < 0 || note_file(kvm, fd)))
		demand_put(HOOKS_FOR_PRIVATE_PAGES);
	return fd;
}

static int gmem_create_replacement(struct kvm *kvm, struct kvm_create_guest_memfd *args)
{
	int idx = redirect_enter();
	int fd;

	/* An unload that has begun must find nothing attached any more. */
	if (try_module_get(THIS_MODULE)) {
		fd = create_and_note(kvm, args);
		module_put(THIS_MODULE);
	} else {
		fd = redirect_original(gmem_create)(kvm, args);
	}

	redirect_exit(idx);
	return fd;
}

/* No kernel knows these flags. */
void hook_prove_gmem_create(const struct canary *c)
{
	struct kvm_create_guest_memfd args = { .flags = ~0ULL };

	redirect_entry(gmem_create)(c->kvm, &args);
}
