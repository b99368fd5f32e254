// SPDX-License-Identifier: GPL-2.0-only
/* Files, pages, VMs, processes, and which object keeps which alive. */
#include "fuzz.h"

void model_start(struct model *m)
{
	int i;

	memset(m, 0, sizeof(*m));
	m->loaded = true;
	m->tsc_gate = true;
	m->private_policy = true;
	m->huge = kernel.huge;
	for (i = 0; i < NODES; i++)
		m->weight[i] = 1;
	m->process[0].alive = true;
	m->process[0].policy = policy_none;
}

/* Copies only what is in use. */
void model_copy(struct model *to, const struct model *from)
{
	int i;

	memcpy(to, from, offsetof(struct model, file));
	for (i = 0; i < FILES; i++) {
		struct file *t = &to->file[i];
		const struct file *f = &from->file[i];

		memcpy(t, f, offsetof(struct file, page));
		memcpy(t->page, f->page, f->pages * sizeof(f->page[0]));
		memcpy(t->policy, f->policy, limits.policy * sizeof(f->policy[0]));
		memcpy(t->range, f->range, limits.policy * sizeof(f->range[0]));
	}
}

bool model_can_map(const struct file *f)
{
	return f->flags & GUEST_MEMFD_FLAG_MMAP;
}

/* True if the host may access the file. */
bool model_shares(const struct file *f)
{
	return model_can_map(f) && (f->flags & GUEST_MEMFD_FLAG_INIT_SHARED);
}

bool model_file_is_mapped(const struct model *m, int file)
{
	int i, j;

	for (i = 0; i < PROCS; i++) {
		for (j = 0; j < m->process[i].vmas; j++) {
			if (m->process[i].vma[j].file == file)
				return true;
		}
	}
	return false;
}

/* How many page table entries a page has, after a check has touched all pages. */
int model_mapcount(const struct model *m, int file, int index)
{
	int i, j, count = 0;

	for (i = 0; i < PROCS; i++) {
		for (j = 0; j < m->process[i].vmas; j++) {
			const struct vma *v = &m->process[i].vma[j];

			count += v->file == file && v->prot && index >= v->off &&
				 index < v->off + v->end - v->start;
		}
	}
	return count;
}

static bool file_is_held(const struct model *m, int file)
{
	return m->process[0].open[file] || m->process[1].open[file] ||
	       model_file_is_mapped(m, file);
}

/* The file's slots stay, but have no file any more. */
static void file_dies(struct model *m, int file)
{
	struct slot *s = &m->vm[m->file[file].vm].slot[0][0];
	int i;

	for (i = 0; i < SPACES * SLOTS; i++, s++) {
		if (s->file == file)
			s->file = -1;
	}
	memset(&m->file[file], 0, sizeof(m->file[file]));
}

static bool vm_is_held(const struct model *m, int vm)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (m->file[i].alive && m->file[i].vm == vm)
			return true;
	}
	return m->vm[vm].open || m->vm[vm].inherited;
}

/* An object was closed or unmapped: remove every object without a reference. */
void model_settle(struct model *m)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (m->file[i].alive && !file_is_held(m, i))
			file_dies(m, i);
	}
	for (i = 0; i < VMS; i++) {
		if (m->vm[i].alive && !vm_is_held(m, i))
			memset(&m->vm[i], 0, sizeof(m->vm[i]));
	}
}

const struct slot *model_slot_at(const struct vm *vm, int gpa)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		const struct slot *s = &vm->slot[0][i];

		if (gpa >= s->gpa && gpa < s->gpa + s->pages)
			return s;
	}
	return NULL;
}

/* Without such a VM, there is nothing for the operations on private memory to do. */
bool model_has_private_vm(const struct model *m)
{
	int i;

	for (i = 0; i < VMS; i++) {
		if (m->vm[i].open && m->vm[i].private)
			return true;
	}
	return false;
}

/* References to the module: one per inode, and one per bound slot. */
int model_references(const struct model *m)
{
	int i, n = 0;

	for (i = 0; i < FILES; i++)
		n += m->file[i].alive && !m->file[i].kvms_own;
	for (i = 0; i < VMS * SPACES * SLOTS; i++) {
		const struct vm *vm = &m->vm[i / (SPACES * SLOTS)];
		const struct slot *s = &vm->slot[i / SLOTS % SPACES][i % SLOTS];

		n += s->pages && (s->flags & KVM_MEM_GUEST_MEMFD) && !vm->private;
	}
	return n;
}

/* A folio of 2 MiB that loses some of its pages is split, because nobody else holds it. */
void model_punch(struct model *m, int file, long first, long end)
{
	struct file *f = &m->file[file];
	long i;

	for (i = first; i < end && i < f->pages; i++) {
		f->page[i].present = false;
		f->folios[i / HUGE_PAGES] = FOLIOS_SMALL;
	}
}

static void page_come(struct model *m, const struct process *p, struct page *page,
		      const struct policy *policy, long index)
{
	int i;

	*page = (struct page){ .present = true, .fresh = true, .node = NODE_ANY };
	page->nodes = policy_place(m, policy, p->node, index);
	for (i = 0; i < NODES; i++) {
		if (page->nodes == NODE(i))
			page->node = i;
	}
}

/* The mappings of all processes have a say. */
static bool huge_is_wanted(const struct model *m, int file, int start)
{
	bool wanted = m->file[file].huge != HUGE_ADVISE;
	int i, j, end = start + HUGE_PAGES;

	for (i = 0; i < PROCS; i++) {
		for (j = 0; j < m->process[i].vmas; j++) {
			const struct vma *v = &m->process[i].vma[j];
			int last = v->off + v->end - v->start;

			if (v->file != file || v->off >= end || last <= start)
				continue;
			if (v->flags & VMA_NOHUGE)
				return false;
			wanted |= v->flags & VMA_HUGE && v->off <= start && last >= end;
		}
	}
	return wanted;
}

/* The 2 MiB are inside what may be allocated, wholly absent, and have one policy, set at once. */
static bool huge_is_possible(const struct file *f, int start, int first, int end)
{
	int i;

	if (f->huge == HUGE_NEVER || start < first || end - start < (int)HUGE_PAGES)
		return false;
	for (i = start; i < start + (int)HUGE_PAGES; i++) {
		if (f->page[i].present || f->range[i] != f->range[start])
			return false;
	}
	return true;
}

/*
 * Allocates the page if it is not in the file, by the policy of the file, or else of the process; with
 * the 2 MiB that it belongs to, if they are within @first and @end. 2 MiB are interleaved by their number,
 * whosever the policy is.
 */
void model_allocate(struct model *m, int proc, int file, int index, int first, int end)
{
	const struct process *p = &m->process[proc];
	struct file *f = &m->file[file];
	bool own = f->policy[index].mode != MPOL_DEFAULT;
	const struct policy *policy = own ? &f->policy[index] : &p->policy;
	int start = index - index % HUGE_PAGES, i;

	if (f->page[index].present)
		return;
	if (!huge_is_possible(f, start, first, end) || !huge_is_wanted(m, file, start)) {
		page_come(m, p, &f->page[index], policy, own ? index : -1);
		return;
	}
	for (i = start; i < start + (int)HUGE_PAGES; i++)
		page_come(m, p, &f->page[i], policy, start / HUGE_PAGES);
	f->folios[start / HUGE_PAGES] = FOLIOS_HUGE;
}
