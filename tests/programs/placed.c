// SPDX-License-Identifier: GPL-2.0-only
#include "numa.h"
#include "placed.h"
#include "private.h"
#include "tap.h"

static int shared_node(const struct placed_range *r, uint64_t i)
{
	volatile char *page = r->host + i * PAGE;

	*page = *page;
	return page_node((void *)page);
}

static void check_pages(const struct placed_range *r, int witness, const char *when)
{
	static const char *const witnesses[] = { "page cache", "RMP" };
	uint64_t n = r->size / PAGE, i, off = 0, missing = 0;
	int8_t *nodes = malloc(n);

	private_nodes(r->vm, witness, r->gpa, n, nodes);
	for (i = 0; i < n; i++) {
		int want;

		missing += nodes[i] < 0;
		if (nodes[i] < 0 || !r->nodes)
			continue;
		want = shared_node(r, i);
		if (nodes[i] != want && off++ < 3)
			printf("#   %#lx is on node %d, its page of the shared half on node %d\n",
			       r->gpa + i * PAGE, nodes[i], want);
	}
	ok(!off && !missing, "%s: %s at %#lx, %s: all %lu pages are there and follow the policy",
	   when, r->name, r->gpa, witnesses[witness], n);
	if (off || missing)
		printf("#   %lu do not follow it, %lu are not there\n", off, missing);
	free(nodes);
}

static void check_counts(const struct placed_range *r, const char *when)
{
	uint64_t n = r->size / PAGE, i, on[NODES] = {};
	int8_t *nodes = malloc(n);

	private_nodes(r->vm, PRIVATE_MEM_PAGE_CACHE, r->gpa, n, nodes);
	for (i = 0; i < n; i++) {
		if (nodes[i] >= 0 && nodes[i] < NODES)
			on[nodes[i]]++;
	}
	free(nodes);
	if (r->nodes == BOTH_NODES)
		ok(on[0] == on[1], "%s: %s at %#lx: as many pages on either node (%lu, %lu)",
		   when, r->name, r->gpa, on[0], on[1]);
	else if (r->nodes)
		ok(!on[r->nodes == NODE(0)], "%s: %s at %#lx: none on another node (%lu, %lu)",
		   when, r->name, r->gpa, on[0], on[1]);
}

void placed_check(const struct placed_range *r, const char *when)
{
	check_pages(r, PRIVATE_MEM_PAGE_CACHE, when);
	if (!r->no_rmp)
		check_pages(r, PRIVATE_MEM_RMP, when);
	check_counts(r, when);
}
