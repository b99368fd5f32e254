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
	for (i = 0; i < NODES; i++)
		m->weight[i] = 1;
	m->process[0].alive = true;
	m->process[0].policy = policy_none;
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

void model_punch(struct model *m, int file, long first, long end)
{
	long i;

	for (i = first; i < end && i < m->file[file].pages; i++)
		m->file[file].page[i].present = false;
}

/*
 * Allocates the page if it is not in the file, by the policy of the file, or else of the process.
 */
void model_allocate(struct model *m, int proc, int file, int index)
{
	const struct process *p = &m->process[proc];
	struct file *f = &m->file[file];
	struct page *page = &f->page[index];
	bool own = f->policy[index].mode != MPOL_DEFAULT;
	int i;

	if (page->present)
		return;

	*page = (struct page){ .present = true, .fresh = true, .node = NODE_ANY };
	page->nodes = policy_place(m, own ? &f->policy[index] : &p->policy, p->node,
				   own ? index : -1);
	for (i = 0; i < NODES; i++) {
		if (page->nodes == NODE(i))
			page->node = i;
	}
}
