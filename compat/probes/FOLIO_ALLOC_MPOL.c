// SPDX-License-Identifier: GPL-2.0-only
/* allocation of a folio by policy (folio_alloc_mpol() from 6.11 on) */
#include <linux/gfp.h>
#include <linux/mempolicy.h>

#ifdef PROBE_NEW
static_assert(__same_type(folio_alloc_mpol_noprof,
			  struct folio *(gfp_t, unsigned int, struct mempolicy *, pgoff_t, int)));
#endif

#ifdef PROBE_ODD
void *probe = folio_alloc_mpol_noprof;
#endif

/* What takes its place in 6.10. MPOL_WITHOUT_VMA.c asks about older kernels. */
#ifdef PROBE_OLD
#ifdef alloc_hooks
static_assert(__same_type(alloc_pages_mpol_noprof,
			  struct page *(gfp_t, unsigned int, struct mempolicy *, pgoff_t, int)));
#endif
#endif
