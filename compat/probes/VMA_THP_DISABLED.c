// SPDX-License-Identifier: GPL-2.0-only
/* whether a process wants no huge pages (prctl() with an exception, from 6.18 on) */
#include <linux/mm.h>
#include <linux/sched/coredump.h>

#ifdef PROBE_NEW
bool probe(struct vm_area_struct *vma);
bool probe(struct vm_area_struct *vma)
{
	return vma_thp_disabled(vma, vma->vm_flags, false);
}
#endif

#ifdef PROBE_OLD
bool probe(struct vm_area_struct *vma);
bool probe(struct vm_area_struct *vma)
{
	return test_bit(MMF_DISABLE_THP, &vma->vm_mm->flags);
}
#endif
