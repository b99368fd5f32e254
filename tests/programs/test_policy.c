// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_policy: the NUMA policy of a guest_memfd.
 *
 * The tests compare what get_mempolicy() returns with what mbind() set, and the node of each page
 * with what the policy promises. Placement is always tried from a CPU of either node, so that
 * local memory is never right by accident.
 */
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#ifndef __NR_set_mempolicy_home_node
#define __NR_set_mempolicy_home_node 450
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PAGES 64UL
#define MANY_PAGES 256UL
#define CGROUP "test_policy"

#define WEIGHTS "/sys/kernel/mm/mempolicy/weighted_interleave/"
#define WEIGHT_0 3
#define WEIGHT_1 1

/* A node that no test machine has, but that the kernel has room for. */
#define NO_SUCH_NODE 3

enum touch {
	HOST,
	FALLOCATE,
	GUEST,
	PREFAULT,
	TOUCHES,
};

/* PREFAULT is not available without nested paging. */
static int touches = TOUCHES;

static const char *const touch_name[TOUCHES] = {
	[HOST] = "host touch",
	[FALLOCATE] = "fallocate()",
	[GUEST] = "guest touch",
	[PREFAULT] = "KVM_PRE_FAULT_MEMORY",
};

/* Where a page belongs, besides the numbers of nodes. */
enum {
	LOCAL = NODES,		/* the node of the CPU that touches it */
	ALTERNATE,		/* by offset, one node after the other */
	WEIGHTED,		/* by offset, WEIGHT_0 pages here and WEIGHT_1 there */
	EITHER,
};

struct gmem {
	int fd;
	unsigned long pages;
	char *map;
};

static struct vmm vm;

/*
 * The kernel's own guest_memfd interleaves by a counter of the task. The numbers of pages per node
 * are then even, but the places are not determined; and even the numbers only are so if no other
 * task touches the file.
 */
static bool by_offset;

static char *map_pages(int fd, unsigned long first, unsigned long n)
{
	char *map = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, first * PAGE);

	must(map != MAP_FAILED);
	return map;
}

/*
 * The same, with a mapping that cannot be merged with a neighbour: when mbind() merges areas, it
 * sets the policy of the whole merged area, including parts outside the range it was given.
 */
static char *map_pages_apart(int fd, unsigned long first, unsigned long n)
{
	char *map = mmap(NULL, (n + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(map != MAP_FAILED);
	must(mmap(map + PAGE, n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		  first * PAGE) != MAP_FAILED);
	return map + PAGE;
}

static void unmap_pages_apart(char *map, unsigned long n)
{
	must(!munmap(map - PAGE, (n + 2) * PAGE));
}

static struct gmem gmem_open(unsigned long pages)
{
	struct gmem g = { .pages = pages };

	g.fd = vmm_gmem(&vm, pages * PAGE, VMM_GMEM_BOTH);
	g.map = map_pages(g.fd, 0, pages);
	return g;
}

static void gmem_close(struct gmem *g)
{
	must(!munmap(g->map, g->pages * PAGE));
	must(!close(g->fd));
}

static void gmem_punch(struct gmem *g, unsigned long first, unsigned long n)
{
	must(!fallocate(g->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * PAGE,
			n * PAGE));
}

static void gmem_bind(struct gmem *g)
{
	vmm_bind(&vm, g->fd, g->pages * PAGE, NULL);
}

static void gmem_unbind(void)
{
	must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
}

/* Some kernels pre-fault for ever if a slot was deleted since the vCPU last ran. */
static void run_vcpu(void)
{
	uint64_t sum;

	must(!vmm_sum(&vm, 0, 0, 1, &sum));
}

static void gmem_touch_range(struct gmem *g, enum touch touch, unsigned long first,
			     unsigned long n)
{
	uint64_t gpa = VMM_TEST_GPA + first * PAGE;
	unsigned long i;

	switch (touch) {
	case HOST:
		for (i = first; i < first + n; i++)
			*(volatile char *)(g->map + i * PAGE) = 1;
		break;
	case FALLOCATE:
		must(!fallocate(g->fd, FALLOC_FL_KEEP_SIZE, first * PAGE, n * PAGE));
		break;
	case GUEST:
		gmem_bind(g);
		must(!vmm_write(&vm, 0, gpa, n, 1));
		gmem_unbind();
		break;
	case PREFAULT:
		gmem_bind(g);
		run_vcpu();
		must(!vmm_prefault(&vm, 0, gpa, n * PAGE));
		gmem_unbind();
		break;
	default:
		must(false);
	}
}

static void gmem_touch(struct gmem *g, enum touch touch)
{
	gmem_touch_range(g, touch, 0, g->pages);
}

static void run_on(int node)
{
	unsigned int cpu_node;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(2 * node, &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
	must(!getcpu(NULL, &cpu_node) && cpu_node == (unsigned int)node);
}

static int set_task_policy(int mode, unsigned long nodes)
{
	return set_mempolicy(mode, nodes ? &nodes : NULL, nodes ? 8 * sizeof(nodes) : 0);
}

static int set_home_node(void *addr, size_t len, unsigned long node)
{
	return syscall(__NR_set_mempolicy_home_node, addr, len, node, 0);
}

/* So that the count that an earlier test left does not shift the next pages. */
static void reset_interleave_counter(void)
{
	must(!set_task_policy(MPOL_INTERLEAVE, BOTH_NODES));
	must(!set_task_policy(MPOL_DEFAULT, 0));
}

static int place_of(int place, unsigned long index, int local)
{
	switch (place) {
	case LOCAL:
		return local;
	case ALTERNATE:
		return by_offset ? (int)(index % NODES) : EITHER;
	case WEIGHTED:
		return by_offset ? index % (WEIGHT_0 + WEIGHT_1) >= WEIGHT_0 : EITHER;
	default:
		return place;
	}
}

/*
 * The number of pages, of the @n from page @first on, that are not where @place says, or @places
 * if given. Reads each page, which maps it if it is there.
 */
static unsigned long misplaced(struct gmem *g, unsigned long first, unsigned long n, int place,
			       const int *places, int local)
{
	unsigned long i, off = 0;

	for (i = first; i < first + n; i++) {
		char *page = g->map + i * PAGE;
		int node, want = place_of(places ? places[i] : place, i, local);

		(void)*(volatile char *)page;
		node = page_node(page);
		if (node == want || (want == EITHER && node >= 0 && node < NODES))
			continue;
		if (off++ < 3)
			printf("#   page %lu is on node %d, not on %d\n", i, node, want);
	}
	return off;
}

static unsigned long pages_on(struct gmem *g, int node)
{
	unsigned long i, n = 0;

	for (i = 0; i < g->pages; i++)
		n += page_node(g->map + i * PAGE) == node;
	return n;
}

/* The whole file, after it was touched at once by one thread on node @local. */
static unsigned long all_misplaced(struct gmem *g, int place, int local)
{
	unsigned long off = misplaced(g, 0, g->pages, place, NULL, local), want;

	if (place != ALTERNATE && place != WEIGHTED)
		return off;
	want = place == ALTERNATE ? g->pages / 2 :
				    g->pages * WEIGHT_1 / (WEIGHT_0 + WEIGHT_1);
	if (pages_on(g, 1) == want)
		return off;
	printf("#   %lu pages are on node 1, not %lu\n", pages_on(g, 1), want);
	return off + 1;
}

/* Touch the whole file in one way, from either node. */
static unsigned long touch_misplaced(struct gmem *g, enum touch touch, int place)
{
	unsigned long off = 0;
	int local;

	for (local = 0; local < NODES; local++) {
		run_on(local);
		gmem_punch(g, 0, g->pages);
		reset_interleave_counter();
		gmem_touch(g, touch);
		off += all_misplaced(g, place, local);
	}
	run_on(0);
	return off;
}

static bool policy_is(void *addr, int mode, unsigned long nodes)
{
	unsigned long got_nodes;
	int got_mode;

	must(!get_policy(addr, &got_mode, &got_nodes));
	if (got_mode == mode && got_nodes == nodes)
		return true;
	printf("#   mode %#x nodes %#lx, not mode %#x nodes %#lx\n", got_mode, got_nodes, mode,
	       nodes);
	return false;
}

static bool policy_is_all(char *map, unsigned long n, int mode, unsigned long nodes)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		if (!policy_is(map + i * PAGE, mode, nodes))
			return false;
	}
	return true;
}

/* MPOL_WEIGHTED_INTERLEAVE exists since 6.9. */
static bool has_weights(void)
{
	return !access(WEIGHTS, F_OK);
}

/* Returns the weight that the node had. */
static int set_weight(int node, int weight)
{
	char path[128], text[16] = {}, new[16];
	int fd;

	if (!has_weights())
		return 0;

	snprintf(path, sizeof(path), WEIGHTS "node%d", node);
	fd = open(path, O_RDONLY);
	must(fd >= 0);
	must(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);

	snprintf(new, sizeof(new), "%d", weight);
	write_file(path, new);
	return atoi(text);
}

static void cpuset_mems(const char *nodes)
{
	write_file("/sys/fs/cgroup/" CGROUP "/cpuset.mems", nodes);
}

static bool in_child(bool (*f)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		bool good = f(arg);

		fflush(stdout);
		_exit(!good);
	}
	must(waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status))
		printf("#   the process ended with status %#x\n", status);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Every mode, with every flag. */

