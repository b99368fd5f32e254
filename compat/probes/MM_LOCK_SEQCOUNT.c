// SPDX-License-Identifier: GPL-2.0-only
/* how often the mmap_lock was held for write (mm_lock_seq is a seqcount from 6.13 on) */
#include <linux/mm_types.h>

#ifdef PROBE_NEW
static_assert(__same_type(((struct mm_struct *)0)->mm_lock_seq, seqcount_t));
#endif
