// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private memory comes from the nodes that the VMM's policy for the shared half names.
 *
 * Two witnesses tell the node of a private page: the page cache of the guest_memfd, and what KVM
 * asked the vendor module to make the guest's or, on kernels that do not ask, what the guest has
 * mapped. Where it belongs is told by the shared half: when
 * all is done, the page at the same place there is touched, and its node is the right one.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fill.h"
#include "numa.h"
#include "private.h"
#include "tap.h"
#include "vmm.h"

#define PARAMETER "/sys/module/kvm_gmem_numa/parameters/private_policy"
#define WEIGHT "/sys/kernel/mm/mempolicy/weighted_interleave/node%d"
#define HUGE_PAGES "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages"
#define HUGE_PAGE (2 * MIB / PAGE)

#define N 128UL
#define MAX_PAGES (4 * HUGE_PAGE)
/* Slots do not start at the start of the guest_memfd, nor mappings at that of their file. */
#define FIRST 3UL

/* What userspace_addr is a mapping of. */
enum kind {
	MEMFD,
	ANONYMOUS,
	PRIVATE_MAPPING,
	GMEM,
	HUGETLB,
	KINDS
};

static const char *const kind_name[] = {
	[MEMFD] = "memfd",
	[ANONYMOUS] = "anonymous",
	[PRIVATE_MAPPING] = "private mapping of a memfd",
	[GMEM] = "guest_memfd of another VM",
	[HUGETLB] = "hugetlb",
};

struct shared_half {
	char *p;
	unsigned long pages;
	int fd;			/* or -1 */
	struct vmm vm;		/* GMEM: the VM of fd */
};

/* How a page is allocated. */
enum way {
	FAULT,
	POPULATE,
	GET_PAGE,
	ALLOCATE,
	WAYS
};

static const char *const way_name[] = {
	[FAULT] = "fault",
	[POPULATE] = "populate",
	[GET_PAGE] = "get_pfn",
	[ALLOCATE] = "fallocate()",
};

/* Those that this kernel has. */
static enum way ways[WAYS];
static unsigned int nr_ways;

static void find_ways(void)
{
	enum way way;

	for (way = 0; way < WAYS; way++) {
		if (way != POPULATE || private_can_populate())
			ways[nr_ways++] = way;
	}
}

/* The ways take turns, after so many pages each. */
#define TURN 8UL

static enum way way_of(unsigned long page)
{
	return ways[page / TURN % nr_ways];
}

#define NO_NODE (-1)

struct policy {
	const char *name;
	int mode;
	unsigned long nodes;
	int node;		/* the only one that pages come from, or NO_NODE */
};

static const struct policy policies[] = {
	{ "bind to 0", MPOL_BIND, NODE(0), 0 },
	{ "bind to 1", MPOL_BIND, NODE(1), 1 },
	{ "preferred 1", MPOL_PREFERRED, NODE(1), 1 },
	{ "preferred-many 1", MPOL_PREFERRED_MANY, NODE(1), 1 },
	{ "interleave", MPOL_INTERLEAVE, BOTH_NODES, NO_NODE },
	{ "weighted interleave", MPOL_WEIGHTED_INTERLEAVE, BOTH_NODES, NO_NODE },
	{ "local", MPOL_LOCAL, 0, 1 },
};

#define NODE_0_WEIGHT 3		/* node 1 weighs 1 */

static void task_policy(int mode, unsigned long nodes)
{
	must(!set_mempolicy(mode, nodes ? &nodes : NULL, nodes ? 8 * sizeof(nodes) : 0));
}

static char *map(size_t size, int flags, int fd, off_t offset)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, offset);

	must(p != MAP_FAILED);
	return p;
}

static char *map_file(struct shared_half *half, int flags, unsigned long first)
{
	return map(half->pages * PAGE, flags, half->fd, first * PAGE);
}

