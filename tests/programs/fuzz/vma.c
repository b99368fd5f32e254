// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mappings of a process.
 *
 * Where one mapping ends and the next begins can be seen from outside: mbind() sets the policy of
 * a whole merged mapping, and skips a mapping that has the policy already.
 */
#include "fuzz.h"

static int vma_index(const struct process *p, int page)
{
	int i;

	for (i = 0; i < p->vmas; i++) {
		if (page >= p->vma[i].start && page < p->vma[i].end)
			return i;
	}
	return -1;
}

struct vma *vma_find(struct process *p, int page)
{
	int i = vma_index(p, page);

	return i < 0 ? NULL : &p->vma[i];
}

const struct vma *vma_at(const struct process *p, int page)
{
	int i = vma_index(p, page);

	return i < 0 ? NULL : &p->vma[i];
}

/* The first page from @page on that is mapped; limits.arena if there is none. */
int vma_next(const struct process *p, int page)
{
	while (page < limits.arena && vma_index(p, page) < 0)
		page++;
	return page;
}

static void vma_remove(struct process *p, int i)
{
	memmove(&p->vma[i], &p->vma[i + 1], (--p->vmas - i) * sizeof(p->vma[0]));
}

/* Returns the index of the new mapping. */
static int vma_insert(struct process *p, struct vma v)
{
	int i = 0;

	while (i < p->vmas && p->vma[i].start < v.start)
		i++;
	must(p->vmas < MAPPINGS);
	memmove(&p->vma[i + 1], &p->vma[i], (p->vmas++ - i) * sizeof(p->vma[0]));
	p->vma[i] = v;
	return i;
}

/* Does nothing if the range is empty: it must not split a mapping. */
void vma_unmap(struct process *p, int start, int end)
{
	int i = 0;

	if (start >= end)
		return;
	while (i < p->vmas) {
		struct vma v = p->vma[i];

		if (v.end <= start || v.start >= end) {
			i++;
			continue;
		}
		vma_remove(p, i);
		if (v.start < start) {
			struct vma left = v;

			left.end = start;
			i = vma_insert(p, left) + 1;
		}
		if (v.end > end) {
			struct vma right = v;

			right.off += end - v.start;
			right.start = end;
			i = vma_insert(p, right) + 1;
		}
	}
}

static bool vma_joins(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->file == b->file && a->off + a->end - a->start == b->off &&
	       a->prot == b->prot && a->flags == b->flags && policy_equal(&a->policy, &b->policy);
}

static int vma_merge(struct process *p, int i, bool left, bool right)
{
	if (right && i + 1 < p->vmas && vma_joins(&p->vma[i], &p->vma[i + 1])) {
		p->vma[i].end = p->vma[i + 1].end;
		vma_remove(p, i + 1);
	}
	if (left && i > 0 && vma_joins(&p->vma[i - 1], &p->vma[i])) {
		p->vma[i - 1].end = p->vma[i].end;
		vma_remove(p, i--);
	}
	return i;
}

/* Adds a mapping where there is none, and merges it with its neighbours. */
void vma_add(struct process *p, struct vma v)
{
	vma_merge(p, vma_insert(p, v), true, true);
}

/**
 * vma_change() - give a part of one mapping the attributes of @to
 * @p: a process
 * @start: first page
 * @end: page behind the last, in the same mapping
 * @to: protection, flags and policy
 *
 * The part is split off. It is merged with a neighbour only at an end of the old mapping:
 * elsewhere, the neighbour is what remains of the old mapping.
 *
 * Return: the mapping that has the attributes now, which may be larger.
 */
const struct vma *vma_change(struct process *p, int start, int end, const struct vma *to)
{
	struct vma old = *vma_find(p, start), new = *to;

	new.start = start;
	new.end = end;
	new.file = old.file;
	new.off = old.off + start - old.start;
	vma_unmap(p, start, end);
	return &p->vma[vma_merge(p, vma_insert(p, new), start == old.start, end == old.end)];
}
