/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a process's mappings have changed. */
#ifndef _GMEM_COMPAT_MM_LOCK_H
#define _GMEM_COMPAT_MM_LOCK_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "compat/have.h"

/*
 * A count that changes whenever the mmap_lock was held for write, to be read with the lock held for
 * read; false if this kernel has none.
 * It is a seqcount since 6.13, and in 6.12-stable. The int that some older kernels have is not
 * used: only the search for a mapping is slower there.
 */
static inline bool compat_mm_lock_seq(struct mm_struct *mm, unsigned int *seq)
{
#ifdef HAVE_MM_LOCK_SEQCOUNT
	*seq = READ_ONCE(mm->mm_lock_seq.sequence);
	return true;
#else
	return false;
#endif
}

#endif /* _GMEM_COMPAT_MM_LOCK_H */
