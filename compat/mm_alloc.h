/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocating a folio by policy. */
#ifndef _GMEM_COMPAT_MM_ALLOC_H
#define _GMEM_COMPAT_MM_ALLOC_H

#include <linux/gfp.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/topology.h>

#include "compat/have.h"

/*
 * folio_alloc_mpol() is of 6.11; before, pages are allocated by policy. Since
 * allocation profiling (6.10), it is the caller who counts.
 */
#ifdef HAVE_FOLIO_ALLOC_MPOL
#define COMPAT_ALLOC_BY_POLICY folio_alloc_mpol_noprof
#define compat_alloc_folio(call, gfp, mpol, ilx) \
	alloc_hooks(call((gfp), 0, (mpol), (ilx), numa_node_id()))
#else
#define COMPAT_ALLOC_BY_POLICY alloc_pages_mpol
#define compat_alloc_folio(call, gfp, mpol, ilx)						\
	((struct folio *)call((gfp) | __GFP_COMP, 0, (mpol), (ilx), numa_node_id()))
#endif

#endif /* _GMEM_COMPAT_MM_ALLOC_H */
