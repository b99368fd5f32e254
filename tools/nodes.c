// SPDX-License-Identifier: GPL-2.0-only
/*
 * libnuma sizes node masks as the kernel does, and parses the kernel's lists of nodes. A host
 * that runs VMs usually has libnuma, because QEMU uses it.
 *
 * System calls are made through the wrappers of numaif.h, which set errno. The numa_*() functions
 * that make the same calls print a message instead, and may exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <numa.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nodes.h"

/*
 * The nodes that a file in sysfs lists; node 0 if there is no such file. NULL with errno if libnuma
 * cannot parse the list: it knows no node whose number is higher than that of any possible CPU.
 */
static struct bitmask *read_nodes(const char *path)
{
	struct bitmask *nodes = NULL;
	FILE *f = fopen(path, "r");
	char list[4096];

	if (!f)
		return numa_bitmask_setbit(numa_allocate_nodemask(), 0);
	if (fgets(list, sizeof(list), f)) {
		list[strcspn(list, "\n")] = 0;
		/* numa_parse_nodestring() would refuse nodes outside of the cpuset. */
		nodes = numa_parse_nodestring_all(list);
	}
	fclose(f);
	if (!nodes)
		errno = ERANGE;
	return nodes;
}

static int mems_allowed(struct bitmask *allowed)
{
	return get_mempolicy(NULL, allowed->maskp, allowed->size + 1, NULL, MPOL_F_MEMS_ALLOWED);
}

/*
 * A page of a guest_memfd never migrates, so it cannot be in ZONE_MOVABLE, which may be the only
 * zone of a node of CXL memory.
 */
int nodes_allowed(struct nodes *nodes, struct nodes *movable)
{
	struct bitmask *memory, *normal, *allowed;
	int i, r = -1;

	nodes->count = movable->count = 0;
	if (numa_available() < 0) {
		/* libnuma 2.0.19 also returns -1 where a seccomp filter returns EPERM. */
		if (errno != ENOSYS)
			return -1;
		/* A kernel without NUMA has one node and does not list it. */
		nodes->id[nodes->count++] = 0;
		return 0;
	}
	memory = read_nodes("/sys/devices/system/node/has_memory");
	normal = read_nodes("/sys/devices/system/node/has_normal_memory");
	allowed = numa_allocate_nodemask();
	if (memory && normal)
		r = mems_allowed(allowed);
	for (i = 0; !r && i < NODES_MAX; i++) {
		if (!numa_bitmask_isbitset(memory, i) || !numa_bitmask_isbitset(allowed, i))
			continue;
		if (numa_bitmask_isbitset(normal, i))
			nodes->id[nodes->count++] = i;
		else
			movable->id[movable->count++] = i;
	}
	numa_bitmask_free(memory);
	numa_bitmask_free(normal);
	numa_bitmask_free(allowed);
	return r;
}

/*
 * Sums up the zones without ZONE_MOVABLE, whose free memory a guest_memfd cannot use.
 * numa_node_size64() counts all zones.
 */
long long node_free(int node)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long long pages, sum = -1;
	char line[160], zone[32];
	bool ours = false;
	int id;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %d, zone %31s", &id, zone) == 2)
			ours = id == node && strcmp(zone, "Movable") && strcmp(zone, "Device");
		else if (ours && sscanf(line, " pages free %lld", &pages) == 1)
			sum = (sum < 0 ? 0 : sum) + pages;
	}
	fclose(f);
	return sum < 0 ? -1 : sum * sysconf(_SC_PAGESIZE);
}

long long node_file_pages(int node)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);
	long long kib = -1;
	char path[64], line[160];
	FILE *f;

	/* Have each CPU hand in what it has counted. Only root may; without that, some pages are missing. */
	if (fd >= 0) {
		if (write(fd, "1", 1) != 1)
			kib = -1;
		close(fd);
	}
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %*d FilePages: %lld kB", &kib) != 1)
			kib = -1;
	}
	fclose(f);
	return kib < 0 ? -1 : kib * 1024 / sysconf(_SC_PAGESIZE);
}

int place(void *addr, size_t len, enum placing placing, const struct nodes *nodes)
{
	int i, r, mode = placing == PLACE_BIND ? MPOL_BIND : MPOL_INTERLEAVE;
	struct bitmask *mask = numa_allocate_nodemask();

	for (i = 0; i < nodes->count; i++)
		numa_bitmask_setbit(mask, nodes->id[i]);
	/* The kernel uses one bit less than the number that it is given. */
	r = mbind(addr, len, mode, mask->maskp, mask->size + 1, 0);
	numa_bitmask_free(mask);
	return r;
}

int where(char *addr, unsigned long pages, int *node)
{
	unsigned long i, size = sysconf(_SC_PAGESIZE);
	void **page = calloc(pages, sizeof(*page));
	int r;

	if (!page)
		return -1;
	for (i = 0; i < pages; i++)
		page[i] = addr + i * size;
	r = move_pages(0, pages, page, NULL, node, 0);
	free(page);
	return r ? -1 : 0;
}
