// SPDX-License-Identifier: GPL-2.0-only
/* fallocate(): pages allocated before their first touch. Holes are in hole.c. */
#include <linux/fs.h>
#include <linux/falloc.h> /* needs types of linux/fs.h */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "../mempolicy.h"
#include "gmem.h"

/*
 * Only a fatal signal interrupts this, as in shmem. If every signal did, a system call that is
 * restarted at each tick of a timer, each stop or each freeze would begin at the first page
 * every time, and might never finish.
 *
 * No lock is taken. A race with a hole is decided page by page, as for faults, and a task that
 * binds a slot does not have to wait until the whole range is allocated.
 */
static long gmem_allocate(struct inode *inode, loff_t offset, loff_t len)
{
	pgoff_t start = offset >> PAGE_SHIFT, index = start;
	pgoff_t end = (offset + len) >> PAGE_SHIFT;

	if (offset + len > i_size_read(inode))
		return -EINVAL;

	gmem_holes_keep(inode, start, end);
	while (index < end) {
		struct folio *folio;

		if (fatal_signal_pending(current))
			return -EINTR;

		folio = gmem_get_folio(inode, index, start, end);
		if (IS_ERR(folio))
			return mempolicy_errno(PTR_ERR(folio));

		index = folio_next_index(folio);
		folio_unlock(folio);
		folio_put(folio);
		cond_resched();
	}
	return 0;
}

/**
 * gmem_fallocate() - file_operations.fallocate
 * @file: a guest_memfd
 * @mode: FALLOC_FL_KEEP_SIZE, with or without FALLOC_FL_PUNCH_HOLE
 * @offset: in bytes, page aligned; a hole may lie behind the end of the file
 * @len: in bytes, page aligned
 *
 * Stands for kvm_gmem_fallocate(). Pages come from the node that the policy names, and are
 * cleared.
 *
 * Return: 0, -EOPNOTSUPP (mode), -EINVAL (range), -ENOMEM, -EINTR at a fatal signal. Pages up to
 *	   the failure are allocated then; of a hole, nothing was freed.
 */
long gmem_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	long err;

	if (!(mode & FALLOC_FL_KEEP_SIZE) ||
	    (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)))
		return -EOPNOTSUPP;

	if (!PAGE_ALIGNED(offset) || !PAGE_ALIGNED(len))
		return -EINVAL;

	if (mode & FALLOC_FL_PUNCH_HOLE)
		err = gmem_punch_hole(file_inode(file), offset, len);
	else
		err = gmem_allocate(file_inode(file), offset, len);

	if (!err) {
		/* The lock guards the timestamps only; pages come and go without it. */
		inode_lock(file_inode(file));
		file_modified(file);
		inode_unlock(file_inode(file));
	}
	return err;
}
