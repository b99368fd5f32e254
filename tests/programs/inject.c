// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject calls | inject huge | inject load MODULE STRIDE: makes each allocation of a call fail in turn, until
 * the call runs without a failure. The error must be one that the caller can understand; it must
 * leave policies, pages and references as they were, except for pages that the call had allocated
 * by then; and the same call must then succeed.
 *
 * With huge, files have folios of 2 MiB, and what can do with small ones must not fail at all.
 *
 * Needs CONFIG_FAULT_INJECTION with failslab, fail_page_alloc and the stack filter.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fail.h"
#include "huge.h"
#include "numa.h"
#include "sigbus.h"
#include "tap.h"
#include "vmm.h"

#define SIZE (n_pages * PAGE)
#define LOOKED 32UL	/* pages of it that are looked at, from the first to the last */
#define FIRST 300UL	/* the hole in a file with folios of 2 MiB, across an end of one of them */
#define END 700UL

static unsigned long n_pages = LOOKED;	/* of the file */
static struct vmm vm;
static bool have_vm;
static int fd = -1;
static char *map = MAP_FAILED;
static long points;

/*
 * Each call first sets up what it needs, with no failure; then it is made, perhaps again. The VM
 * is kept, except for calls that find a VM in a new state only once.
 */
static void with_vm(void)
{
	if (!have_vm)
		vmm_create(&vm, 1);
	have_vm = true;
}

static void with_file(void)
{
	with_vm();
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
}

static void with_map(void)
{
	with_file();
	map = huge_map(fd, SIZE);
}

static void with_policy(void)
{
	with_map();
	must(!set_policy(map, SIZE, MPOL_BIND, NODE(1)));
}

/* Sets policies through another mapping; the test's own mapping does not know them. */
static void with_policies(void)
{
	static const int modes[] = { MPOL_BIND, MPOL_INTERLEAVE, MPOL_PREFERRED_MANY, MPOL_BIND };
	char *other;
	int i;

	with_map();
	other = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	must(other != MAP_FAILED);
	for (i = 0; i < 4; i++)
		must(!set_policy(other + i * SIZE / 4, SIZE / 4, modes[i], i ? BOTH_NODES : NODE(1)));
	must(!munmap(other, SIZE));
}

static void with_pages(void)
{
	with_policy();
	must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE));
}

static void with_few_pages(void)
{
	with_policies();
	must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE / 4));
}

static void with_slot(void)
{
	with_policy();
	vmm_bind(&vm, fd, SIZE, map);
	must(!vmm_halt(&vm, 0));
}

static void with_guest(void)
{
	with_slot();
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, n_pages, 1));
}

static void with_huge_guest(void)
{
	with_guest();
	must(huge_folios(fd) == (long)(n_pages / HUGE_PAGES));
}

/* Somebody holds both folios, so that a hole must be remembered. */
static struct huge_pin pins[2];

static void with_held_folios(void)
{
	with_huge_guest();
	must(huge_pin(&pins[0], map) && huge_pin(&pins[1], map + HUGE));
}

static void tear_down(bool vm_is_new)
{
	if (map != MAP_FAILED)
		munmap(map, SIZE);
	if (fd >= 0)
		close(fd);
	if (have_vm && vm_is_new) {
		vmm_destroy(&vm);
		have_vm = false;
	} else if (have_vm) {
		vmm_delete_slot(&vm, VMM_TEST_SLOT);
	}
	map = MAP_FAILED;
	fd = -1;
}

static int call_create(void)
{
	fd = vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH);
	return fd < 0 ? -1 : 0;
}

static int call_mmap(void)
{
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? -1 : 0;
}

static int call_mbind(void)
{
	return set_policy(map, SIZE, MPOL_BIND, NODE(1));
}

static int call_mbind_middle(void)
{
	return set_policy(map + SIZE / 4, SIZE / 2, MPOL_INTERLEAVE, BOTH_NODES);
}

static int call_fallocate(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE);
}

static int call_punch(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, SIZE);
}

static int call_punch_middle(void)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, FIRST * PAGE, (END - FIRST) * PAGE);
}

/* Whether the hole's pages go soon, or are there and zero for as long as the folios are held. */
static bool hole_is_good(bool held)
{
	static unsigned char there[END - FIRST];
	unsigned long i, tries, left;

	for (tries = 0; tries < 1000; tries++) {
		must(!mincore(map + FIRST * PAGE, (END - FIRST) * PAGE, there));
		for (i = left = 0; i < END - FIRST; i++)
			left += there[i] & 1;
		if (!left || held)
			break;
		usleep(10000);
	}
	for (i = 0; i < n_pages; i++) {
		bool in = i >= FIRST && i < END;

		if (in && !held)
			continue;
		if (map[i * PAGE] != !in)
			return false;
	}
	return left == (held ? END - FIRST : 0);
}

