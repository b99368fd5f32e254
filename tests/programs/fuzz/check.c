// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares what exists with the model: each page of the arena maps the right page; each page of
 * each file that the process has open or mapped is present or not, with the right contents, on the
 * right node; each has the right policy; each vCPU has the right TSC frequency; and the module has
 * as many references as there are objects that hold one.
 *
 * A check must not change anything: it does not touch pages that are not in the file. Pages that
 * are in the file are then mapped wherever they can be, which the model relies on.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fuzz.h"

/* A line of /proc/self/maps. */
struct mapping {
	unsigned long start, end, offset, inode;
	unsigned int major, minor;
	char access[5];
};

static bool read_mapping(FILE *f, struct mapping *m)
{
	char line[512];

	if (!fgets(line, sizeof(line), f))
		return false;
	must(sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &m->start, &m->end, m->access, &m->offset,
		    &m->major, &m->minor, &m->inode) == 7);
	return true;
}

/*
 * The file's number, or -1. Files that are gone count, too, because none of their pages may still
 * be mapped.
 */
static int file_of(const struct mapping *m)
{
	int i;

	for (i = 0; i < FILES; i++) {
		if (m->inode && m->inode == world.id[i].st_ino &&
		    makedev(m->major, m->minor) == world.id[i].st_dev)
			return i;
	}
	return -1;
}

static bool check_mapped_page(const struct process *p, const struct mapping *m, int page)
{
	const struct vma *v = vma_at(p, page);
	int off = m->offset / PAGE + page - (m->start - ARENA) / PAGE;
	char access[] = "---s";

	if (!v) {
		failure("page %d of the arena maps page %d of file %d, not nothing", page, off,
			file_of(m));
		return false;
	}
	if (v->prot & PROT_READ)
		access[0] = 'r';
	if (v->prot & PROT_WRITE)
		access[1] = 'w';
	if (file_of(m) == v->file && off == v->off + page - v->start && !strcmp(m->access, access))
		return true;
	failure("page %d of the arena maps page %d of file %d %s, not page %d of file %d %s", page,
		off, file_of(m), m->access, v->off + page - v->start, v->file, access);
	return false;
}

static bool check_mapping(const struct process *p, const struct mapping *m, bool *mapped)
{
	int page, end;

	if (m->end <= ARENA || m->start >= ARENA + limits.arena * PAGE) {
		if (file_of(m) < 0)
			return true;
		failure("file %d is mapped outside of the arena", file_of(m));
		return false;
	}
	end = (m->end - ARENA) / PAGE;
	for (page = (m->start - ARENA) / PAGE; page < end; page++) {
		if (!check_mapped_page(p, m, page))
			return false;
		mapped[page] = true;
	}
	return true;
}

/* Compares page by page: where one mapping ends and the next begins does not matter here. */
static bool check_arena(const struct process *p)
{
	bool mapped[ARENA_PAGES] = {}, good = true;
	FILE *f = fopen("/proc/self/maps", "re");
	struct mapping m;
	int i;

	must(f);
	while (good && read_mapping(f, &m))
		good = check_mapping(p, &m, mapped);
	fclose(f);
	for (i = 0; i < limits.arena && good; i++) {
		if (mapped[i] || !vma_at(p, i))
			continue;
		failure("page %d of the arena is not mapped", i);
		good = false;
	}
	return good;
}

/* True if the page is zero except for its first 8 bytes, which guests and processes write. */
static bool rest_is_zero(const char *p)
{
	p += sizeof(uint64_t);
	return !p[0] && !memcmp(p, p + 1, PAGE - sizeof(uint64_t) - 1);
}

/* A stretch of a file, mapped at @at. */
struct view {
	char *at;
	int file, off, n;
	bool can_read;
	bool twice;	/* the file is also open, and checked as a whole */
};

static bool check_presence(const struct view *v)
{
	const struct file *f = &shared->model.file[v->file];
	unsigned char there[ARENA_PAGES];
	int i;

	must(!mincore(v->at, v->n * PAGE, there));
	for (i = 0; i < v->n; i++) {
		bool want = v->off + i < f->pages && f->page[v->off + i].present;

		if ((there[i] & 1) == want)
			continue;
		failure("page %d of file %d is%s there", v->off + i, v->file, want ? " not" : "");
		return false;
	}
	return true;
}

