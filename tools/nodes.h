/* SPDX-License-Identifier: GPL-2.0-only */
/* The NUMA nodes of the host that this process may use, and the nodes on which pages are. */
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
 * The nodes that the cpuset allows: @nodes have memory that guest_memfd can use, @movable have
 * only ZONE_MOVABLE. Return 0, or -1 with errno.
 */
int nodes_allowed(struct nodes *nodes, struct nodes *movable);

/* The free memory of a node that guest_memfd can use, in bytes; -1 if it is not known. */
long long node_free(int node);

/* The pages of files that a node has, as exactly as the kernel tells; -1 with errno. */
long long node_file_pages(int node);

enum placing { PLACE_BIND, PLACE_INTERLEAVE };

/* Set the policy of a mapping. Return 0, or -1 with errno. */
int place(void *addr, size_t len, enum placing placing, const struct nodes *nodes);

/* Set @node[] to the node of each mapped page, or to -errno. Return 0, or -1 with errno. */
int where(char *addr, unsigned long pages, int *node);

#endif /* CHECK_NODES_H */