static const struct {
	const char *name;
	int mode;
	unsigned long nodes;
	int place;
	/* Set where get_mempolicy() returns something else than mbind() set. */
	bool differs;
	int got_mode;
	unsigned long got_nodes;
} modes[] = {
	{ "DEFAULT", MPOL_DEFAULT, 0, LOCAL },
	{ "LOCAL", MPOL_LOCAL, 0, LOCAL },
	{ "BIND to node 0", MPOL_BIND, NODE(0), 0 },
	{ "BIND to node 1", MPOL_BIND, NODE(1), 1 },
	{ "BIND to both nodes", MPOL_BIND, BOTH_NODES, LOCAL },
	{ "BIND to node 1 and one that is not there",
	  MPOL_BIND, NODE(1) | NODE(NO_SUCH_NODE), 1, true, MPOL_BIND, NODE(1) },
	{ "PREFERRED node 0", MPOL_PREFERRED, NODE(0), 0 },
	{ "PREFERRED node 1", MPOL_PREFERRED, NODE(1), 1 },
	{ "PREFERRED both nodes, which is the first",
	  MPOL_PREFERRED, BOTH_NODES, 0, true, MPOL_PREFERRED, NODE(0) },
	{ "PREFERRED no node, which is LOCAL", MPOL_PREFERRED, 0, LOCAL, true, MPOL_LOCAL, 0 },
	{ "PREFERRED_MANY node 0", MPOL_PREFERRED_MANY, NODE(0), 0 },
	{ "PREFERRED_MANY node 1", MPOL_PREFERRED_MANY, NODE(1), 1 },
	{ "PREFERRED_MANY both nodes", MPOL_PREFERRED_MANY, BOTH_NODES, LOCAL },
	{ "INTERLEAVE over both nodes", MPOL_INTERLEAVE, BOTH_NODES, ALTERNATE },
	{ "INTERLEAVE over node 1", MPOL_INTERLEAVE, NODE(1), 1 },
	{ "WEIGHTED_INTERLEAVE 3 to 1", MPOL_WEIGHTED_INTERLEAVE, BOTH_NODES, WEIGHTED },
	{ "WEIGHTED_INTERLEAVE over node 1", MPOL_WEIGHTED_INTERLEAVE, NODE(1), 1 },

	{ "BIND to static node 1", MPOL_BIND | MPOL_F_STATIC_NODES, NODE(1), 1 },
	{ "BIND to static node 1 and one that is not there",
	  MPOL_BIND | MPOL_F_STATIC_NODES, NODE(1) | NODE(NO_SUCH_NODE), 1 },
	{ "PREFERRED static node 1", MPOL_PREFERRED | MPOL_F_STATIC_NODES, NODE(1), 1 },
	{ "PREFERRED_MANY static node 0",
	  MPOL_PREFERRED_MANY | MPOL_F_STATIC_NODES, NODE(0), 0 },
	{ "INTERLEAVE over static nodes",
	  MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, BOTH_NODES, ALTERNATE },
	{ "WEIGHTED_INTERLEAVE over static nodes",
	  MPOL_WEIGHTED_INTERLEAVE | MPOL_F_STATIC_NODES, BOTH_NODES, WEIGHTED },

	{ "BIND to relative node 1", MPOL_BIND | MPOL_F_RELATIVE_NODES, NODE(1), 1 },
	{ "BIND to relative node 3, which wraps to 1",
	  MPOL_BIND | MPOL_F_RELATIVE_NODES, NODE(3), 1 },
	{ "PREFERRED relative node 2, which wraps to 0",
	  MPOL_PREFERRED | MPOL_F_RELATIVE_NODES, NODE(2), 0 },
	{ "INTERLEAVE over relative nodes 2 and 3, which wrap",
	  MPOL_INTERLEAVE | MPOL_F_RELATIVE_NODES, NODE(2) | NODE(3), ALTERNATE },

	{ "BIND to node 1 with NUMA balancing",
	  MPOL_BIND | MPOL_F_NUMA_BALANCING, NODE(1), 1 },
};

