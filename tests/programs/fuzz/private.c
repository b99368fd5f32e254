// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private pages: those of KVM's own guest_memfds. A page comes from the node that the policy of the
 * slot's userspace_addr names at the time when it is allocated, if the module sees the allocation;
 * else KVM allocates it, by the policy of the task.
 */
#include "fuzz.h"

bool private_is(const struct vm *vm, int gpa)
{
	return gpa >= 0 && gpa < ATTRIBUTES && vm->attribute[gpa];
}

/*
 * True if it is not for the model to say what the guest's own access to the frame does. It cannot
 * be private, so where KVM has mapped a private page, the guest may get at it. Shared frames of a
 * private slot are memory of the host. And KVM may remember that there was no slot.
 */
bool private_is_reached(const struct model *m, int vm, int gpa)
{
	const struct slot *s = model_slot_at(&m->vm[vm], gpa);
	bool private = private_is(&m->vm[vm], gpa);

	if (!m->vm[vm].private)
		return false;
	if (!s)
		return private;
	if (!(s->flags & KVM_MEM_GUEST_MEMFD))
		return false;
	return !private ||
	       (s->file >= 0 && m->file[s->file].page[s->file_page + gpa - s->gpa].present);
}

static const struct policy *policy_of_host(const struct model *m, int page, long *index)
{
	const struct host_page *h = &m->host[page];

	if (page >= HOST_PAGES || h->kind == HOST_NONE)
		return NULL;
	*index = h->index + (h->kind == HOST_MEMFD ? m->host_inode : 0);
	return &h->policy;
}

static const struct policy *policy_of_arena(const struct model *m, int page, long *index)
{
	const struct vma *v = vma_at(&m->process[0], page);

	if (!v)
		return NULL;
	*index = v->off + page - v->start;
	return &m->file[v->file].policy[*index];
}

/* The policy that the VMM has set for a page of the slot, or NULL. */
static const struct policy *policy_of_slot(const struct model *m, const struct slot *s, int page,
					   long *index)
{
	const struct policy *p = NULL;

	if (s->hva >= HVA_HOST)
		p = policy_of_host(m, s->hva - HVA_HOST + page, index);
	else if (s->hva >= HVA_ARENA)
		p = policy_of_arena(m, s->hva - HVA_ARENA + page, index);
	return p && p->mode != MPOL_DEFAULT ? p : NULL;
}

static bool noted_now(const struct model *m)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (m->file[i].alive && m->file[i].noted)
			return true;
	}
	return false;
}

/* Puts a page into the file, which does not have it. */
static void add_page(struct model *m, int proc, int file, int index, const struct slot *s, bool by_file)
{
	const struct process *p = &m->process[proc];
	struct page *page = &m->file[file].page[index];
	const struct policy *policy = NULL;
	long ilx = -1;
	int i;

	/* Only in the VM's process are the addresses those of the slot. */
	if (m->loaded && m->private_policy && s && !proc)
		policy = policy_of_slot(m, s, index - s->file_page, &ilx);
	if (policy && (by_file ? !m->file[file].noted : !m->noted_any))
		policy = NULL;

	*page = (struct page){ .present = true, .node = NODE_ANY };
	page->nodes = policy_place(m, policy ?: &p->policy, p->node, policy ? ilx : -1);
	/* The last file that was noted is gone, and the redirects may still be attached, or not. */
	if (policy && !by_file && !noted_now(m))
		page->nodes |= policy_place(m, &p->policy, p->node, -1);
	for (i = 0; i < NODES; i++) {
		if (page->nodes == NODE(i))
			page->node = i;
	}
}

/* Allocates a page as fallocate() does, which finds the slot by the page. */
void private_allocate(struct model *m, int proc, int file, int index)
{
	const struct slot *slot = m->vm[m->file[file].vm].slot[0], *found = NULL;
	int i;

	if (m->file[file].page[index].present)
		return;
	for (i = 0; i < SLOTS; i++) {
		if (slot[i].pages && slot[i].flags & KVM_MEM_GUEST_MEMFD && slot[i].file == file &&
		    index >= slot[i].file_page && index < slot[i].file_page + slot[i].pages)
			found = &slot[i];
	}
	add_page(m, proc, file, index, found, true);
}

/* The page at the frame of a slot that has a file, which is allocated if need be. */
static struct page *page_at(struct model *m, int proc, const struct slot *s, int gpa)
{
	int index = s->file_page + gpa - s->gpa;

	if (!m->file[s->file].page[index].present)
		add_page(m, proc, s->file, index, s, false);
	return &m->file[s->file].page[index];
}

/* A page that KVM has not prepared yet becomes the guest's. */
static void prepare(struct page *page, int gpa)
{
	if (page->prepared)
		return;
	page->prepared = true;
	page->gfn = gpa;
}

/**
 * private_page_get() - what KVM does when it is asked for the page of a private frame
 * @m: the model
 * @proc: the process that asks
 * @vm: a VM with private memory
 * @gpa: a frame of a slot with a guest_memfd
 *
 * Return: 0 or EFAULT.
 */
int private_page_get(struct model *m, int proc, int vm, int gpa)
{
	const struct slot *s = model_slot_at(&m->vm[vm], gpa);

	if (s->file < 0)
		return EFAULT;
	prepare(page_at(m, proc, s, gpa), gpa);
	return 0;
}

/* Until KVM has looked at everything else, the page is in the file. */
static int populate_page(struct model *m, int proc, int vm, int gpa, bool source)
{
	struct page *page = page_at(m, proc, model_slot_at(&m->vm[vm], gpa), gpa);

	if (page->prepared)
		return EEXIST;
	if (!private_is(&m->vm[vm], gpa))
		return EINVAL;
	if (!source)
		return EFAULT;
	prepare(page, gpa);
	return 0;
}

/**
 * private_pages_populate() - what kvm_gmem_populate() does
 * @m: the model
 * @proc: the process that calls it
 * @vm: a VM with private memory
 * @gpa: the first frame
 * @n: how many frames; the end of the slot is the end
 * @source: can the source be read?
 *
 * Return: the number of pages that were populated, or a negative errno.
 */
long private_pages_populate(struct model *m, int proc, int vm, int gpa, long n, bool source)
{
	const struct slot *s = model_slot_at(&m->vm[vm], gpa);
	long i;

	if (!s || !(s->flags & KVM_MEM_GUEST_MEMFD))
		return -EINVAL;
	if (s->file < 0)
		return -EFAULT;
	if (n > s->gpa + s->pages - gpa)
		n = s->gpa + s->pages - gpa;
	for (i = 0; i < n; i++) {
		int err = populate_page(m, proc, vm, gpa + i, source);

		if (err)
			return i ?: -err;
	}
	return n;
}

/* The module is unloaded. */
void private_forget(struct model *m)
{
	int i;

	m->noted_any = false;
	for (i = 0; i < FILES; i++)
		m->file[i].noted = false;
}
