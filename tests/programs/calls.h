/* SPDX-License-Identifier: GPL-2.0-only */
/* How often a kernel function is called, counted by a kprobe event. */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>

bool calls_begin(const char *function);	/* false if the function's calls cannot be counted */
long calls_so_far(void);
void calls_end(void);

#endif /* CALLS_H */