static void test_modes(void)
{
	int weights[NODES] = { set_weight(0, WEIGHT_0), set_weight(1, WEIGHT_1) };
	struct gmem g = gmem_open(PAGES);
	size_t i;
	int t;

	ok(policy_is_all(g.map, PAGES, MPOL_DEFAULT, 0),
	   "a new file: get_mempolicy() says default for every page");

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		int mode = modes[i].differs ? modes[i].got_mode : modes[i].mode;
		unsigned long nodes = modes[i].differs ? modes[i].got_nodes : modes[i].nodes;

		if ((modes[i].mode & ~MPOL_F_STATIC_NODES) == MPOL_WEIGHTED_INTERLEAVE &&
		    !has_weights()) {
			tap_skip("a kernel without weights", "%s", modes[i].name);
			continue;
		}

		/* Another policy first, which must be replaced. */
		must(!set_policy(g.map, PAGES * PAGE, MPOL_INTERLEAVE, NODE(0)));
		must(!set_policy(g.map, PAGES * PAGE, modes[i].mode, modes[i].nodes));

		ok(policy_is_all(g.map, PAGES, mode, nodes),
		   "%s: get_mempolicy() tells it of every page", modes[i].name);
		for (t = 0; t < touches; t++)
			is(touch_misplaced(&g, t, modes[i].place), 0,
			   "%s: %s puts no page off policy", modes[i].name, touch_name[t]);
	}
	gmem_close(&g);
	set_weight(0, weights[0]);
	set_weight(1, weights[1]);
}

static void test_kernel_knows_node(void)
{
	struct gmem g = gmem_open(2);
	int node = -1;

	must(!set_policy(g.map, PAGE, MPOL_BIND, NODE(0)));
	must(!set_policy(g.map + PAGE, PAGE, MPOL_BIND, NODE(1)));
	gmem_touch(&g, HOST);
	must(!get_mempolicy(&node, NULL, 0, g.map, MPOL_F_NODE | MPOL_F_ADDR));
	is(node, 0, "get_mempolicy(MPOL_F_NODE) names node 0 for a page bound to it");
	must(!get_mempolicy(&node, NULL, 0, g.map + PAGE, MPOL_F_NODE | MPOL_F_ADDR));
	is(node, 1, "get_mempolicy(MPOL_F_NODE) names node 1 for a page bound to it");
	gmem_close(&g);
}

static void test_home_node(void)
{
	static const struct {
		const char *name;
		int mode;
	} cases[] = {
		{ "BIND", MPOL_BIND },
		{ "PREFERRED_MANY", MPOL_PREFERRED_MANY },
	};
	struct gmem g;
	int home, t;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (home = 0; home < NODES; home++) {
			g = gmem_open(PAGES);
			must(!set_policy(g.map, PAGES * PAGE, cases[i].mode, BOTH_NODES));
			is(set_home_node(g.map, PAGES * PAGE, home), 0,
			   "%s with home node %d: set_mempolicy_home_node() takes it",
			   cases[i].name, home);
			ok(policy_is_all(g.map, PAGES, cases[i].mode, BOTH_NODES),
			   "%s with home node %d: mode and nodes are still told",
			   cases[i].name, home);
			for (t = 0; t < touches; t++)
				is(touch_misplaced(&g, t, home), 0,
				   "%s with home node %d: %s puts every page there",
				   cases[i].name, home, touch_name[t]);
			gmem_close(&g);
		}
	}

	g = gmem_open(PAGES);
	must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND, BOTH_NODES));
	must(!set_home_node(g.map, PAGES / 2 * PAGE, 1));
	must(!set_home_node(g.map + PAGES / 2 * PAGE, PAGES / 2 * PAGE, 0));
	gmem_touch(&g, GUEST);
	is(misplaced(&g, 0, PAGES / 2, 1, NULL, 0) +
	   misplaced(&g, PAGES / 2, PAGES / 2, 0, NULL, 0), 0,
	   "two home nodes in one file: each half is on its own");

	must(!set_policy(g.map, PAGES * PAGE, MPOL_INTERLEAVE, BOTH_NODES));
	fails(set_home_node(g.map, PAGES * PAGE, 1), EOPNOTSUPP,
	      "a home node for INTERLEAVE is refused");
	must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND, BOTH_NODES));
	fails(set_home_node(g.map, PAGES * PAGE, NO_SUCH_NODE), EINVAL,
	      "a home node that is not there is refused");
	gmem_close(&g);
}

/* Ranges. */

static const struct {
	int mode;
	unsigned long nodes;
	int place;
} choices[] = {
	{ MPOL_DEFAULT, 0, LOCAL },
	{ MPOL_BIND, NODE(0), 0 },
	{ MPOL_BIND, NODE(1), 1 },
	{ MPOL_BIND | MPOL_F_STATIC_NODES, NODE(1), 1 },
	{ MPOL_PREFERRED, NODE(0), 0 },
	{ MPOL_PREFERRED, NODE(1), 1 },
	{ MPOL_PREFERRED_MANY, NODE(1), 1 },
	{ MPOL_INTERLEAVE, BOTH_NODES, ALTERNATE },
	{ MPOL_LOCAL, 0, LOCAL },
};
#define CHOICES ARRAY_SIZE(choices)

/* The same sequence on every run. */
static unsigned int random_state;

static unsigned int random_below(unsigned int n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 16) % n;
}

static bool model_agrees(char *map, const unsigned int *model, unsigned long first,
			 unsigned long n)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		unsigned int c = model[first + i];

		if (policy_is(map + i * PAGE, choices[c].mode, choices[c].nodes))
			continue;
		printf("#   at page %lu\n", first + i);
		return false;
	}
	return true;
}

/*
 * With @fresh, each mbind() goes through its own mapping, which covers only its range. Otherwise
 * all go through one mapping, whose areas the kernel splits and merges.
 */
