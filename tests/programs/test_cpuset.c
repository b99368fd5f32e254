// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nodes that the VMM may use change while the guest runs. The file's policy stays as it was
 * set, pages stay where they are, and new pages go where those of shared memory go.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define CGROUP "test_cpuset"
#define EACH 128UL		/* pages with the same policy */
#define SIZE(pages) ((pages) * PAGE)

static const struct range {
	const char *name;
	int mode;
	unsigned long nodes;
} ranges[] = {
	{ "no policy", MPOL_DEFAULT, 0 },
	{ "BIND to node 0", MPOL_BIND, NODE(0) },
	{ "BIND to node 1", MPOL_BIND, NODE(1) },
	{ "BIND to both", MPOL_BIND, BOTH_NODES },
	{ "PREFERRED node 0", MPOL_PREFERRED, NODE(0) },
	{ "INTERLEAVE", MPOL_INTERLEAVE, BOTH_NODES },
};

#define RANGES (sizeof(ranges) / sizeof(ranges[0]))
#define N (RANGES * EACH)

static struct vmm vm;
static bool ours;

/* Two files with the same policies: guest_memfd is compared with shared memory. */
static int gmem, shmem;
static char *gmem_map, *shmem_map;

static void set_mems(const char *nodes)
{
	cgroup_write(CGROUP, "cpuset.mems", nodes);
}

static void run_on(int node)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(2 * node, &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
}

static char *map_with_policies(int fd)
{
	char *p = vmm_map(fd, SIZE(N));
	size_t i;

	for (i = 0; i < RANGES; i++)
		must(!set_policy(p + i * SIZE(EACH), SIZE(EACH), ranges[i].mode, ranges[i].nodes));
	return p;
}

static int node_of(char *p)
{
	(void)*(volatile char *)p;
	return page_node(p);
}

/*
 * Interleaving may start on either node, and native 7.3 counts by task; so for interleaving, the
 * numbers of pages per node are compared.
 */
static unsigned long differences(const struct range *r, size_t first)
{
	unsigned long i, differ = 0, on_1[2] = {};

	for (i = first; i < first + EACH; i++) {
		int a = node_of(gmem_map + i * PAGE), b = node_of(shmem_map + i * PAGE);

		differ += a != b;
		on_1[0] += a == 1;
		on_1[1] += b == 1;
	}
	if (r->mode != MPOL_INTERLEAVE)
		return differ;
	return labs((long)on_1[0] - (long)on_1[1]) > (ours ? 0 : 2);
}

/* Compares new pages that the guest touches with new pages of shared memory. */
static void compare(const char *when)
{
	size_t i;

	vmm_punch(gmem, 0, SIZE(N));
	vmm_punch(shmem, 0, SIZE(N));
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 1));
	for (i = 0; i < N; i++)
		shmem_map[i * PAGE] = 1;
	for (i = 0; i < RANGES; i++)
		is(differences(&ranges[i], i * EACH), 0, "%s: %s: pages go where shared memory goes",
		   when, ranges[i].name);
}

static unsigned long policies_changed(void)
{
	unsigned long changed = 0, nodes;
	size_t i;
	int mode;

	for (i = 0; i < RANGES; i++) {
		must(!get_policy(gmem_map + i * SIZE(EACH), &mode, &nodes));
		changed += mode != ranges[i].mode || nodes != ranges[i].nodes;
	}
	return changed;
}

/* Pages that are in the file must stay where they are. */
static void change(const char *nodes, const char *when)
{
	static int before[N];
	unsigned long moved = 0, i;

	for (i = 0; i < N; i++)
		before[i] = node_of(gmem_map + i * PAGE);
	set_mems(nodes);
	for (i = 0; i < N; i++)
		moved += before[i] < 0 || node_of(gmem_map + i * PAGE) != before[i];
	is(moved, 0, "%s: no page moves", when);
	is(policies_changed(), 0, "%s: no policy of the file changes", when);
	compare(when);
}

static volatile bool stop;
static uint64_t rounds, holes;

static void *fault_until_stopped(void *arg)
{
	long errors = 0;

	for (; !stop; rounds++)
		errors += !!vmm_write(&vm, 1, VMM_TEST_GPA, N, 2);
	return (void *)errors;
}

static void *punch_until_stopped(void *arg)
{
	for (; !stop; holes++)
		vmm_punch(gmem, 0, SIZE(N));
	return NULL;
}

static void test_under_a_running_guest(void)
{
	static const char *const nodes[] = { "1", "0-1", "0", "1", "0", "0-1" };
	pthread_t guest, puncher;
	void *errors;
	int i;

	must(!pthread_create(&guest, NULL, fault_until_stopped, NULL));
	must(!pthread_create(&puncher, NULL, punch_until_stopped, NULL));
	for (i = 0; i < 30; i++) {
		set_mems(nodes[i % 6]);
		usleep(10000);
	}
	stop = true;
	must(!pthread_join(guest, &errors) && !pthread_join(puncher, NULL));
	is((long)errors, 0, "the nodes change 30 times under a guest that faults");
	ok(rounds && holes, "meanwhile: %lu rounds of faults, %lu holes", rounds, holes);
	is(policies_changed(), 0, "no policy of the file changes meanwhile");
}

int main(void)
{
	ours = vmm_gmem_is_ours();
	cgroup_enter(CGROUP);
	set_mems("0-1");
	run_on(1);
	vmm_create(&vm, 2);
	gmem = vmm_gmem(&vm, SIZE(N), VMM_GMEM_BOTH);
	shmem = memfd_create("shmem", 0);
	must(shmem >= 0 && !ftruncate(shmem, SIZE(N)));
	gmem_map = map_with_policies(gmem);
	shmem_map = map_with_policies(shmem);
	vmm_bind(&vm, gmem, SIZE(N), gmem_map);

	compare("both nodes");
	change("1", "node 0 taken away");
	change("0-1", "node 0 given back");
	change("0", "node 1 taken away");
	change("0-1", "node 1 given back");
	test_under_a_running_guest();
	compare("both nodes, after all that");

	munmap(gmem_map, SIZE(N));
	munmap(shmem_map, SIZE(N));
	close(gmem);
	close(shmem);
	vmm_destroy(&vm);
	cgroup_leave(CGROUP);
	return tap_exit();
}