static void make_memfd(struct shared_half *half, unsigned int flags, unsigned long first)
{
	half->fd = memfd_create("shared half", MFD_CLOEXEC | flags);
	must(half->fd >= 0 && !ftruncate(half->fd, (first + half->pages) * PAGE));
}

/* Return 0, or an errno if there is no such memory here. */
static int half_open(struct shared_half *half, enum kind kind)
{
	memset(half, 0, sizeof(*half));
	half->pages = kind == HUGETLB ? MAX_PAGES : N;
	half->fd = -1;
	switch (kind) {
	case MEMFD:
		make_memfd(half, 0, FIRST);
		half->p = map_file(half, MAP_SHARED, FIRST);
		break;
	case PRIVATE_MAPPING:
		make_memfd(half, 0, FIRST);
		half->p = map_file(half, MAP_PRIVATE, FIRST);
		break;
	case GMEM:
		vmm_create(&half->vm, 0);
		half->fd = vmm_gmem_try(&half->vm, (FIRST + N) * PAGE, VMM_GMEM_BOTH);
		if (half->fd < 0) {
			vmm_destroy(&half->vm);
			return errno;
		}
		half->p = map_file(half, MAP_SHARED, FIRST);
		break;
	case HUGETLB:
		make_memfd(half, MFD_HUGETLB, HUGE_PAGE);
		half->p = mmap(NULL, half->pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			       half->fd, HUGE_PAGE * PAGE);
		if (half->p == MAP_FAILED) {
			close(half->fd);
			return errno;
		}
		break;
	default:
		half->p = map(half->pages * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	return 0;
}

static void half_close(struct shared_half *half)
{
	munmap(half->p, half->pages * PAGE);
	if (half->fd >= 0)
		close(half->fd);
	if (half->vm.fd)
		vmm_destroy(&half->vm);
}

/* How many pages of it there are, in the mapping and, of a file of the file system's, at all. */
static unsigned long half_present(const struct shared_half *half)
{
	struct stat st = {};
	bool first;

	if (half->fd >= 0 && !half->vm.fd)
		must(!fstat(half->fd, &st));
	return pages_present(half->p, half->pages, &first) + st.st_blocks;
}

/* A VM with one slot of private memory, all of it converted to private. */
static int start(struct vmm *vm, struct shared_half *half)
{
	int fd;

	private_create(vm, 1);
	fd = vmm_gmem(vm, (FIRST + half->pages) * PAGE, 0);
	private_slot(vm, VMM_TEST_SLOT, VMM_TEST_GPA, half->pages * PAGE, half->p, fd,
		     FIRST * PAGE);
	private_set(vm, VMM_TEST_GPA, half->pages * PAGE, true);
	must(!vmm_halt(vm, 0));
	return fd;
}

static void end(struct vmm *vm, int fd)
{
	close(fd);
	vmm_destroy(vm);
}

static int allocate_file(int fd, unsigned long page, unsigned long n)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, (FIRST + page) * PAGE, n * PAGE);
}

/* Return 0, or -1 and errno. */
static int allocate(struct vmm *vm, int fd, enum way way, unsigned long page, unsigned long n)
{
	uint64_t gpa = VMM_TEST_GPA + page * PAGE, i;

	switch (way) {
	case FAULT:
		return private_fault(vm, 0, gpa, n * PAGE);
	case POPULATE:
		return private_populate(vm, gpa, n, NULL) == (long)n ? 0 : -1;
	case GET_PAGE:
		for (i = 0; i < n; i++) {
			if (private_get_page(vm, gpa + i * PAGE))
				return -1;
		}
		return 0;
	default:
		return allocate_file(fd, page, n);
	}
}

static void cached(struct vmm *vm, unsigned long page, unsigned long n, int8_t *nodes)
{
	private_nodes(vm, PRIVATE_MEM_PAGE_CACHE, VMM_TEST_GPA + page * PAGE, n, nodes);
}

/* What the witnesses saw. */
struct seen {
	int8_t cache[MAX_PAGES], guest[MAX_PAGES];
};