static bool hole_is_free(void)
{
	return hole_is_good(false);
}

static bool hole_is_kept(void)
{
	bool good = hole_is_good(true);

	huge_unpin(&pins[0]);
	huge_unpin(&pins[1]);
	return good && hole_is_good(false);
}

static int call_populate(void)
{
	return madvise(map, SIZE, MADV_POPULATE_WRITE);
}

/*
 * If only the node's memory may be used, a page that cannot be allocated is a SIGBUS. Where other
 * allocations fail for lack of memory, the kernel takes the fault again.
 */
static int call_touch(void)
{
	if (sigbus_write(map, 1))
		return 0;
	errno = EFAULT;
	return -1;
}

static int call_mbind_three(void)
{
	return set_policy(map + SIZE / 8, SIZE / 8 * 5, MPOL_BIND, NODE(0));
}

static int call_mbind_default(void)
{
	return set_policy(map + SIZE / 8, SIZE / 8 * 5, MPOL_DEFAULT, 0);
}

static int call_get_policy(void)
{
	unsigned long nodes;
	int mode;

	return get_policy(map + SIZE / 2, &mode, &nodes);
}

/* This looks at the page, and so allocates one. */
static int call_get_node(void)
{
	int node;

	return get_mempolicy(&node, NULL, 0, map + SIZE / 2, MPOL_F_NODE | MPOL_F_ADDR);
}

static int call_mremap(void)
{
	char *room = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;

	if (room == MAP_FAILED)
		return -1;
	p = mremap(map, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	if (p == MAP_FAILED) {
		int err = errno;

		munmap(room, SIZE);
		errno = err;
		return -1;
	}
	map = p;
	return 0;
}

static int call_fork(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -1;
	if (!pid)
		_exit(map[0] != 0);
	must(waitpid(pid, &status, 0) == pid);
	/* A child that gets no memory for its page tables is killed. */
	return 0;
}

static int call_nested(void)
{
	return vmm_write_nested(&vm, 0, VMM_L2, VMM_TEST_GPA, n_pages, 2);
}

static int call_prefault(void)
{
	return vmm_prefault(&vm, 0, VMM_TEST_GPA, SIZE);
}

/* Must be refused, because there is a vCPU. */
static int call_tsc(void)
{
	return ioctl(vm.fd, KVM_SET_TSC_KHZ, 0) == -1 && errno == EINVAL ? 0 : -1;
}

static int read_all(const char *path)
{
	char text[4096];
	int f = open(path, O_RDONLY), n, err;

	if (f < 0)
		return -1;
	n = read(f, text, sizeof(text));
	err = errno;
	close(f);
	errno = err;
	return n <= 0 ? -1 : 0;
}

static int call_sysfs(void)
{
	static const char *const files[] = { "features/guest_memfd", "features/redirects",
					     "features/tsc_vm_gate", "parameters/advertise" };
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/kvm_gmem_numa/%s", files[i]);
		if (read_all(path))
			return -1;
	}
	return 0;
}

static int call_bind(void)
{
	return vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, map, fd, 0);
}

static int call_unbind(void)
{
	return vmm_delete_slot(&vm, VMM_TEST_SLOT);
}

static int call_guest(void)
{
	return vmm_write(&vm, 0, VMM_TEST_GPA, n_pages, 2);
}

/* The vCPU was interrupted in the nested guest, and the guest would continue there. */
static void leave_nested(void)
{
	must(!vmm_halt(&vm, 0));
}

static int call_close(void)
{
	int r = close(fd);

	fd = -1;
	return r;
}

struct call {
	const char *name;
	void (*set_up)(void);
	int (*call)(void);
	void (*again)(void);	/* what must be done before the call is made again */
	bool once;	/* the VM is not in the same state afterwards */
	bool spares;	/* may make no allocation */
	bool copes;	/* with any that fails: it makes do with small folios, or tries again */
	bool (*good)(void);	/* what must be so in the end */
};

