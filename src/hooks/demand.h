/* SPDX-License-Identifier: GPL-2.0-only */
/* Redirects that are attached only while something on the host needs them. */
#ifndef _GMEM_DEMAND_H
#define _GMEM_DEMAND_H

int hooks_get_slots(void);
void hooks_put_slots(void);
int hooks_get_failures(void);

#endif /* _GMEM_DEMAND_H */
