// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls and not libnuma: nothing else is needed of it, and a host that runs VMs
 * need not have it.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nodes.h"

#define WORD (8 * sizeof(unsigned long))

struct mask {
	unsigned long word[NODES_MAX / WORD];
};

/* As /sys/devices/system/node has them: "0,2-3". */
static int read_list(const char *path, struct mask *mask)
{
	unsigned int first, last;
	FILE *f = fopen(path, "r");
	int c = ',';

	if (!f)
		return -1;
	while (c == ',' && fscanf(f, "%u", &first) == 1) {
		last = first;
		c = fgetc(f);
		if (c == '-' && fscanf(f, "%u", &last) == 1)
			c = fgetc(f);
		for (; first <= last && first < NODES_MAX; first++)
			mask->word[first / WORD] |= 1UL << first % WORD;
	}
	fclose(f);
	return 0;
}

static bool is_in(const struct mask *mask, int node)
{
	return mask->word[node / WORD] & 1UL << node % WORD;
}

/*
 * A page of a guest_memfd never migrates, so it cannot be in ZONE_MOVABLE, which is all that a
 * node of CXL memory may have.
 */
int nodes_allowed(struct nodes *nodes, struct nodes *movable)
{
	struct mask memory = {}, normal = {}, allowed = {};
	int i;

	nodes->count = movable->count = 0;
	/* A kernel without NUMA has one node and does not list it. */
	if (read_list("/sys/devices/system/node/has_memory", &memory) ||
	    read_list("/sys/devices/system/node/has_normal_memory", &normal))
		memory.word[0] = normal.word[0] = 1;
	if (syscall(SYS_get_mempolicy, NULL, &allowed, NODES_MAX, NULL, MPOL_F_MEMS_ALLOWED)) {
		if (errno != ENOSYS)
			return -1;
		allowed.word[0] = 1;
	}
	for (i = 0; i < NODES_MAX; i++) {
		if (!is_in(&memory, i) || !is_in(&allowed, i))
			continue;
		if (is_in(&normal, i))
			nodes->id[nodes->count++] = i;
		else
			movable->id[movable->count++] = i;
	}
	return 0;
}

/* By zone, as what is free in ZONE_MOVABLE is of no use here. */
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

int place(void *addr, size_t len, enum placing placing, const struct nodes *nodes)
{
	int i, mode = placing == PLACE_BIND ? MPOL_BIND : MPOL_INTERLEAVE;
	struct mask mask = {};

	for (i = 0; i < nodes->count; i++)
		mask.word[nodes->id[i] / WORD] |= 1UL << nodes->id[i] % WORD;
	/* The kernel takes one bit less than it is told. */
	return syscall(SYS_mbind, addr, len, mode, &mask, NODES_MAX + 1, 0);
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
	r = syscall(SYS_move_pages, 0, pages, page, NULL, node, 0);
	free(page);
	return r ? -1 : 0;
}