static bool check_page(const struct view *v, int i)
{
	struct page *p = &shared->model.file[v->file].page[v->off + i];
	uint64_t value = *(volatile uint64_t *)(v->at + i * PAGE);

	if (value != p->value) {
		failure("page %d of file %d holds %lu, not %lu", v->off + i, v->file, value, p->value);
		return false;
	}
	/* Check only some of the pages that are not new, because it takes time. */
	if ((p->fresh || (shared->steps + i) % 8 == 0) && !rest_is_zero(v->at + i * PAGE)) {
		failure("page %d of file %d has more in it than was written", v->off + i, v->file);
		return false;
	}
	return true;
}

struct reading {
	const struct view *view;
	bool good;
};

static void read_present(void *data)
{
	struct reading *r = data;
	const struct view *v = r->view;
	const struct file *f = &shared->model.file[v->file];
	int i;

	for (i = 0; i < v->n && v->off + i < f->pages && r->good; i++) {
		if (f->page[v->off + i].present)
			r->good = check_page(v, i);
	}
}

static bool check_contents(const struct view *v)
{
	struct reading r = { v, true };
	int sig = signal_of(read_present, &r);

	if (sig)
		failure("reading file %d raises signal %d", v->file, sig);
	return r.good && !sig;
}

static bool check_node(const struct view *v, int i, int node)
{
	struct page *p = &shared->model.file[v->file].page[v->off + i];

	if (p->node == NODE_ANY && node >= 0 && p->nodes & NODE(node))
		p->node = node;
	if (node == p->node)
		return true;
	failure("page %d of file %d is on node %d, not on %d (of nodes %#lx)", v->off + i, v->file,
		node, p->node, p->nodes);
	return false;
}

/* Large files have some of their pages checked, and all pages whose node is new. */
static bool is_checked(const struct view *v, int i)
{
	const struct file *f = &shared->model.file[v->file];

	if (!kernel.huge || (shared->steps + i) % 16 == 0)
		return true;
	if (v->off + i >= f->pages || !f->page[v->off + i].present)
		return false;
	return f->page[v->off + i].fresh || f->page[v->off + i].node == NODE_ANY;
}

/* Checks the node of each page that is in the file, and that no other page is mapped. */
static bool check_nodes(const struct view *v)
{
	const struct file *f = &shared->model.file[v->file];
	static int status[ARENA_PAGES], at[ARENA_PAGES];
	static void *page[ARENA_PAGES];
	int n = 0, i;

	for (i = 0; i < v->n; i++) {
		if (!is_checked(v, i))
			continue;
		page[n] = v->at + i * PAGE;
		at[n++] = i;
	}
	must(!move_pages(0, n, page, NULL, status, 0));
	for (i = 0; i < n; i++) {
		int index = v->off + at[i];

		if (index < f->pages && f->page[index].present) {
			if (!check_node(v, at[i], status[i]))
				return false;
		} else if (status[i] != -ENOENT) {
			failure("page %d of file %d, which is not there, has status %d", index, v->file,
				status[i]);
			return false;
		}
	}
	return true;
}

static bool check_policy(const struct view *v, int i)
{
	const struct policy *p = &shared->model.file[v->file].policy[v->off + i];
	unsigned long nodes, want = p->flags ? p->user : p->nodes;
	int mode;

	must(!get_policy(v->at + i * PAGE, &mode, &nodes));
	if (mode == (p->mode | p->flags) && nodes == want)
		return true;
	failure("page %d of file %d has policy %#x nodes %#lx, not %#x nodes %#lx", v->off + i,
		v->file, mode, nodes, p->mode | p->flags, want);
	return false;
}

/* Checks both ends of each range that must have one policy, and some page between them. */
static bool check_policies(const struct view *v)
{
	const struct policy *p = &shared->model.file[v->file].policy[v->off];
	int first, last;

	for (first = 0; first < v->n; first = last + 1) {
		for (last = first; last + 1 < v->n && policy_equal(&p[first], &p[last + 1]); last++)
			;
		if (!check_policy(v, first) || !check_policy(v, last) ||
		    !check_policy(v, first + shared->steps % (last + 1 - first)))
			return false;
	}
	return true;
}

static bool check_view(const struct view *v)
{
	bool shares = v->can_read && model_shares(&shared->model.file[v->file]);

	if (v->twice)
		return !shares || check_contents(v);
	if (!check_presence(v) || !check_policies(v))
		return false;
	return !shares || (check_contents(v) && check_nodes(v));
}