static const struct call calls[] = {
	{ "KVM_CREATE_GUEST_MEMFD", with_vm, call_create },
	{ "mmap()", with_file, call_mmap },
	{ "mbind(), the first", with_map, call_mbind },
	{ "mbind(), which splits a range", with_policy, call_mbind_middle },
	{ "mbind() over three ranges", with_policies, call_mbind_three },
	{ "mbind() to the default, over three ranges", with_policies, call_mbind_default, .spares = true },
	{ "get_mempolicy()", with_policies, call_get_policy, .spares = true },
	{ "get_mempolicy() of a page", with_policies, call_get_node },
	{ "a host fault", with_policy, call_touch },
	{ "a host fault on a page that is there", with_pages, call_touch, .spares = true },
	{ "MADV_POPULATE_WRITE", with_policies, call_populate },
	{ "mremap()", with_pages, call_mremap },
	{ "fork()", with_pages, call_fork },
	{ "fallocate(), one policy", with_policy, call_fallocate },
	{ "fallocate(), no policy", with_map, call_fallocate },
	{ "fallocate(), several policies, some pages there", with_few_pages, call_fallocate },
	{ "a memslot", with_policy, call_bind },
	{ "guest faults", with_slot, call_guest, .once = true },
	{ "a nested guest", with_slot, call_nested, leave_nested, .once = true },
	{ "KVM_PRE_FAULT_MEMORY", with_slot, call_prefault, .once = true },
	{ "a hole under a guest", with_guest, call_punch, .spares = true },
	{ "a deleted memslot", with_guest, call_unbind, .spares = true },
	{ "the last close", with_pages, call_close, .spares = true },
	{ "a close under a guest", with_guest, call_close, .spares = true },
	{ "KVM_SET_TSC_KHZ", with_vm, call_tsc, .spares = true },
	{ "reading sysfs", with_vm, call_sysfs },
};

/* In files with folios of 2 MiB. */
static const struct call huge_calls[] = {
	{ "fallocate() of 2 MiB, one policy", with_policy, call_fallocate, .copes = true },
	{ "fallocate() of 2 MiB, no policy", with_map, call_fallocate, .copes = true },
	{ "a host fault that allocates 2 MiB", with_policy, call_touch, .copes = true },
	{ "MADV_POPULATE_WRITE of 2 MiB", with_policy, call_populate },
	{ "a memslot with mappings of 2 MiB", with_policy, call_bind },
	{ "guest faults that allocate 2 MiB", with_slot, call_guest, .once = true },
	{ "a hole in the middle of 2 MiB", with_huge_guest, call_punch_middle, .good = hole_is_free },
	{ "a hole in 2 MiB that somebody holds", with_held_folios, call_punch_middle, .good = hole_is_kept },
	{ "a hole of whole folios of 2 MiB", with_huge_guest, call_punch, .spares = true },
};

static bool is_expected(int err)
{
	return err == ENOMEM || err == EINTR || err == EFAULT || err == ENFILE || err == EAGAIN;
}

/* What a failed call must leave as it was. */
struct state {
	int references;
	unsigned long present;
	bool first;
	struct {
		int mode;
		unsigned long nodes;
		int node;	/* of the page, or -1 */
	} page[LOOKED];
};

static char *looked_at(unsigned long i)
{
	return map + i * (n_pages / LOOKED) * PAGE;
}

static int references(void)
{
	FILE *f = fopen("/sys/module/kvm_gmem_numa/refcnt", "r");
	int n;

	must(f && fscanf(f, "%d", &n) == 1);
	fclose(f);
	return n;
}

static void look(struct state *s)
{
	unsigned char there;
	unsigned long i;

	memset(s, 0, sizeof(*s));
	s->references = references();
	if (map == MAP_FAILED)
		return;
	s->present = pages_present(map, n_pages, &s->first);
	for (i = 0; i < LOOKED; i++) {
		must(!get_policy(looked_at(i), &s->page[i].mode, &s->page[i].nodes));
		must(!mincore(looked_at(i), PAGE, &there));
		s->page[i].node = -1;
		if (there & 1) {
			(void)*(volatile char *)looked_at(i);
			s->page[i].node = page_node(looked_at(i));
		}
	}
}

/*
 * Pages that were in the file must still be there; others may have been added, one after the
 * other. Returns what is wrong.
 */
static const char *differs(const struct state *a, const struct state *b)
{
	unsigned long i;

	if (a->references != b->references)
		return "references of the module";
	for (i = 0; i < LOOKED; i++) {
		if (a->page[i].mode != b->page[i].mode || a->page[i].nodes != b->page[i].nodes)
			return "policies";
		if (a->page[i].node >= 0 && a->page[i].node != b->page[i].node)
			return "pages that were there";
	}
	/* If only one page was added, it may be anywhere. */
	if (!b->first && b->present > a->present + 1)
		return "pages that have come";
	return NULL;
}

/* The number of pages that are off their policy. */
static unsigned long astray(const struct state *s)
{
	unsigned long i, off = 0;

	for (i = 0; i < LOOKED; i++) {
		int node = s->page[i].node;

		if (node < 0)
			continue;
		if (s->page[i].mode == MPOL_BIND)
			off += !(s->page[i].nodes & NODE(node));
		if (s->page[i].mode == MPOL_INTERLEAVE)
			off += node != (int)(i % NODES);
	}
	return off;
}

/*
 * Tries one point: returns -1 if no allocation failed, else how many things were not as expected.
 */