/*
 * Not every way makes a page the guest's. So the page cache is asked first, and then there is a
 * fault.
 */
static void allocate_all(struct vmm *vm, int fd, unsigned long pages, struct seen *seen)
{
	unsigned long i;

	for (i = 0; i < pages; i += TURN) {
		must(!allocate(vm, fd, way_of(i), i, TURN));
		cached(vm, i, TURN, seen->cache + i);
		must(!allocate(vm, fd, FAULT, i, TURN));
	}
	private_nodes(vm, PRIVATE_MEM_GUEST, VMM_TEST_GPA, pages, seen->guest);
}

/* How many of the pages that were allocated in this way are elsewhere. */
static unsigned long elsewhere(const int8_t *nodes, const int8_t *want, unsigned long pages,
			       enum way way)
{
	unsigned long i, off = 0;

	for (i = 0; i < pages; i++) {
		if (way_of(i) != way || nodes[i] == want[i])
			continue;
		if (off++ < 3)
			printf("#   page %lu is on node %d, not on %d\n", i, nodes[i], want[i]);
	}
	return off;
}

static void touch(struct shared_half *half, int8_t *nodes)
{
	unsigned long i;

	for (i = 0; i < half->pages; i++) {
		half->p[i * PAGE] = 1;
		nodes[i] = page_node(half->p + i * PAGE);
	}
}

/*
 * KVM's own guest_memfd interleaves by a counter of the task. Private pages go by the index there,
 * too, but where the index starts is not known: take the start that fits best.
 */
static void guess(const struct policy *policy, unsigned long pages, const int8_t *nodes,
		  int8_t *want)
{
	unsigned int weight = policy->mode == MPOL_INTERLEAVE ? 1 : NODE_0_WEIGHT, phase;
	unsigned long i, off, least = pages + 1;
	int8_t attempt[MAX_PAGES];

	for (phase = 0; phase <= weight; phase++) {
		for (i = off = 0; i < pages; i++) {
			attempt[i] = (i + phase) % (weight + 1) >= weight;
			off += nodes[i] != attempt[i];
		}
		if (off < least) {
			least = off;
			memcpy(want, attempt, pages);
		}
	}
}

static void find_wanted(struct shared_half *half, const struct policy *policy, const int8_t *nodes,
			int8_t *want)
{
	unsigned long i, on[NODES] = {};

	if (policy->node == NO_NODE && half->vm.fd && !vmm_gmem_is_ours()) {
		guess(policy, half->pages, nodes, want);
		return;
	}
	touch(half, want);
	for (i = 0; i < half->pages; i++)
		on[want[i]]++;
	/* Otherwise it would tell nothing about the private pages. */
	if (policy->node == NO_NODE)
		must(on[0] && on[1]);
	else
		must(on[policy->node] == half->pages);
}

/* Everything but the policy under test would have the pages come from another node. */
static void be_elsewhere(const struct policy *policy)
{
	int other = policy->node == 0;

	run_on_node(policy->mode == MPOL_LOCAL ? policy->node : other);
	task_policy(MPOL_BIND, NODE(other));
}

static void be_normal(void)
{
	task_policy(MPOL_DEFAULT, 0);
	run_on_node(0);
}

