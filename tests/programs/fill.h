/* SPDX-License-Identifier: GPL-2.0-only */
/* A node without memory. */
#ifndef TEST_FILL_H
#define TEST_FILL_H

/*
 * Fill a node quickly, except for a hundred MiB, which is more than the kernel keeps for itself:
 * unused memory blocks go offline, and most of what is left becomes huge pages. The node is
 * emptied when the program ends, or before.
 */
void node_fill(int node);
void node_empty(void);

#endif /* TEST_FILL_H */
