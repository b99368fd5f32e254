/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mempolicy.c allocates folios by a mempolicy, for memory that is never migrated: what guest_memfds
 * of this module and of KVM have in common.
 */
#ifndef _GMEM_MEMPOLICY_H
#define _GMEM_MEMPOLICY_H

#include <linux/mempolicy.h>
#include <linux/mm_types.h>
#include <linux/pgtable.h>

#include "compat/mm_alloc.h"
#include "symbol/symbol.h"

#define MEMPOLICY_SYMBOLS(X)			\
	COMPAT_ALLOC_SYMBOLS(X)			\
	X(SYMBOL_KERNEL, __mpol_put)

MEMPOLICY_SYMBOLS(DECLARE_SYMBOL)

/* Of a folio that one entry of a PMD maps: 2 MiB. */
#define HUGE_FOLIO_ORDER (PMD_SHIFT - PAGE_SHIFT)

int mempolicy_symbols_resolve(void);
int mempolicy_movable_node(const struct mempolicy *mpol);
struct folio *mempolicy_alloc_folio(gfp_t gfp, struct mempolicy *mpol, pgoff_t ilx);
struct folio *mempolicy_alloc_huge(gfp_t gfp, struct mempolicy *mpol, pgoff_t ilx);

/**
 * mempolicy_errno() - translate an error of mempolicy_alloc_folio() for user space
 * @err: the error
 *
 * Inside the module, -ENOSPC stands for a full node, and -ENODEV for nodes that have no memory of
 * the right kind. User space gets -ENOMEM.
 */
static inline int mempolicy_errno(int err)
{
	return err == -ENOSPC || err == -ENODEV ? -ENOMEM : err;
}

#endif /* _GMEM_MEMPOLICY_H */
