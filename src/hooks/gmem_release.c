// SPDX-License-Identifier: GPL-2.0-only
/* kvm_gmem_release(): a guest_memfd of KVM's own is closed. */
#include <linux/module.h>

#include "../private/private.h"
#include "hooks.h"

static int gmem_release_replacement(struct inode *inode, struct file *file);

static __always_inline bool gmem_release_wanted(struct ftrace_regs *fregs)
{
	return true;
}

REDIRECT_PROTOTYPE(*((const struct file_operations *)NULL)->release, gmem_release_replacement);
DEFINE_REDIRECT_BY_ADDRESS(gmem_release, "kvm_gmem_release", gmem_release_replacement,
			   gmem_release_wanted);

/*
 * The original unbinds the file's slots, so the file is known as long as any slot leads to it.
 * The memory of struct file is not used for another file before this has returned.
 *
 * The module is held by a reference, as in gmem_populate.c: user space can have another task hold
 * the VM's slots_lock as long as it likes, and the VM may be destroyed here.
 */
static int gmem_release_replacement(struct inode *inode, struct file *file)
{
	int idx = redirect_enter();
	bool held = try_module_get(THIS_MODULE);
	int r = redirect_original(gmem_release)(inode, file);

	if (private_file_remove(file))
		demand_put(HOOKS_FOR_PRIVATE_PAGES);
	if (held)
		module_put(THIS_MODULE);
	redirect_exit(idx);
	return r;
}

/**
 * hook_is_guest_memfd() - is a file a guest_memfd of KVM's own?
 * @file: any file
 *
 * Context: kvm_gmem_release() was found.
 */
bool hook_is_guest_memfd(const struct file *file)
{
	return file->f_op->release == static_call_query(gmem_release_entry);
}

/* The original would take locks of a made-up file. */
void hook_prove_gmem_release(const struct canary *c)
{
	redirect_prove_by_text(&redirect_gmem_release);
}