static void test_random_ranges(bool fresh, enum touch touch)
{
	const char *how = fresh ? "a mapping of each range" : "one mapping";
	const unsigned long shift = 5;
	static unsigned int model[MANY_PAGES];
	static int places[MANY_PAGES];
	struct gmem g = gmem_open(MANY_PAGES), other = g, part = g;
	bool whole_agrees = true, part_agrees = true;
	unsigned long i;
	int step;

	other.map = map_pages(g.fd, 0, MANY_PAGES);
	part.map = map_pages(g.fd, shift, MANY_PAGES - shift);
	memset(model, 0, sizeof(model));
	random_state = 1 + touch;

	for (step = 1; step <= 160; step++) {
		unsigned int first = random_below(MANY_PAGES);
		/* Small ranges split areas, large ones replace many. */
		unsigned int n = 1 + random_below(step % 8 ? 24 : MANY_PAGES);
		unsigned int c = random_below(CHOICES);
		char *map = g.map + first * PAGE;

		if (n > MANY_PAGES - first)
			n = MANY_PAGES - first;
		if (fresh)
			map = map_pages_apart(g.fd, first, n);
		/* mbind(DEFAULT) has no effect through a mapping on which no policy was set. */
		if (fresh && choices[c].mode == MPOL_DEFAULT)
			must(!set_policy(map, n * PAGE, MPOL_LOCAL, 0));
		must(!set_policy(map, n * PAGE, choices[c].mode, choices[c].nodes));
		if (fresh)
			unmap_pages_apart(map, n);
		for (i = first; i < first + n; i++)
			model[i] = c;

		if (step % 8 == 0) {
			whole_agrees &= model_agrees(other.map, model, 0, MANY_PAGES);
			part_agrees &= model_agrees(part.map, model, shift, MANY_PAGES - shift);
		}
	}
	ok(whole_agrees,
	   "160 mbind()s at random through %s: another mapping is told each page's policy", how);
	ok(part_agrees,
	   "160 mbind()s at random through %s: so is a mapping with an offset in the file", how);

	for (i = 0; i < MANY_PAGES; i++)
		places[i] = choices[model[i]].place;
	run_on(1);
	gmem_touch(&g, touch);
	is(misplaced(&other, 0, MANY_PAGES, 0, places, 1), 0,
	   "160 mbind()s at random through %s: %s puts no page off policy", how,
	   touch_name[touch]);
	run_on(0);

	must(!munmap(part.map, (MANY_PAGES - shift) * PAGE));
	must(!munmap(other.map, MANY_PAGES * PAGE));
	gmem_close(&g);
}

/* Two parts of the file, side by side in memory, the later part first. */
static void test_range_over_mappings(void)
{
	struct gmem g = gmem_open(32);
	char *two = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags = MAP_SHARED | MAP_FIXED, prot = PROT_READ | PROT_WRITE;

	must(two != MAP_FAILED);
	must(mmap(two, 8 * PAGE, prot, flags, g.fd, 24 * PAGE) != MAP_FAILED);
	must(mmap(two + 8 * PAGE, 8 * PAGE, prot, flags, g.fd, 0) != MAP_FAILED);
	must(!set_policy(two + 4 * PAGE, 8 * PAGE, MPOL_BIND, NODE(1)));

	ok(policy_is_all(g.map, 4, MPOL_BIND, NODE(1)) &&
	   policy_is_all(g.map + 4 * PAGE, 24, MPOL_DEFAULT, 0) &&
	   policy_is_all(g.map + 28 * PAGE, 4, MPOL_BIND, NODE(1)),
	   "one mbind() over two mappings sets the policy of both parts of the file");
	gmem_touch(&g, HOST);
	is(misplaced(&g, 0, 4, 1, NULL, 0) + misplaced(&g, 4, 24, LOCAL, NULL, 0) +
	   misplaced(&g, 28, 4, 1, NULL, 0), 0,
	   "one mbind() over two mappings: pages are placed accordingly");
	must(!munmap(two, 16 * PAGE));
	gmem_close(&g);
}

/* Other mappings and processes see the policy. */

static void test_outlives_mapping(void)
{
	struct gmem g = gmem_open(PAGES);
	char *map;

	must(!set_policy(g.map, PAGES / 2 * PAGE, MPOL_BIND, NODE(1)));
	must(!munmap(g.map, PAGES * PAGE));
	gmem_touch(&g, GUEST);
	g.map = map_pages(g.fd, 0, PAGES);
	ok(policy_is_all(g.map, PAGES / 2, MPOL_BIND, NODE(1)) &&
	   policy_is_all(g.map + PAGES / 2 * PAGE, PAGES / 2, MPOL_DEFAULT, 0),
	   "a policy outlives its mapping: a new mapping is told of it");
	is(misplaced(&g, 0, PAGES / 2, 1, NULL, 0) +
	   misplaced(&g, PAGES / 2, PAGES / 2, LOCAL, NULL, 0), 0,
	   "a policy outlives its mapping: guest touch obeys while no mapping exists");
	gmem_punch(&g, 0, PAGES);
	gmem_touch(&g, HOST);
	is(misplaced(&g, 0, PAGES / 2, 1, NULL, 0) +
	   misplaced(&g, PAGES / 2, PAGES / 2, LOCAL, NULL, 0), 0,
	   "a policy outlives its mapping: host touch through a new one obeys");

	/* Only the mapping still holds the file. */
	map = map_pages(g.fd, 8, 8);
	must(!munmap(g.map, PAGES * PAGE));
	must(!close(g.fd));
	g.map = map;
	g.pages = 8;
	must(!madvise(map, 8 * PAGE, MADV_DONTNEED));
	must(!set_policy(map, 4 * PAGE, MPOL_PREFERRED, NODE(0)));
	ok(policy_is_all(map, 4, MPOL_PREFERRED, NODE(0)) &&
	   policy_is_all(map + 4 * PAGE, 4, MPOL_BIND, NODE(1)),
	   "a policy outlives the file descriptor, and can be set without it");
	must(!munmap(map, 8 * PAGE));
}

static void test_offset_mapping(void)
{
	struct gmem g = gmem_open(PAGES), part = g;

	part.map = map_pages(g.fd, 7, 20);
	part.pages = 20;
	must(!set_policy(part.map + 3 * PAGE, 5 * PAGE, MPOL_BIND, NODE(1)));
	ok(policy_is_all(g.map, 10, MPOL_DEFAULT, 0) &&
	   policy_is_all(g.map + 10 * PAGE, 5, MPOL_BIND, NODE(1)) &&
	   policy_is_all(g.map + 15 * PAGE, PAGES - 15, MPOL_DEFAULT, 0),
	   "set through a mapping with an offset: a mapping of the whole file is told where");
	gmem_touch(&g, HOST);
	is(misplaced(&g, 0, 10, LOCAL, NULL, 0) + misplaced(&g, 10, 5, 1, NULL, 0) +
	   misplaced(&g, 15, PAGES - 15, LOCAL, NULL, 0), 0,
	   "set through a mapping with an offset: pages are placed accordingly");

	must(!set_policy(part.map, 20 * PAGE, MPOL_DEFAULT, 0));
	must(!set_policy(g.map + 20 * PAGE, PAGE, MPOL_INTERLEAVE, BOTH_NODES));
	ok(policy_is_all(part.map, 13, MPOL_DEFAULT, 0) &&
	   policy_is(part.map + 13 * PAGE, MPOL_INTERLEAVE, BOTH_NODES) &&
	   policy_is_all(part.map + 14 * PAGE, 6, MPOL_DEFAULT, 0),
	   "set through a mapping of the whole file: one with an offset is told where");
	must(!munmap(part.map, 20 * PAGE));
	gmem_close(&g);
}

