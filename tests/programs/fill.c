// SPDX-License-Identifier: GPL-2.0-only
#include <glob.h>

#include "fill.h"
#include "numa.h"
#include "tap.h"

#define ROUGHLY_MIB 96
#define BLOCKS "/sys/devices/system/node/node%d/memory[0-9]*/state"
#define HUGE_PAGES "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages"

/*
 * Freed pages go to a per-CPU list first, where the allocator does not look for them when the node
 * is full, unless reclaim makes progress. By default the list grows to an eighth of the node.
 */
#define CPU_LISTS "/proc/sys/vm/percpu_pagelist_high_fraction"

static int full = -1;

static void set_blocks(int node, const char *state)
{
	char path[64];
	glob_t blocks;
	size_t i;

	snprintf(path, sizeof(path), BLOCKS, node);
	must(!glob(path, 0, NULL, &blocks));
	/*
	 * Blocks that are in use stay online, and blocks that are already in @state do not change.
	 */
	for (i = 0; i < blocks.gl_pathc; i++)
		memory_block_set(blocks.gl_pathv[i], state);
	globfree(&blocks);
}

void node_fill(int node)
{
	static bool registered;
	char path[128], text[32];
	long mib;

	must(full < 0 && (registered || !atexit(node_empty)));
	registered = true;
	full = node;
	write_file(CPU_LISTS, "1000");
	set_blocks(node, "offline");
	mib = node_meminfo_kb(node, "MemFree") / 1024 - ROUGHLY_MIB;
	if (mib > 0) {
		snprintf(path, sizeof(path), HUGE_PAGES, node);
		snprintf(text, sizeof(text), "%ld", mib / 2);
		write_file(path, text);
	}
}

void node_empty(void)
{
	char path[128];

	if (full < 0)
		return;
	snprintf(path, sizeof(path), HUGE_PAGES, full);
	write_file(path, "0");
	set_blocks(full, "online");
	write_file(CPU_LISTS, "0");
	full = -1;
}