static int inject(const struct call *c, int n)
{
	static struct state before, after;
	const char *wrong = NULL;
	int r, err, bad = 0;
	bool failed;

	c->set_up();
	look(&before);
	fail_nth(n);
	r = c->call();
	err = errno;
	failed = fail_happened();
	fail_nth(0);

	if (r && (c->copes || !(failed && is_expected(err)))) {
		printf("# %s, allocation %d: errno %d\n", c->name, n, err);
		bad++;
	}
	if (r) {
		look(&after);
		wrong = differs(&before, &after);
	}
	if (wrong) {
		printf("# %s, allocation %d failed: the %s have changed\n", c->name, n, wrong);
		bad++;
	}
	if (r && c->again)
		c->again();
	if (r && c->call()) {
		printf("# %s, allocation %d failed: then errno %d for ever\n", c->name, n, errno);
		bad++;
	}
	if (c->good && !c->good()) {
		printf("# %s, allocation %d failed: then it is not as it must be\n", c->name, n);
		bad++;
	}
	look(&after);
	if (c->call != call_mbind_three && astray(&after)) {
		printf("# %s, allocation %d failed: then pages are off their policy\n", c->name, n);
		bad++;
	}
	tear_down(c->once);
	return failed ? bad : -1;
}

static void inject_all(const struct call *c)
{
	int n, r, bad = 0;

	for (n = 1; (r = inject(c, n)) >= 0; n++)
		bad += r;
	printf("# %s: %d points\n", c->name, n - 1);
	points += n - 1;
	is(bad, 0, "%s: each allocation fails in turn, and nothing else happens", c->name);
	ok(n > 1 || c->spares, "%s: allocates", c->name);
}

static void inject_calls(void)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].call == call_prefault && vmm_prefault_error())
			tap_skip("a kernel where this call does not work", "%s", calls[i].name);
		else
			inject_all(&calls[i]);
	}
	if (have_vm)
		tear_down(true);
}

static void inject_huge_calls(void)
{
	size_t i;

	must(huge_asked());
	n_pages = 2 * HUGE_PAGES;
	for (i = 0; i < sizeof(huge_calls) / sizeof(huge_calls[0]); i++)
		inject_all(&huge_calls[i]);
	if (have_vm)
		tear_down(true);
}

static int load(int file)
{
	return syscall(SYS_finit_module, file, "", 0);
}

static int unload(void)
{
	return syscall(SYS_delete_module, "kvm_gmem_numa", O_NONBLOCK);
}

/*
 * Tries one point of a load: returns -1 if no allocation failed, else how many things were not as
 * expected.
 */
static int inject_load_at(int file, int n, int *refused)
{
	int bad = 0, r;
	bool failed;

	fail_nth(n);
	r = load(file);
	failed = fail_happened();
	fail_nth(0);
	*refused += !!r;
	if (r && !failed) {
		printf("# load, allocation %d: errno %d\n", n, errno);
		bad++;
	}
	if (r && load(file)) {
		printf("# load, after allocation %d failed: errno %d\n", n, errno);
		bad++;
	}
	if (unload()) {
		printf("# unload, after allocation %d failed: errno %d\n", n, errno);
		bad++;
	}
	return failed ? bad : -1;
}

/*
 * Most allocations of a load, hundreds of them, are the module loader's own: if one of them fails,
 * the load is refused before any of the module's code has run. That is why a stride is possible.
 */
static void inject_load(int file, int stride, const char *what)
{
	int n, r, bad = 0, refused = 0;
	long before = points;

	for (n = 1; (r = inject_load_at(file, n, &refused)) >= 0; n += stride) {
		bad += r;
		points++;
	}
	printf("# %s: %d allocations, one in %d failed, refused at %d\n", what, n - 1, stride,
	       refused);
	is(bad, 0, "%s: each allocation fails in turn, and a second load succeeds", what);
	ok(refused > 10 && points - before >= refused, "%s: is refused for want of memory", what);
}

/* Unloading cannot fail, so it must not: the module must be unloaded. */
static void inject_unload(int file)
{
	bool failed = true;
	int n, bad = 0;

	for (n = 1; failed; n++) {
		must(!load(file));
		fail_nth(n);
		bad += !!unload();
		failed = fail_happened();
		fail_nth(0);
		points += failed;
	}
	printf("# unload: %d points\n", n - 2);
	is(bad, 0, "unload: each allocation fails in turn, and it unloads");
}

int main(int argc, char **argv)
{
	must(argc > 1);
	fail_enable();
	sigbus_catch();
	if (!strcmp(argv[1], "load")) {
		int file = open(argv[2], O_RDONLY);

		must(argc == 4 && file >= 0);
		inject_unload(file);
		inject_load(file, atoi(argv[3]), "load");
		fail_modules_only();
		inject_load(file, 1, "load, the module's own part");
		close(file);
	} else if (!strcmp(argv[1], "huge")) {
		inject_huge_calls();
	} else {
		inject_calls();
	}
	printf("# count fault-points %ld\n", points);
	return tap_exit();
}
