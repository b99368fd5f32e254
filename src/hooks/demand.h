/* SPDX-License-Identifier: GPL-2.0-only */
/* Redirects that are attached only while something on the host needs them. */
#ifndef _GMEM_DEMAND_H
#define _GMEM_DEMAND_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "../features.h"

extern bool gmem_tsc_gate;
extern unsigned int demand_slots;

/**
 * hooks_have_slots() - is any slot bound, or about to be, of any VM?
 *
 * For redirects' wanted(): inline, and calling nothing.
 */
static __always_inline bool hooks_have_slots(void)
{
	return READ_ONCE(demand_slots);
}

int demand_load(enum feature feature);
void demand_start(void);
void demand_stop(void);
int hooks_get_slots(void);
void hooks_put_slots(void);

#endif /* _GMEM_DEMAND_H */