static void test_policy(enum kind kind, const struct policy *policy)
{
	static struct seen first, again;
	int8_t want[MAX_PAGES];
	struct shared_half half;
	struct vmm vm;
	unsigned int i;
	enum way way;
	int fd;

	must(!half_open(&half, kind));
	if (set_policy(half.p, half.pages * PAGE, policy->mode, policy->nodes)) {
		must(errno == EINVAL && policy->mode == MPOL_WEIGHTED_INTERLEAVE);
		tap_skip("a kernel before 6.9", "%s, %s", kind_name[kind], policy->name);
		half_close(&half);
		return;
	}

	fd = start(&vm, &half);
	be_elsewhere(policy);
	allocate_all(&vm, fd, half.pages, &first);
	private_share(&vm, fd, FIRST * PAGE, VMM_TEST_GPA, half.pages * PAGE);
	private_set(&vm, VMM_TEST_GPA, half.pages * PAGE, true);
	allocate_all(&vm, fd, half.pages, &again);
	is(half_present(&half), 0, "%s, %s: no page of the shared half was touched",
	   kind_name[kind], policy->name);
	find_wanted(&half, policy, first.cache, want);
	be_normal();

	for (i = 0; i < nr_ways; i++) {
		way = ways[i];
		is(elsewhere(first.cache, want, half.pages, way) +
		   elsewhere(first.guest, want, half.pages, way), 0,
		   "%s, %s, %s: no page is elsewhere", kind_name[kind], policy->name,
		   way_name[way]);
		is(elsewhere(again.cache, want, half.pages, way) +
		   elsewhere(again.guest, want, half.pages, way), 0,
		   "%s, %s, %s, after conversion to shared and back: no page is elsewhere",
		   kind_name[kind], policy->name, way_name[way]);
	}
	end(&vm, fd);
	half_close(&half);
}

static void test_policies(void)
{
	struct shared_half half;
	enum kind kind;
	size_t i;
	int err;

	for (kind = 0; kind < KINDS; kind++) {
		err = half_open(&half, kind);
		if (err) {
			tap_skip(strerror(err), "%s", kind_name[kind]);
			continue;
		}
		half_close(&half);
		for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
			test_policy(kind, &policies[i]);
	}
}

/* How many of @n pages are not on the node. */
static unsigned long off_node(struct vmm *vm, unsigned long page, unsigned long n, int node)
{
	int8_t nodes[MAX_PAGES];
	unsigned long i, off = 0;

	cached(vm, page, n, nodes);
	for (i = 0; i < n; i++) {
		if (nodes[i] == node)
			continue;
		if (off++ < 3)
			printf("#   page %lu is on node %d, not on %d\n", page + i, nodes[i], node);
	}
	return off;
}

