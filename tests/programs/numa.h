/* SPDX-License-Identifier: GPL-2.0-only */
/* NUMA calls as the tests use them, and the witnesses of where a page lies. */
#ifndef TEST_NUMA_H
#define TEST_NUMA_H

#include <numaif.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MPOL_PREFERRED_MANY
#define MPOL_PREFERRED_MANY 5
#endif
#ifndef MPOL_WEIGHTED_INTERLEAVE
#define MPOL_WEIGHTED_INTERLEAVE 6
#endif

#define NODES 2
#define NODE(n) (1UL << (n))
#define BOTH_NODES (NODE(0) | NODE(1))

/* mbind() and get_mempolicy() with a mask of one word. */
int set_policy(void *addr, size_t len, int mode, unsigned long nodes);
int get_policy(void *addr, int *mode, unsigned long *nodes);

/* Witness 1: the node of a mapped page, or -errno; does not touch the page. */
int page_node(void *addr);

/* Touch for reading, which maps what is there, and count pages off @want(i). */
unsigned long pages_off(void *addr, unsigned long n, int (*want)(unsigned long i));

/* Witness 2: pages of files that this process's own cgroup was charged, per node. */
void cgroup_make(const char *name);
void cgroup_enter(const char *name);
void cgroup_leave(const char *name);
int cgroup_open(const char *name, const char *file);
void cgroup_write(const char *name, const char *file, const char *text);
/* The number behind a key in a file of a cgroup; -1 if there is none. */
long cgroup_value(const char *name, const char *file, const char *key);
void cgroup_file_pages(const char *name, long pages[NODES]);
/* What came since, once it is @n altogether, or will not be. */
void cgroup_file_pages_added(const char *name, const long before[NODES], long n,
			     long added[NODES]);
long cgroup_slab_bytes(const char *name);	/* what the kernel holds on its behalf */

/* How many pages of a mapping are in the file; and are they the first ones, without a gap? */
unsigned long pages_present(void *addr, unsigned long n, bool *first);

/* The number in such a line of the node's meminfo. */
long node_meminfo_kb(int node, const char *what);

/* A count of /proc/vmstat. */
long vm_events(const char *what);

/*
 * Take a block of memory offline or online, by its state in sysfs. One whose pages can neither be
 * moved nor freed is tried until a signal comes, so one does. Return 0, or an errno.
 */
int memory_block_set(const char *path, const char *state);

/* Pages of a node that cannot be evicted, as those of a guest_memfd, until they are freed. */
long node_unevictable_pages(int node);

#endif /* TEST_NUMA_H */
