/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocations that fail. Needs CONFIG_FAULT_INJECTION with failslab, fail_page_alloc and the stack
 * filter.
 */
#ifndef TEST_FAIL_H
#define TEST_FAIL_H

#include <stdbool.h>

void fail_enable(void);		/* for the calling thread */
/* From now on, only allocations with a module's text on the stack fail. */
void fail_modules_only(void);
/* The nth allocation of this thread from now on fails; 0: none does. */
void fail_nth(int n);
bool fail_happened(void);	/* that allocation has failed */

#endif /* TEST_FAIL_H */