/* Two policies, no policy, and two again, in one slot that is several mappings. */
static void test_mixed(void)
{
	static const int node[] = { 0, 1, NO_NODE, 1, 0, NO_NODE };
	const unsigned long part = 20;
	struct shared_half half;
	struct vmm vm;
	size_t i;
	int fd;

	must(!half_open(&half, MEMFD));
	for (i = 0; i < sizeof(node) / sizeof(node[0]); i++) {
		if (node[i] != NO_NODE)
			must(!set_policy(half.p + i * part * PAGE, part * PAGE, MPOL_BIND,
					 NODE(node[i])));
	}
	must(mmap(half.p + part * PAGE, part * PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
	must(!set_policy(half.p + part * PAGE, part * PAGE, MPOL_PREFERRED, NODE(1)));
	fd = start(&vm, &half);
	task_policy(MPOL_BIND, NODE(1));
	must(!allocate_file(fd, 0, N / 2));
	must(!allocate(&vm, fd, FAULT, 0, N));
	task_policy(MPOL_DEFAULT, 0);
	for (i = 0; i < sizeof(node) / sizeof(node[0]); i++)
		is(off_node(&vm, i * part, part, node[i] == 0 ? 0 : 1), 0,
		   "several policies in a slot: part %zu is where it belongs", i);
	end(&vm, fd);
	half_close(&half);
}

/* In each way, from @page on. */
static void allocate_in_turn(struct vmm *vm, int fd, unsigned long page)
{
	unsigned int i;

	for (i = 0; i < nr_ways; i++)
		must(!allocate(vm, fd, ways[i], page + i * TURN, TURN));
}

static void test_no_policy(void)
{
	struct shared_half half;
	struct vmm vm;
	int fd, node;

	must(!half_open(&half, MEMFD));
	fd = start(&vm, &half);
	for (node = 0; node < NODES; node++) {
		run_on_node(!node);
		task_policy(MPOL_BIND, NODE(node));
		allocate_in_turn(&vm, fd, 0);
		is(off_node(&vm, 0, nr_ways * TURN, node), 0,
		   "no policy: the task's own decides, node %d", node);

		run_on_node(node);
		task_policy(MPOL_DEFAULT, 0);
		allocate_in_turn(&vm, fd, nr_ways * TURN);
		is(off_node(&vm, nr_ways * TURN, nr_ways * TURN, node), 0,
		   "no policy, and the task has none: local, node %d", node);
		vmm_punch(fd, FIRST * PAGE, N * PAGE);
	}
	be_normal();
	end(&vm, fd);
	half_close(&half);
}

static void test_later_mbind(void)
{
	struct shared_half half;
	unsigned long nodes = NODE(1);
	struct vmm vm;
	int fd;

	must(!half_open(&half, MEMFD));
	must(!set_policy(half.p, N * PAGE, MPOL_BIND, NODE(0)));
	fd = start(&vm, &half);
	must(!allocate(&vm, fd, FAULT, 0, N / 2));
	must(!mbind(half.p, N * PAGE, MPOL_BIND, &nodes, 8 * sizeof(nodes), MPOL_MF_MOVE));
	must(!allocate(&vm, fd, FAULT, 0, N));
	is(off_node(&vm, 0, N / 2, 0), 0, "a later mbind() moves no page");
	is(off_node(&vm, N / 2, N / 2, 1), 0, "a later mbind() holds for pages from then on");
	private_share(&vm, fd, FIRST * PAGE, VMM_TEST_GPA, TURN * PAGE);
	private_set(&vm, VMM_TEST_GPA, TURN * PAGE, true);
	must(!allocate(&vm, fd, FAULT, 0, TURN));
	is(off_node(&vm, 0, TURN, 1), 0, "a later mbind() holds for pages that are converted back");
	end(&vm, fd);
	half_close(&half);
}

static void test_unmapped(void)
{
	struct shared_half half;
	struct vmm vm;
	unsigned int i;
	int fd;

	must(!half_open(&half, MEMFD));
	must(!set_policy(half.p, N * PAGE, MPOL_BIND, NODE(0)));
	fd = start(&vm, &half);
	munmap(half.p, N * PAGE);
	run_on_node(1);
	for (i = 0; i < nr_ways; i++)
		is(allocate(&vm, fd, ways[i], i * TURN, TURN), 0,
		   "userspace_addr unmapped: %s works", way_name[ways[i]]);
	is(off_node(&vm, 0, nr_ways * TURN, 1), 0, "userspace_addr unmapped: local");
	is(page_node(half.p), -EFAULT, "userspace_addr unmapped: it stays so");
	be_normal();
	end(&vm, fd);
	half_close(&half);
}

/* The policy is that of another address space, so KVM allocates as without the module. */
static void test_other_process(void)
{
	struct shared_half half;
	int fd, status;
	struct vmm vm;
	pid_t pid;

	must(!half_open(&half, MEMFD));
	must(!set_policy(half.p, N * PAGE, MPOL_BIND, NODE(0)));
	fd = start(&vm, &half);
	fflush(stdout);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		run_on_node(1);
		_exit(allocate_file(fd, 0, N / 2) ? errno : 0);
	}
	must(waitpid(pid, &status, 0) == pid);
	is(status, 0, "another process: fallocate() works");
	is(off_node(&vm, 0, N / 2, 1), 0, "another process: local");
	end(&vm, fd);
	half_close(&half);
}

static void test_switch(void)
{
	struct shared_half half;
	struct vmm vm;
	int fd;

	must(!half_open(&half, MEMFD));
	must(!set_policy(half.p, N * PAGE, MPOL_BIND, NODE(1)));
	fd = start(&vm, &half);
	write_file(PARAMETER, "0");
	allocate_in_turn(&vm, fd, 0);
	is(off_node(&vm, 0, nr_ways * TURN, 0), 0, "switched off: local");
	write_file(PARAMETER, "1");
	allocate_in_turn(&vm, fd, nr_ways * TURN);
	is(off_node(&vm, nr_ways * TURN, nr_ways * TURN, 1), 0,
	   "switched on again: by the policy");
	end(&vm, fd);
	half_close(&half);
}

#define FULL 1
#define FILLER_SIZE (2 * GIB)

/*
 * The kernel frees what it can in the background, and on a slow machine it has the time to free
 * some pages between the filling and the attempt. But not every time.
 */
static int allocate_on_full_node(struct vmm *vm, int filler, int fd, enum way way)
{
	int i, r = 0;

	for (i = 0; !r && i < 10; i++) {
		vmm_punch(fd, FIRST * PAGE, N * PAGE);
		must(fallocate(filler, FALLOC_FL_KEEP_SIZE, 0, FILLER_SIZE) && errno == ENOMEM);
		r = allocate(vm, fd, way, 0, 1);
	}
	return r;
}

static void test_full_node(void)
{
	long kills = vm_events("oom_kill");
	struct shared_half half;
	struct vmm vm, other;
	int fd, filler;
	unsigned int i;
	char *p;

	must(!half_open(&half, ANONYMOUS));
	must(!set_policy(half.p, N * PAGE, MPOL_BIND, NODE(FULL)));
	fd = start(&vm, &half);
	private_create(&other, 0);
	filler = vmm_gmem(&other, FILLER_SIZE, 0);
	p = map(FILLER_SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(!set_policy(p, FILLER_SIZE, MPOL_BIND, NODE(FULL)));
	private_slot(&other, VMM_TEST_SLOT, VMM_TEST_GPA, FILLER_SIZE, p, filler, 0);

	node_fill(FULL);
	fails(fallocate(filler, FALLOC_FL_KEEP_SIZE, 0, FILLER_SIZE), ENOMEM,
	      "full node: what fills it gets ENOMEM");
	for (i = 0; i < nr_ways; i++)
		fails(allocate_on_full_node(&vm, filler, fd, ways[i]), ENOMEM,
		      "full node: %s: ENOMEM", way_name[ways[i]]);
	is(vm_events("oom_kill") - kills, 0, "full node: the OOM killer was not asked");
	vmm_punch(filler, 0, 32 * MIB);
	is(allocate(&vm, fd, FAULT, 0, N), 0, "with memory again, it goes on");
	is(off_node(&vm, 0, N, FULL), 0, "with memory again: every page is on the node");

	munmap(p, FILLER_SIZE);
	end(&other, filler);
	end(&vm, fd);
	half_close(&half);
	node_empty();
}

static void write_node_file(const char *path, int node, const char *text)
{
	char name[128];

	snprintf(name, sizeof(name), path, node);
	if (!access(name, W_OK))
		write_file(name, text);
}

/* Huge pages for the shared half, and weights that differ. */
static void set_up(void)
{
	int node;

	for (node = 0; node < NODES; node++) {
		write_node_file(HUGE_PAGES, node, "8");
		write_node_file(WEIGHT, node, node ? "1" : "3");
	}
}

/* Why there is nothing to test, or NULL. */
static const char *nothing_to_test(void)
{
	struct vmm vm;
	bool possible;

	if (!private_memory_exists())
		return "this kernel has no private memory";
	if (access("/sys/module/kvm_gmem_numa", F_OK))
		return "the module is not loaded";
	vmm_open(&vm);
	possible = !private_make(vm.fd);
	must(possible || errno == EOPNOTSUPP);
	close(vm.fd);
	close(vm.kvm_fd);
	return possible ? NULL : "KVM has private memory with nested paging only";
}

int main(void)
{
	const char *why = nothing_to_test();

	if (why) {
		tap_skip(why, "private memory");
		return 0;
	}
	set_up();
	find_ways();
	be_normal();
	test_policies();
	test_mixed();
	test_no_policy();
	test_later_mbind();
	test_unmapped();
	test_other_process();
	test_switch();
	test_full_node();
	private_check_rmp();
	return tap_exit();
}
