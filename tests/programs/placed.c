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

static void check_pages(const struct placed_range *r, const int8_t *nodes, const char *witness,
			const char *when)
{
	uint64_t n = r->size / PAGE, i, off = 0, missing = 0;

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
	   when, r->name, r->gpa, witness, n);
	if (off || missing)
		printf("#   %lu do not follow it, %lu are not there\n", off, missing);
}

static void check_counts(const struct placed_range *r, const int8_t *nodes, const char *when)
{
	uint64_t n = r->size / PAGE, i, on[NODES] = {};

	for (i = 0; i < n; i++) {
		if (nodes[i] >= 0 && nodes[i] < NODES)
			on[nodes[i]]++;
	}
	if (r->nodes == BOTH_NODES)
		ok(on[0] == on[1], "%s: %s at %#lx: as many pages on either node (%lu, %lu)",
		   when, r->name, r->gpa, on[0], on[1]);
	else if (r->nodes)
		ok(!on[r->nodes == NODE(0)], "%s: %s at %#lx: none on another node (%lu, %lu)",
		   when, r->name, r->gpa, on[0], on[1]);
}

/*
 * The witnesses are asked before the shared half is touched: a host that writes to a page of it for
 * the first time makes KVM before 6.14 forget where the guest has the private page mapped.
 */
void placed_check(const struct placed_range *r, const char *when)
{
	uint64_t n = r->size / PAGE;
	int8_t *cached = malloc(n), *guest = malloc(n);

	must(cached && guest);
	private_nodes(r->vm, PRIVATE_MEM_PAGE_CACHE, r->gpa, n, cached);
	private_nodes(r->vm, PRIVATE_MEM_GUEST, r->gpa, n, guest);
	check_pages(r, cached, "page cache", when);
	if (!r->one_witness)
		check_pages(r, guest, "guest", when);
	check_counts(r, cached, when);
	free(cached);
	free(guest);
}
