// SPDX-License-Identifier: GPL-2.0-only
/* who accounts an allocation (the caller, by alloc_hooks(), from 6.10 on) */
#include <linux/gfp.h>

#ifdef PROBE_NEW
#ifndef alloc_hooks
#error in part
#endif
static_assert(__same_type(folio_alloc_noprof, struct folio *(gfp_t, unsigned int)));
#endif

#ifdef PROBE_OLD
#ifdef alloc_hooks
#error in part
#endif
static_assert(__same_type(folio_alloc, struct folio *(gfp_t, unsigned int)));
#endif