/* The parent sets the policy of two quarters and the child of the third; the fourth has none. */
#define QUARTER (PAGES / 4)

static bool quarters_are(char *map, bool third)
{
	return policy_is_all(map, QUARTER, MPOL_BIND, NODE(1)) &&
	       policy_is_all(map + QUARTER * PAGE, QUARTER, MPOL_PREFERRED, NODE(1)) &&
	       policy_is_all(map + 2 * QUARTER * PAGE, QUARTER, third ? MPOL_BIND : MPOL_DEFAULT,
			     third ? NODE(1) : 0) &&
	       policy_is_all(map + 3 * QUARTER * PAGE, QUARTER, MPOL_DEFAULT, 0);
}

static void set_quarters(struct gmem *g)
{
	must(!set_policy(g->map, QUARTER * PAGE, MPOL_BIND, NODE(1)));
	must(!set_policy(g->map + QUARTER * PAGE, QUARTER * PAGE, MPOL_PREFERRED, NODE(1)));
}

static bool see_and_set(char *map)
{
	return quarters_are(map, false) &&
	       !set_policy(map + 2 * QUARTER * PAGE, QUARTER * PAGE, MPOL_BIND, NODE(1)) &&
	       quarters_are(map, true);
}

static unsigned long quarters_misplaced(struct gmem *g)
{
	return misplaced(g, 0, 3 * QUARTER, 1, NULL, 0) +
	       misplaced(g, 3 * QUARTER, QUARTER, LOCAL, NULL, 0);
}

static bool child_inherited_map(void *arg)
{
	struct gmem *g = arg;

	return see_and_set(g->map);
}

static bool child_inherited_fd(void *arg)
{
	struct gmem *g = arg;

	munmap(g->map, PAGES * PAGE);
	return see_and_set(map_pages(g->fd, 0, PAGES));
}

static bool child_touch(void *arg)
{
	gmem_touch(arg, HOST);
	return true;
}

static void test_fork(void)
{
	static const struct {
		const char *name;
		bool (*child)(void *arg);
	} cases[] = {
		{ "the mapping", child_inherited_map },
		{ "the descriptor", child_inherited_fd },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gmem g = gmem_open(PAGES);

		set_quarters(&g);
		ok(in_child(cases[i].child, &g),
		   "a child that inherits %s is told the policies, and sets another",
		   cases[i].name);
		ok(quarters_are(g.map, true),
		   "the parent is told what a child that inherits %s sets", cases[i].name);
		gmem_touch(&g, GUEST);
		is(quarters_misplaced(&g), 0,
		   "the parent's guest obeys what a child that inherits %s sets", cases[i].name);
		gmem_punch(&g, 0, PAGES);
		must(in_child(child_touch, &g));
		is(quarters_misplaced(&g), 0,
		   "another child that inherits %s obeys the policies of both",
		   cases[i].name);
		gmem_close(&g);
	}
}

static void send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	must(sendmsg(sock, &msg, 0) == 1);
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	must(recvmsg(sock, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/* A process that is older than the file and receives only the file descriptor. */
static void test_passed_fd(void)
{
	int sock[2], status;
	struct gmem g;
	pid_t pid;

	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		int fd = receive_fd(sock[1]);
		bool good = see_and_set(map_pages(fd, 0, PAGES));

		fflush(stdout);
		_exit(!good);
	}

	g = gmem_open(PAGES);
	set_quarters(&g);
	send_fd(sock[0], g.fd);
	must(waitpid(pid, &status, 0) == pid);
	is(status, 0,
	   "a process that is passed the descriptor is told the policies, and sets another");
	ok(quarters_are(g.map, true),
	   "the owner is told what a process that is passed the descriptor sets");
	gmem_touch(&g, GUEST);
	is(quarters_misplaced(&g), 0,
	   "the owner's guest obeys what a process that is passed the descriptor sets");
	gmem_close(&g);
	close(sock[0]);
	close(sock[1]);
}

/* No policy. */

struct guest_task {
	struct gmem *g;
	enum touch touch;
	int mode;
	unsigned long nodes;
	int local;
};

static void *guest_task(void *arg)
{
	struct guest_task *t = arg;

	run_on(t->local);
	must(!set_task_policy(t->mode, t->nodes));
	gmem_touch(t->g, t->touch);
	return NULL;
}

/* Touch from a thread with this policy, while all other threads have the opposite one. */
static unsigned long task_misplaced(enum touch touch, int mode, unsigned long nodes, int place)
{
	struct gmem g = gmem_open(PAGES);
	struct guest_task t = { &g, touch, mode, nodes };
	unsigned long off = 0;
	pthread_t thread;

	for (t.local = 0; t.local < NODES; t.local++) {
		must(!set_task_policy(MPOL_BIND, nodes ^ BOTH_NODES));
		must(!pthread_create(&thread, NULL, guest_task, &t));
		must(!pthread_join(thread, NULL));
		must(!set_task_policy(MPOL_DEFAULT, 0));
		off += misplaced(&g, 0, PAGES, place, NULL, t.local);
		gmem_punch(&g, 0, PAGES);
	}
	gmem_close(&g);
	return off;
}

static void test_task_policy(void)
{
	static const struct {
		const char *name;
		int mode;
	} cases[] = {
		{ "BIND to", MPOL_BIND },
		{ "PREFERRED", MPOL_PREFERRED },
	};
	struct gmem g = gmem_open(PAGES);
	int node, t;
	size_t i;

	must(!set_task_policy(MPOL_BIND, NODE(1)));
	ok(policy_is_all(g.map, PAGES, MPOL_DEFAULT, 0),
	   "the task has a policy, the file none: get_mempolicy() says default");
	must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND, NODE(0)));
	gmem_touch(&g, HOST);
	is(misplaced(&g, 0, PAGES, 0, NULL, 0), 0,
	   "the task has a policy, the file another: the file's counts for host touch");
	gmem_punch(&g, 0, PAGES);
	gmem_touch(&g, GUEST);
	is(misplaced(&g, 0, PAGES, 0, NULL, 0), 0,
	   "the task has a policy, the file another: the file's counts for guest touch");
	must(!set_policy(g.map, PAGES * PAGE, MPOL_DEFAULT, 0));
	ok(policy_is_all(g.map, PAGES, MPOL_DEFAULT, 0),
	   "the task has a policy, the file's is removed: get_mempolicy() says default");
	gmem_punch(&g, 0, PAGES);
	gmem_touch(&g, HOST);
	is(misplaced(&g, 0, PAGES, 1, NULL, 0), 0,
	   "the task has a policy, the file's is removed: the task's counts");
	must(!set_task_policy(MPOL_DEFAULT, 0));
	gmem_close(&g);

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (node = 0; node < NODES; node++) {
			for (t = 0; t < touches; t++)
				is(task_misplaced(t, cases[i].mode, NODE(node), node), 0,
				   "the file has no policy: %s obeys its own thread's %s node %d",
				   touch_name[t], cases[i].name, node);
		}
	}
}

