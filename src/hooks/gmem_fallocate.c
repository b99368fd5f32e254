// SPDX-License-Identifier: GPL-2.0-only
/* kvm_gmem_fallocate(): fallocate() on a guest_memfd of KVM's own. */
#include <linux/fs.h>
#include <linux/falloc.h> /* needs types of linux/fs.h */
#include <linux/module.h>
#include <linux/sizes.h>

#include "../private/private.h"
#include "hooks.h"

static long gmem_fallocate_replacement(struct file *file, int mode, loff_t offset, loff_t len);

/* Not holes, and nothing that KVM refuses. */
static __always_inline bool gmem_fallocate_wanted(struct ftrace_regs *fregs)
{
	return demand_places_private_pages() &&
	       (int)redirect_argument(fregs, 1) == FALLOC_FL_KEEP_SIZE &&
	       PAGE_ALIGNED(redirect_argument(fregs, 2) | redirect_argument(fregs, 3));
}

REDIRECT_PROTOTYPE(*((const struct file_operations *)NULL)->fallocate,
		   gmem_fallocate_replacement);
DEFINE_REDIRECT_BY_ADDRESS(gmem_fallocate, "kvm_gmem_fallocate", gmem_fallocate_replacement,
			   gmem_fallocate_wanted);

/*
 * KVM's own code runs after the pages are placed, and allocates those that are left to it. A page
 * that must fail ends the range in front of it. A signal ends it as well, and KVM says so.
 */
static long allocate_some(struct file *file, int mode, loff_t offset, loff_t len)
{
	pgoff_t start = offset >> PAGE_SHIFT, done;
	int err = private_place_range(file, start, start + (len >> PAGE_SHIFT), &done);
	long r = 0;

	if (err)
		len = (loff_t)(done - start) << PAGE_SHIFT;
	if (len)
		r = redirect_original(gmem_fallocate)(file, mode, offset, len);
	return r ?: err;
}

/* In pieces, because a task that sets a memslot waits for each. */
static long allocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	long r = 0;

	/* KVM's answer to a range that is too long must not come after half of it was allocated. */
	if (offset + len > i_size_read(file_inode(file)))
		return redirect_original(gmem_fallocate)(file, mode, offset, len);

	while (len && !r) {
		loff_t piece = min_t(loff_t, len, SZ_2M);

		r = allocate_some(file, mode, offset, piece);
		offset += piece;
		len -= piece;
	}
	return r;
}

/* The module is held by a reference, as in gmem_populate.c: holes can keep KVM waiting. */
static long gmem_fallocate_replacement(struct file *file, int mode, loff_t offset, loff_t len)
{
	int idx = redirect_enter();
	bool held = try_module_get(THIS_MODULE);
	long r;

	r = allocate(file, mode, offset, len);
	if (held)
		module_put(THIS_MODULE);
	redirect_exit(idx);
	return r;
}

/* Files of this kind keep their size, and KVM wants to hear that. */
void hook_prove_gmem_fallocate(const struct canary *c)
{
	redirect_entry(gmem_fallocate)(c->filp, 0, 0, 0);
}
