/* SPDX-License-Identifier: GPL-2.0-only */
/* Folios of 2 MiB, in files and in what maps them. */
#ifndef _GMEM_COMPAT_MM_HUGE_H
#define _GMEM_COMPAT_MM_HUGE_H

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/coredump.h>

#include "../src/symbol/symbol.h"
#include "compat/have.h"

/* Since 6.9, a folio can be split into others that are larger than a page. */
#if !defined(CONFIG_TRANSPARENT_HUGEPAGE)
#define COMPAT_SPLIT_SYMBOLS(X)
#define compat_split_folio(folio) (-EINVAL)
#elif defined(HAVE_SPLIT_TO_ORDER)
#define COMPAT_SPLIT_SYMBOLS(X) X(SYMBOL_KERNEL, split_huge_page_to_list_to_order)
#define compat_split_folio(folio) \
	kernel_call(split_huge_page_to_list_to_order)(&(folio)->page, NULL, 0)
#else
#define COMPAT_SPLIT_SYMBOLS(X) X(SYMBOL_KERNEL, split_huge_page_to_list)
#define compat_split_folio(folio) kernel_call(split_huge_page_to_list)(&(folio)->page, NULL)
#endif

/* Since 6.18, prctl(PR_SET_THP_DISABLE) can make an exception of mappings with MADV_HUGEPAGE. */
static inline bool compat_thp_disabled(struct vm_area_struct *vma)
{
#if !defined(CONFIG_TRANSPARENT_HUGEPAGE)
	return true;
#elif defined(HAVE_VMA_THP_DISABLED)
	return vma_thp_disabled(vma, vma->vm_flags, false);
#else
	return (vma->vm_flags & VM_NOHUGEPAGE) ||
	       test_bit(MMF_DISABLE_THP, &vma->vm_mm->flags);
#endif
}

/* Since 6.8, the function takes a folio. */
static inline void compat_remove_folio(struct address_space *mapping, struct folio *folio)
{
#ifdef HAVE_ERROR_REMOVE_FOLIO
	generic_error_remove_folio(mapping, folio);
#else
	generic_error_remove_page(mapping, &folio->page);
#endif
}

#endif /* _GMEM_COMPAT_MM_HUGE_H */
