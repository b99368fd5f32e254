// SPDX-License-Identifier: GPL-2.0-only
/* A page is touched through a mapping. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "fuzz.h"

static int signal_of_access(const struct model *m, const struct vma *v, int page, bool write)
{
	const struct file *f;

	if (!v || !v->prot || (write && !(v->prot & PROT_WRITE)))
		return SIGSEGV;
	f = &m->file[v->file];
	if (v->off + page - v->start >= f->pages || !model_shares(f))
		return SIGBUS;
	return 0;
}

/* Returns the signal, or 0. */
int touch_page(struct model *m, int proc, int page, bool write, uint64_t value)
{
	struct vma *v = vma_find(&m->process[proc], page);
	int sig = signal_of_access(m, v, page, write);

	if (sig)
		return sig;
	model_allocate(m, proc, v->file, v->off + page - v->start, 0,
		       m->file[v->file].pages);
	if (write)
		m->file[v->file].page[v->off + page - v->start].value = value;
	return 0;
}

/* True if the page has a page table entry. After a check, every page that can have one has one. */
bool touch_is_mapped(const struct model *m, int proc, int page)
{
	const struct vma *v = vma_at(&m->process[proc], page);

	return !signal_of_access(m, v, page, false) &&
	       m->file[v->file].page[v->off + page - v->start].present;
}

/* Populates as MAP_POPULATE and mlock() do: EFAULT ends it. */
int populate(struct model *m, int proc, int start, int end)
{
	int i;

	for (i = start; i < end; i++) {
		if (vma_at(&m->process[proc], i) && touch_page(m, proc, i, false, 0))
			return EFAULT;
	}
	return 0;
}

/* Populates as MADV_POPULATE_READ and MADV_POPULATE_WRITE do. A hole may end it, or not. */
int populate_advice(struct model *m, int proc, int start, int end, bool write)
{
	int i, hole = 0;

	for (i = start; i < end; i++) {
		const struct vma *v = vma_at(&m->process[proc], i);

		if (!v && !kernel.populate_passes_holes)
			return ENOMEM;
		if (!v) {
			hole = ENOMEM;
			continue;
		}
		switch (signal_of_access(m, v, i, write)) {
		case SIGSEGV:
			return EINVAL;
		case SIGBUS:
			return EFAULT;
		}
		model_allocate(m, proc, v->file, v->off + i - v->start, 0,
			       m->file[v->file].pages);
	}
	return hole;
}

static sigjmp_buf jump;

static void on_signal(int sig)
{
	siglongjmp(jump, sig);
}

/* Runs @f; returns the signal that ended it, or 0. */
int signal_of(void (*f)(void *arg), void *arg)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_NODEFER }, segv, bus;
	int sig;

	must(!sigaction(SIGSEGV, &act, &segv) && !sigaction(SIGBUS, &act, &bus));
	sig = sigsetjmp(jump, 0);
	if (!sig)
		f(arg);
	must(!sigaction(SIGSEGV, &segv, NULL) && !sigaction(SIGBUS, &bus, NULL));
	return sig;
}