static void test_cpuset(void)
{
	static const char *const mems[NODES] = { "0", "1" };
	struct gmem g = gmem_open(PAGES);
	int node, t;

	cgroup_enter(CGROUP);
	for (node = 0; node < NODES; node++) {
		cpuset_mems(mems[node]);
		for (t = 0; t < touches; t++)
			is(touch_misplaced(&g, t, node), 0,
			   "the file has no policy: %s obeys cpuset.mems = %d", touch_name[t],
			   node);
	}

	/* The cpuset has only node 1 now. */
	must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND, BOTH_NODES));
	ok(policy_is_all(g.map, PAGES, MPOL_BIND, NODE(1)),
	   "BIND to both nodes where the cpuset has node 1: get_mempolicy() says node 1");
	must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND | MPOL_F_RELATIVE_NODES, NODE(0)));
	ok(policy_is_all(g.map, PAGES, MPOL_BIND | MPOL_F_RELATIVE_NODES, NODE(0)),
	   "BIND to relative node 0 where the cpuset has node 1: get_mempolicy() says relative 0");
	is(touch_misplaced(&g, HOST, 1), 0,
	   "BIND to relative node 0 where the cpuset has node 1: every page is on node 1");
	must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND | MPOL_F_STATIC_NODES, BOTH_NODES));
	ok(policy_is_all(g.map, PAGES, MPOL_BIND | MPOL_F_STATIC_NODES, BOTH_NODES),
	   "BIND to both static nodes where the cpuset has node 1: get_mempolicy() says both");
	is(touch_misplaced(&g, GUEST, 1), 0,
	   "BIND to both static nodes where the cpuset has node 1: every page is on node 1");
	fails(set_policy(g.map, PAGES * PAGE, MPOL_BIND | MPOL_F_STATIC_NODES, NODE(0)), EINVAL,
	      "BIND to static node 0 where the cpuset has node 1 is refused");
	fails(set_policy(g.map, PAGES * PAGE, MPOL_BIND, NODE(0)), EINVAL,
	      "BIND to node 0 where the cpuset has node 1 is refused");

	cpuset_mems("0-1");
	must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND, NODE(0)));
	cpuset_mems("1");
	ok(policy_is_all(g.map, PAGES, MPOL_BIND, NODE(0)),
	   "bound to node 0 before the cpuset lost it: get_mempolicy() still says so");
	is(touch_misplaced(&g, HOST, 1), 0,
	   "bound to node 0 before the cpuset lost it: host touch obeys the cpuset");
	is(touch_misplaced(&g, GUEST, 1), 0,
	   "bound to node 0 before the cpuset lost it: guest touch obeys the cpuset");

	gmem_punch(&g, 0, PAGES);
	gmem_touch(&g, HOST);
	cpuset_mems("0");
	is(misplaced(&g, 0, PAGES, 1, NULL, 0), 0,
	   "a cpuset that loses its node leaves the pages where they are");

	cpuset_mems("0-1");
	cgroup_leave(CGROUP);
	is(touch_misplaced(&g, HOST, 0), 0,
	   "bound to node 0, with the cpuset's node back: host touch obeys the policy");
	gmem_close(&g);
}

/* Pages that are in the file. */

static void test_punch(void)
{
	struct gmem g = gmem_open(PAGES);
	static int places[PAGES];
	unsigned long i;
	int t;

	for (t = 0; t < touches; t++) {
		bool zero = true;

		must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND, NODE(0)));
		gmem_touch(&g, t);
		memset(g.map, 0xaa, PAGES * PAGE);
		must(!set_policy(g.map, PAGES * PAGE, MPOL_BIND, NODE(1)));
		is(misplaced(&g, 0, PAGES, 0, NULL, 0), 0,
		   "mbind() after %s: the pages stay where they are", touch_name[t]);

		gmem_punch(&g, 16, 32);
		for (i = 0; i < PAGES; i++)
			places[i] = i >= 16 && i < 48;
		gmem_touch(&g, t);
		is(misplaced(&g, 0, PAGES, 0, places, 0), 0,
		   "punch hole and %s: the new pages obey the policy in force, the others stay",
		   touch_name[t]);
		for (i = 16 * PAGE; i < 48 * PAGE; i++)
			zero &= g.map[i] == 0 || (i % PAGE == 0 && g.map[i] == 1);
		ok(zero, "punch hole and %s: the new pages are zero except for what was written",
		   touch_name[t]);
		gmem_punch(&g, 0, PAGES);
	}
	gmem_close(&g);
}