/* Checks the process's own mappings. */
static bool check_mappings(const struct process *p)
{
	int i;

	for (i = 0; i < p->vmas; i++) {
		const struct vma *v = &p->vma[i];
		const struct view view = { arena(v->start), v->file, v->off, v->end - v->start,
					   v->prot, p->open[v->file] };

		if (!check_view(&view))
			return false;
	}
	return true;
}

/* Compares how many folios of 2 MiB the file says it has, and how many small ones. */
static bool check_folios(int file)
{
	const struct file *f = &shared->model.file[file];
	long huge = huge_folios(world.fd[file]), small = small_folios(world.fd[file]);
	int sure = 0, unsure = 0, present = 0, i;

	for (i = 0; i < f->pages; i++)
		present += f->page[i].present;
	for (i = 0; i < (int)ARRAY_SIZE(f->folios); i++) {
		sure += f->folios[i] == FOLIOS_HUGE;
		unsure += f->folios[i] == FOLIOS_UNSURE;
	}
	shared->huge += huge;
	if (huge >= sure && huge <= sure + unsure && huge * (long)HUGE_PAGES + small == present)
		return true;
	failure("file %d has %ld folios of 2 MiB and %ld small ones, not %d to %d, of %d pages",
		file, huge, small, sure, sure + unsure, present);
	return false;
}

/* Policies exist also for pages behind the end of a file. */
#define BEHIND 8

/* Checks a whole file, in a temporary mapping. */
static bool check_file(int file)
{
	const struct file *f = &shared->model.file[file];
	struct view v = { NULL, file, 0, f->pages + BEHIND, true };
	bool good;

	v.at = mmap(NULL, v.n * PAGE, PROT_READ, MAP_SHARED, world.fd[file], 0);
	if (v.at == MAP_FAILED) {
		failure("file %d cannot be mapped: %s", file, strerror(errno));
		return false;
	}
	good = check_view(&v);
	must(!munmap(v.at, v.n * PAGE));
	return good;
}

static bool check_khz(int fd, long want, const char *what, int i)
{
	long got = ioctl(fd, KVM_GET_TSC_KHZ);

	if (got != want)
		failure("the TSC of %s %d has %ld kHz, not %ld", what, i, got, want);
	return got == want;
}

/* The VM's frequency is for vCPUs that are created later; existing vCPUs keep theirs. */
static bool check_tsc(int i)
{
	const struct vm *vm = &shared->model.vm[i];
	int j;

	if (!vm->open)
		return true;
	if (!check_khz(world.vm[i].fd, vm->tsc_khz, "VM", i))
		return false;
	for (j = 0; j < vm->vcpus; j++) {
		if (!check_khz(world.vm[i].vcpu[j].fd, vm->vcpu_khz[j], "vCPU", j))
			return false;
	}
	return true;
}

/* Only counts them: a mapping of 2 MiB may be small again for many reasons. */
static long guest_huge_mappings(int vm)
{
	char path[64];
	long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/pages_2m", getpid(), world.vm[vm].fd);
	f = fopen(path, "re");
	must(f && fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

/* Checks what only the first process can see. */
static bool check_vms(void)
{
	int i;

	for (i = 0; i < VMS; i++) {
		if (!check_tsc(i))
			return false;
		if (kernel.huge && shared->model.vm[i].open)
			shared->guest_huge += guest_huge_mappings(i);
	}
	return true;
}

static bool check_references(void)
{
	const struct model *m = &shared->model;
	long want = model_references(m), got;

	if (m->loaded != module_loaded()) {
		failure("the module is%s loaded", m->loaded ? " not" : "");
		return false;
	}
	if (!m->loaded)
		return true;
	got = module_references();
	if (got != want)
		failure("the module has %ld references, not %ld", got, want);
	return got == want;
}

/* Checks everything that one process can see. Runs in that process. */
bool check_process(int proc)
{
	struct model *m = &shared->model;
	int i;

	if (!check_arena(&m->process[proc]) || !check_mappings(&m->process[proc]))
		return false;
	for (i = 0; i < FILES; i++) {
		if (!m->process[proc].open[i] || !m->file[i].alive)
			continue;
		if (model_can_map(&m->file[i]) && !check_file(i))
			return false;
		if (kernel.huge && !m->file[i].kvms_own && !check_folios(i))
			return false;
	}
	return proc || (check_vms() && check_private() && check_references());
}

/* Both processes have now checked the new pages. */
void check_done(void)
{
	struct file *f;
	int i;

	for (f = shared->model.file; f < shared->model.file + FILES; f++) {
		for (i = 0; i < f->pages; i++)
			f->page[i].fresh = false;
	}
}
