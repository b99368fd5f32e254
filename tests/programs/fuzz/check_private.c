// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares private pages with the model: for each frame of a VM, whether the file has a page there and
 * on which node, by both witnesses, the file and the RMP; how many pages the RMP has; and whether it
 * has seen anything that hardware would not forgive.
 */
#include "fuzz.h"

/* What the RMP had seen when the sequence began. */
static uint64_t wrong_before;

void check_private_start(void)
{
	if (kernel.private)
		wrong_before = private_rmp().wrong;
}

static bool check_node(struct page *p, int vm, int gpa, int node, const char *witness)
{
	if (p->node == NODE_ANY && node >= 0 && p->nodes & NODE(node))
		p->node = node;
	if (node == p->node)
		return true;
	failure("frame %d of VM %d: by %s its page is on node %d, not on %d (of nodes %#lx)", gpa, vm,
		witness, node, p->node, p->nodes);
	return false;
}

static bool check_cached(struct model *m, int vm, int gpa, int node)
{
	const struct slot *s = model_slot_at(&m->vm[vm], gpa);
	struct page *p = NULL;
	int want = PRIVATE_MEM_NO_FILE;

	if (s && s->flags & KVM_MEM_GUEST_MEMFD && s->file >= 0) {
		p = &m->file[s->file].page[s->file_page + gpa - s->gpa];
		want = PRIVATE_MEM_NO_PAGE;
	}
	if (p && p->present)
		return check_node(p, vm, gpa, node, "the file");
	if (node != want)
		failure("frame %d of VM %d has status %d, not %d", gpa, vm, node, want);
	return node == want;
}

/*
 * The RMP keeps the frame that a page had when it became the guest's. Afterwards, the VMM may have put
 * the page elsewhere, and another one there.
 */
static bool check_rmp_node(struct model *m, int vm, int gpa, int node)
{
	struct page *found = NULL;
	int i, j, n = 0;

	for (i = 0; i < FILES; i++) {
		for (j = 0; m->file[i].alive && m->file[i].vm == vm && j < m->file[i].pages; j++) {
			struct page *p = &m->file[i].page[j];

			if (!p->present || !p->prepared || p->gfn != gpa)
				continue;
			found = p;
			n++;
		}
	}
	if (n == 1)
		return check_node(found, vm, gpa, node, "the RMP");
	if (!n && node != PRIVATE_MEM_NO_PAGE)
		failure("frame %d of VM %d: the RMP has a page on node %d, not none", gpa, vm, node);
	return n || node == PRIVATE_MEM_NO_PAGE;
}

static bool check_vm(struct model *m, int vm)
{
	int8_t cached[ATTRIBUTES], prepared[ATTRIBUTES];
	int i;

	private_nodes(&world.vm[vm], PRIVATE_MEM_PAGE_CACHE, VMM_TEST_GPA, ATTRIBUTES, cached);
	private_nodes(&world.vm[vm], PRIVATE_MEM_GUEST, VMM_TEST_GPA, ATTRIBUTES, prepared);
	for (i = 0; i < ATTRIBUTES; i++) {
		if (!check_cached(m, vm, i, cached[i]))
			return false;
		if (kernel.rmp && !check_rmp_node(m, vm, i, prepared[i]))
			return false;
	}
	return true;
}

static bool check_rmp(const struct model *m)
{
	struct private_mem_rmp rmp = private_rmp();
	long want = 0;
	int i, j;

	for (i = 0; i < FILES; i++) {
		for (j = 0; m->file[i].alive && j < m->file[i].pages; j++)
			want += m->file[i].page[j].present && m->file[i].page[j].prepared;
	}
	if (rmp.wrong != wrong_before)
		failure("hardware would not have forgiven this: %s", rmp.first);
	else if (kernel.rmp && (long)rmp.assigned != want)
		failure("the RMP has %ld pages, not %ld", (long)rmp.assigned, want);
	return !shared->failed;
}

/* Runs in the first process. */
bool check_private(void)
{
	struct model *m = &shared->model;
	int i;

	if (!kernel.private)
		return true;
	for (i = 0; i < VMS; i++) {
		if (m->vm[i].open && m->vm[i].private && !check_vm(m, i))
			return false;
	}
	return check_rmp(m);
}
