/* SPDX-License-Identifier: GPL-2.0-only */
/* The NUMA calls that the tests use, and the two witnesses of which node a page is on. */
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

void run_on_node(int node);	/* on its first CPU: there are two on each node */

/* Witness 1: the node of a mapped page, or -errno; does not touch the page. */
int page_node(void *addr);

/*
 * Read each page, which maps it if it is in the file, and count the pages that are not on
 * @want(i).
 */
unsigned long pages_off(void *addr, unsigned long n, int (*want)(unsigned long i));

/* Witness 2: file pages per node that were charged to this process's own cgroup. */
void cgroup_make(const char *name);
void cgroup_enter(const char *name);
void cgroup_leave(const char *name);
int cgroup_open(const char *name, const char *file);
void cgroup_write(const char *name, const char *file, const char *text);
/* The number that follows a key in a file of the cgroup; -1 if the key is not there. */
long cgroup_value(const char *name, const char *file, const char *key);
void cgroup_file_pages(const char *name, long pages[NODES]);
/* The pages that were added since @before. Waits until they are @n altogether, but not for ever. */
void cgroup_file_pages_added(const char *name, const long before[NODES], long n,
			     long added[NODES]);
long cgroup_slab_bytes(const char *name);	/* slab memory charged to the cgroup */

/* How many pages of a mapping are in the file; @first: they are the first ones, without a gap. */
unsigned long pages_present(void *addr, unsigned long n, bool *first);

/* The number in the line @what of the node's meminfo. */
long node_meminfo_kb(int node, const char *what);

void write_file(const char *path, const char *text);

/* A count of /proc/vmstat. */
long vm_events(const char *what);

/*
 * Take a memory block offline or online by writing its state to sysfs. If its pages can neither be
 * moved nor freed, the kernel retries until a signal arrives, so a timer sends one. Return 0, or
 * an errno.
 */
int memory_block_set(const char *path, const char *state);

/*
 * The number of a node's unevictable pages. Those of a guest_memfd are counted until they are
 * freed.
 */
long node_unevictable_pages(int node);

#endif /* TEST_NUMA_H */