static void test_mbind_flags(void)
{
	struct gmem g = gmem_open(PAGES);
	unsigned long node0 = NODE(0), node1 = NODE(1), bits = 8 * sizeof(node0);

	is(mbind(g.map, PAGES * PAGE, MPOL_BIND, &node0, bits, MPOL_MF_STRICT | MPOL_MF_MOVE), 0,
	   "mbind() with STRICT and MOVE succeeds on an empty file");
	ok(policy_is_all(g.map, PAGES, MPOL_BIND, NODE(0)),
	   "mbind() with STRICT and MOVE sets the policy of an empty file");
	gmem_touch(&g, GUEST);
	is(misplaced(&g, 0, PAGES, 0, NULL, 0), 0,
	   "mbind() with STRICT and MOVE: guest touch obeys");
	is(mbind(g.map, PAGES * PAGE, MPOL_BIND, &node0, bits, MPOL_MF_STRICT | MPOL_MF_MOVE), 0,
	   "mbind() with STRICT and MOVE succeeds where all pages lie right");

	fails(mbind(g.map, PAGES * PAGE, MPOL_BIND, &node1, bits, MPOL_MF_STRICT), EIO,
	      "mbind() with STRICT fails where pages lie wrong");
	ok(policy_is_all(g.map, PAGES, MPOL_BIND, NODE(0)),
	   "mbind() with STRICT that fails changes no policy");
	fails(mbind(g.map, PAGES * PAGE, MPOL_BIND, &node1, bits, MPOL_MF_STRICT | MPOL_MF_MOVE),
	      EIO, "mbind() with STRICT and MOVE says that pages could not be moved");
	is(misplaced(&g, 0, PAGES, 0, NULL, 0), 0,
	   "mbind() with STRICT and MOVE leaves pages where they are");
	is(mbind(g.map, PAGES * PAGE, MPOL_BIND, &node1, bits, MPOL_MF_MOVE_ALL), 0,
	   "mbind() with MOVE_ALL succeeds");
	is(misplaced(&g, 0, PAGES, 0, NULL, 0), 0,
	   "mbind() with MOVE_ALL leaves pages where they are");
	ok(policy_is_all(g.map, PAGES, MPOL_BIND, NODE(1)),
	   "mbind() with MOVE_ALL sets the policy of what comes later");
	gmem_close(&g);
}

static bool child_touch_dies(void *arg)
{
	signal(SIGBUS, SIG_DFL);
	*(volatile char *)arg = 1;
	return true;
}

static void test_not_shared(void)
{
	const unsigned long on_1 = 40;
	long before[NODES], added[NODES];
	pid_t pid;
	char *map;
	int fd, status;

	cgroup_enter(CGROUP);
	fd = vmm_gmem(&vm, PAGES * PAGE, GUEST_MEMFD_FLAG_MMAP);
	map = map_pages(fd, 0, PAGES);

	fflush(stdout);
	pid = fork();
	must(pid >= 0);
	if (!pid)
		_exit(child_touch_dies(map));
	must(waitpid(pid, &status, 0) == pid);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS,
	   "a file without INIT_SHARED: host touch is SIGBUS");

	is(set_policy(map, on_1 * PAGE, MPOL_BIND, NODE(1)), 0,
	   "a file without INIT_SHARED: mbind() works on its mapping");
	must(!set_policy(map + on_1 * PAGE, (PAGES - on_1) * PAGE, MPOL_BIND, NODE(0)));
	ok(policy_is_all(map, on_1, MPOL_BIND, NODE(1)) &&
	   policy_is_all(map + on_1 * PAGE, PAGES - on_1, MPOL_BIND, NODE(0)),
	   "a file without INIT_SHARED: get_mempolicy() tells what mbind() set");

	cgroup_file_pages(CGROUP, before);
	vmm_bind(&vm, fd, PAGES * PAGE, NULL);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, PAGES, 1));
	cgroup_file_pages_added(CGROUP, before, PAGES, added);
	is(added[0], PAGES - on_1,
	   "a file without INIT_SHARED: as many guest pages are on node 0 as are bound to it");
	is(added[1], on_1,
	   "a file without INIT_SHARED: as many guest pages are on node 1 as are bound to it");

	gmem_unbind();
	must(!munmap(map, PAGES * PAGE));
	must(!close(fd));
	cgroup_leave(CGROUP);
}

static int raw_mbind(void *addr, size_t len, int mode, unsigned long nodes, unsigned int flags)
{
	return mbind(addr, len, mode, &nodes, 8 * sizeof(nodes), flags);
}

static void test_invalid(void)
{
	struct gmem g = gmem_open(PAGES);
	char *other = map_pages(g.fd, 0, PAGES);
	size_t len = PAGES * PAGE;
	char *map = g.map;

	must(!set_policy(map, len, MPOL_PREFERRED_MANY | MPOL_F_STATIC_NODES, NODE(1)));

	fails(raw_mbind(map, len, 99, NODE(0), 0), EINVAL, "a mode that does not exist is EINVAL");
	fails(raw_mbind(map, len, -1, NODE(0), 0), EINVAL, "a negative mode is EINVAL");
	fails(raw_mbind(map, len, MPOL_BIND, 0, 0), EINVAL, "BIND to no node is EINVAL");
	fails(raw_mbind(map, len, MPOL_INTERLEAVE, 0, 0), EINVAL,
	      "INTERLEAVE over no node is EINVAL");
	fails(raw_mbind(map, len, MPOL_WEIGHTED_INTERLEAVE, 0, 0), EINVAL,
	      "WEIGHTED_INTERLEAVE over no node is EINVAL");
	fails(raw_mbind(map, len, MPOL_PREFERRED_MANY, 0, 0), EINVAL,
	      "PREFERRED_MANY of no node is EINVAL");
	fails(raw_mbind(map, len, MPOL_BIND, NODE(NO_SUCH_NODE), 0), EINVAL,
	      "BIND to a node that is not there is EINVAL");
	fails(raw_mbind(map, len, MPOL_DEFAULT, NODE(0), 0), EINVAL,
	      "DEFAULT with a node is EINVAL");
	fails(raw_mbind(map, len, MPOL_LOCAL, NODE(0), 0), EINVAL, "LOCAL with a node is EINVAL");
	fails(raw_mbind(map, len, MPOL_LOCAL | MPOL_F_STATIC_NODES, 0, 0), EINVAL,
	      "LOCAL with static nodes is EINVAL");
	fails(raw_mbind(map, len, MPOL_PREFERRED | MPOL_F_RELATIVE_NODES, 0, 0), EINVAL,
	      "PREFERRED relative to no node is EINVAL");
	fails(raw_mbind(map, len, MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES,
			NODE(0), 0), EINVAL, "nodes both static and relative are EINVAL");
	fails(raw_mbind(map, len, MPOL_INTERLEAVE | MPOL_F_NUMA_BALANCING, NODE(0), 0), EINVAL,
	      "INTERLEAVE with NUMA balancing is EINVAL");
	fails(raw_mbind(map, len, MPOL_BIND, NODE(0), 1 << 10), EINVAL,
	      "an mbind() flag that does not exist is EINVAL");
	fails(raw_mbind(map + 1, PAGE, MPOL_BIND, NODE(0), 0), EINVAL,
	      "an address inside a page is EINVAL");
	must(!munmap(map + len - PAGE, PAGE));
	fails(raw_mbind(map, len, MPOL_BIND, NODE(0), 0), EFAULT,
	      "a range that leaves the mapping is EFAULT");

	ok(policy_is_all(map, PAGES - 1, MPOL_PREFERRED_MANY | MPOL_F_STATIC_NODES, NODE(1)) &&
	   policy_is_all(other, PAGES, MPOL_PREFERRED_MANY | MPOL_F_STATIC_NODES, NODE(1)),
	   "none of these changes what get_mempolicy() tells");
	must(!munmap(map, len - PAGE));
	g.map = other;
	is(touch_misplaced(&g, GUEST, 1), 0, "none of these changes where pages go");
	gmem_close(&g);
}

