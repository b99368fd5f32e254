/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocating folios by policy. */
#ifndef _GMEM_COMPAT_MM_ALLOC_H
#define _GMEM_COMPAT_MM_ALLOC_H

#include <linux/gfp.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/topology.h>

#include "../src/symbol/symbol.h"
#include "compat/have.h"

/*
 * folio_alloc_mpol() came with 6.11; before, alloc_pages_mpol() allocates pages, and its caller
 * makes them a folio that can be mapped in part. Since allocation profiling (6.10), the caller
 * accounts the allocation, and both are macros around a function with another name. Until 6.6, a
 * policy can be passed only as that of a mapping, so a mapping is made up, as shmem did. Its first
 * page offset, in units of the folio, is the interleave index, so that the folio at its start is
 * the one to be allocated. vma_init() would refer to a table that 6.6 does not export, and nothing
 * that it sets is read.
 */
#if defined(HAVE_FOLIO_ALLOC_MPOL)
#define COMPAT_ALLOC_SYMBOLS(X) X(SYMBOL_KERNEL, folio_alloc_mpol_noprof)
#define compat_alloc_folio(gfp, order, mpol, ilx)					\
	alloc_hooks(kernel_call(folio_alloc_mpol_noprof)((gfp), (order), (mpol), (ilx),	\
							 numa_node_id()))
#elif defined(HAVE_ALLOC_HOOKS)
#define COMPAT_ALLOC_SYMBOLS(X) X(SYMBOL_KERNEL, alloc_pages_mpol_noprof)
#define compat_alloc_pages(gfp, order, mpol, ilx)					\
	alloc_hooks(kernel_call(alloc_pages_mpol_noprof)((gfp), (order), (mpol), (ilx),	\
							 numa_node_id()))
#define compat_prep_large(folio) folio_set_large_rmappable(folio)
#elif defined(HAVE_MPOL_WITHOUT_VMA)
#define COMPAT_ALLOC_SYMBOLS(X)				\
	X(SYMBOL_KERNEL, alloc_pages_mpol)		\
	COMPAT_PREP_SYMBOLS(X)
#define compat_alloc_pages(gfp, order, mpol, ilx)					\
	kernel_call(alloc_pages_mpol)((gfp), (order), (mpol), (ilx), numa_node_id())
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
#define COMPAT_PREP_SYMBOLS(X) X(SYMBOL_KERNEL, folio_prep_large_rmappable)
#define compat_prep_large(folio) kernel_call(folio_prep_large_rmappable)(folio)
#else
#define COMPAT_PREP_SYMBOLS(X)
#define compat_prep_large(folio) do { } while (0)
#endif
#else
#define COMPAT_ALLOC_SYMBOLS(X)
static inline struct folio *compat_alloc_folio(gfp_t gfp, unsigned int order,
					       struct mempolicy *mpol, pgoff_t ilx)
{
	struct vm_area_struct vma = { .vm_pgoff = ilx << order, .vm_policy = mpol };

	return vma_alloc_folio(gfp, order, &vma, 0, order > 0);
}
#endif

COMPAT_ALLOC_SYMBOLS(DECLARE_SYMBOL)

#ifdef compat_alloc_pages
static __always_inline struct folio *compat_alloc_folio(gfp_t gfp, unsigned int order,
							struct mempolicy *mpol, pgoff_t ilx)
{
	struct page *page = compat_alloc_pages(gfp | __GFP_COMP, order, mpol, ilx);
	struct folio *folio = (struct folio *)page;

	if (folio && order > 1)
		compat_prep_large(folio);
	return folio;
}
#endif

/* Since 6.7, get_policy() also returns the base of interleaving. */
#ifdef HAVE_MPOL_WITHOUT_VMA
#define COMPAT_DEFINE_GET_POLICY(fn)
#define COMPAT_GET_POLICY(fn) .get_policy = fn
#else
#define COMPAT_DEFINE_GET_POLICY(fn)						\
	static struct mempolicy *fn##_without_ilx(struct vm_area_struct *vma,	\
						  unsigned long addr)		\
	{									\
		pgoff_t ilx;							\
										\
		return fn(vma, addr, &ilx);					\
	}
#define COMPAT_GET_POLICY(fn) .get_policy = fn##_without_ilx
#endif

#endif /* _GMEM_COMPAT_MM_ALLOC_H */
