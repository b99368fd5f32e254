/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's NUMA nodes, as far as this process may use them, and where pages lie. */
#ifndef CHECK_NODES_H
#define CHECK_NODES_H

#include <stdbool.h>
#include <stddef.h>

#define NODES_MAX 1024	/* more than any kernel is built for */

struct nodes {
	int count;
	int id[NODES_MAX];	/* ascending */
};

/*
 * Those that the cpuset allows: with memory that guest_memfd can have, and with none but
 * ZONE_MOVABLE. Return 0, or -1 with errno.
 */
int nodes_allowed(struct nodes *nodes, struct nodes *movable);

/* Free memory of a node that guest_memfd can have, in bytes; -1 if the kernel does not tell. */
long long node_free(int node);

enum placing { PLACE_BIND, PLACE_INTERLEAVE };

/* Set the policy of a mapping. Return 0, or -1 with errno. */
int place(void *addr, size_t len, enum placing placing, const struct nodes *nodes);

/* The node of each page that is mapped, or -errno. Return 0, or -1 with errno. */
int where(char *addr, unsigned long pages, int *node);

#endif /* CHECK_NODES_H */