/* Interleaving by offset. */

#define TOUCHERS 4

struct toucher {
	pthread_t thread;
	struct gmem *g;
	const unsigned int *order;
	pthread_barrier_t *start;
	int id;
	bool guest;
};

static void *toucher(void *arg)
{
	struct toucher *t = arg;
	unsigned long i;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(t->id, &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
	pthread_barrier_wait(t->start);
	for (i = t->id; i < t->g->pages; i += TOUCHERS) {
		unsigned long page = t->order[i];

		if (t->guest)
			must(!vmm_write(&vm, t->id, VMM_TEST_GPA + page * PAGE, 1, 1));
		else
			*(volatile char *)(t->g->map + page * PAGE) = 1;
	}
	return NULL;
}

static void touch_at_once(struct gmem *g, bool (*guest)(int id))
{
	struct toucher t[TOUCHERS];
	static unsigned int order[MANY_PAGES];
	pthread_barrier_t start;
	unsigned int i, j, tmp;

	for (i = 0; i < g->pages; i++) {
		j = random_below(i + 1);
		tmp = j == i ? i : order[j];
		order[j] = i;
		order[i] = tmp;
	}

	must(!pthread_barrier_init(&start, NULL, TOUCHERS));
	gmem_bind(g);
	for (i = 0; i < TOUCHERS; i++) {
		t[i] = (struct toucher){ .g = g, .order = order, .start = &start, .id = i,
					 .guest = guest(i) };
		must(!pthread_create(&t[i].thread, NULL, toucher, &t[i]));
	}
	for (i = 0; i < TOUCHERS; i++)
		must(!pthread_join(t[i].thread, NULL));
	gmem_unbind();
	pthread_barrier_destroy(&start);
}

static bool nobody(int id)
{
	return false;
}

static bool everybody(int id)
{
	return true;
}

static bool every_other(int id)
{
	return id % 2;
}

static void test_interleave_by_offset(void)
{
	static const struct {
		const char *name;
		bool (*guest)(int id);
	} cases[] = {
		{ "by four threads of the host", nobody },
		{ "by four vCPUs", everybody },
		{ "half by vCPUs, half by the host", every_other },
	};
	int weights[NODES] = { set_weight(0, WEIGHT_0), set_weight(1, WEIGHT_1) };
	struct gmem g = gmem_open(MANY_PAGES);
	unsigned long i;
	size_t c;

	random_state = 1;
	for (c = 0; c < ARRAY_SIZE(cases); c++) {
		must(!set_policy(g.map, MANY_PAGES * PAGE, MPOL_INTERLEAVE, BOTH_NODES));
		gmem_punch(&g, 0, MANY_PAGES);
		touch_at_once(&g, cases[c].guest);
		is(misplaced(&g, 0, MANY_PAGES, ALTERNATE, NULL, 0), 0,
		   "INTERLEAVE, touched at once in random order %s: page i is on node i modulo 2",
		   cases[c].name);

		if (!has_weights())
			continue;
		must(!set_policy(g.map, MANY_PAGES * PAGE, MPOL_WEIGHTED_INTERLEAVE, BOTH_NODES));
		gmem_punch(&g, 0, MANY_PAGES);
		touch_at_once(&g, cases[c].guest);
		is(misplaced(&g, 0, MANY_PAGES, WEIGHTED, NULL, 0), 0,
		   "WEIGHTED_INTERLEAVE 3 to 1, touched at once in random order %s: by offset",
		   cases[c].name);
	}

	must(!set_policy(g.map, MANY_PAGES * PAGE, MPOL_DEFAULT, 0));
	must(!set_policy(g.map + 3 * PAGE, 50 * PAGE, MPOL_INTERLEAVE, BOTH_NODES));
	gmem_punch(&g, 0, MANY_PAGES);
	for (i = 0; i < MANY_PAGES; i += 2)
		gmem_touch_range(&g, HOST, i, 1);
	gmem_touch_range(&g, HOST, 0, MANY_PAGES);
	is(misplaced(&g, 0, 3, LOCAL, NULL, 0) + misplaced(&g, 3, 50, ALTERNATE, NULL, 0) +
	   misplaced(&g, 53, MANY_PAGES - 53, LOCAL, NULL, 0), 0,
	   "INTERLEAVE of a range, every other page touched first: it goes by offset");

	must(!set_policy(g.map, MANY_PAGES * PAGE, MPOL_INTERLEAVE, BOTH_NODES));
	gmem_punch(&g, 0, MANY_PAGES);
	for (i = 0; i < 3; i++) {
		gmem_touch_range(&g, HOST, 5, 1);
		is(misplaced(&g, 5, 1, ALTERNATE, NULL, 0), 0,
		   "INTERLEAVE: page 5 is on node 1, whenever it is punched and touched again");
		gmem_punch(&g, 5, 1);
	}
	gmem_close(&g);
	set_weight(0, weights[0]);
	set_weight(1, weights[1]);
}

int main(void)
{
	by_offset = vmm_gmem_is_ours();
	if (vmm_prefault_error())
		touches = PREFAULT;

	run_on(0);
	vmm_create(&vm, TOUCHERS);
	is(vmm_cap(vm.fd, KVM_CAP_GUEST_MEMFD_FLAGS), 3, "the kernel has mappable guest_memfd");

	test_modes();
	test_kernel_knows_node();
	test_home_node();
	test_random_ranges(false, HOST);
	test_random_ranges(false, GUEST);
	test_random_ranges(true, FALLOCATE);
	test_random_ranges(true, GUEST);
	test_range_over_mappings();
	test_outlives_mapping();
	test_offset_mapping();
	test_fork();
	test_passed_fd();
	test_task_policy();
	test_cpuset();
	test_punch();
	test_mbind_flags();
	test_not_shared();
	test_invalid();
	if (by_offset)
		test_interleave_by_offset();
	else
		tap_skip("this kernel counts by task", "INTERLEAVE goes by offset in the file");

	vmm_destroy(&vm);
	return tap_exit();
}
