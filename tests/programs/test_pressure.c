// SPDX-License-Identifier: GPL-2.0-only
/*
 * There is no memory on the node that a policy names, or for the cgroup. The task that asked for
 * it is told, no other task is affected, and everything goes on once there is memory again.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fill.h"
#include "numa.h"
#include "sigbus.h"
#include "tap.h"
#include "vmm.h"

#define FULL 1			/* the node that is filled */
#define N 4096UL
#define SIZE (N * PAGE)

static bool ours;

static int on_full_node(unsigned long i)
{
	return FULL;
}

static int on_other_node(unsigned long i)
{
	return !FULL;
}

static long milliseconds(void)
{
	struct timespec t;

	must(!clock_gettime(CLOCK_MONOTONIC, &t));
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int allocate(int fd, uint64_t size)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size);
}

/*
 * A process with @size of memory on a node, which the OOM killer takes first if it may, and which
 * does nothing.
 */
static pid_t bystander(uint64_t size, int node)
{
	int ready[2];
	char c, *p;
	pid_t pid;

	must(!pipe(ready));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_file("/proc/self/oom_score_adj", "1000");
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(p != MAP_FAILED && !set_policy(p, size, MPOL_BIND, NODE(node)));
		memset(p, 1, size);
		must(write(ready[1], "", 1) == 1);
		for (;;)
			pause();
	}
	must(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static bool lives(pid_t pid)
{
	return !waitpid(pid, NULL, WNOHANG);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/*
 * Fill the node completely again: the kernel frees what it can in the background, and on a slow
 * machine it had the time to free more than a file takes.
 */
static void fill_again(int filler)
{
	must(allocate(filler, GIB) && errno == ENOMEM);
}

/* Memory that is not confined to the node comes from the other node. */
static void test_other_policies(struct vmm *vm, int filler)
{
	static const struct {
		int mode;
		unsigned long nodes;
		const char *name;
	} policies[] = {
		{ MPOL_DEFAULT, 0, "no policy" },
		{ MPOL_PREFERRED, NODE(FULL), "PREFERRED" },
		{ MPOL_INTERLEAVE, BOTH_NODES, "INTERLEAVE" },
		{ MPOL_BIND, BOTH_NODES, "BIND to both nodes" },
	};
	unsigned long off;
	size_t i;

	run_on_node(FULL);
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		int fd = vmm_gmem(vm, SIZE, VMM_GMEM_BOTH);
		char *p = vmm_map(fd, SIZE);

		must(!set_policy(p, SIZE, policies[i].mode, policies[i].nodes));
		fill_again(filler);
		is(allocate(fd, SIZE), 0, "full node: %s: fallocate() succeeds", policies[i].name);
		off = pages_off(p, N, on_other_node);
		ok(off < N / 4, "full node: %s: on the other node (except %lu pages)",
		   policies[i].name, off);
		munmap(p, SIZE);
		close(fd);
	}
}

static void test_host_on_full_node(char *p, int filler)
{
	unsigned long i;
	int zero;

	fill_again(filler);
	for (i = 0; i < N && sigbus_write(p + i * PAGE, 1); i++)
		;
	ok(i < N, "full node: a touch by the host gets SIGBUS (page %lu)", i);
	fails(madvise(p, SIZE, MADV_POPULATE_WRITE), ENOMEM, "full node: MADV_POPULATE_WRITE: ENOMEM");
	zero = open("/dev/zero", O_RDONLY);
	must(zero >= 0);
	/* Do not read into the first page, as some memory may have become free. */
	fill_again(filler);
	fails(read(zero, p + SIZE - PAGE, PAGE), EFAULT, "full node: read() into it: EFAULT");
	close(zero);
}

/*
 * Prefaults one page. There may be room for it again a moment after the node was filled, but not
 * every time.
 */
static int prefault_on_full_node(struct vmm *vm, int filler, int fd)
{
	int i, r = 0;

	for (i = 0; !r && i < 10; i++) {
		vmm_punch(fd, SIZE - PAGE, PAGE);
		fill_again(filler);
		r = vmm_prefault(vm, 0, VMM_TEST_GPA + SIZE - PAGE, PAGE);
	}
	return r;
}

static void test_guest_on_full_node(struct vmm *vm, int filler, int fd)
{
	struct kvm_run *run = vm->vcpu[0].run;
	long start;

	fill_again(filler);
	run->exit_reason = 0;
	fails(vmm_write(vm, 0, VMM_TEST_GPA, N, 1), ENOMEM, "full node: KVM_RUN fails with ENOMEM");
	is(run->exit_reason, KVM_EXIT_MEMORY_FAULT, "full node: KVM_EXIT_MEMORY_FAULT");
	start = milliseconds();
	fails(ioctl(vm->vcpu[0].fd, KVM_RUN, 0), ENOMEM,
	      "full node: KVM_RUN fails again if tried again");
	printf("# KVM_RUN took %ld ms to fail\n", milliseconds() - start);
	if (!vmm_prefault_error())
		fails(prefault_on_full_node(vm, filler, fd), ENOMEM,
		      "full node: KVM_PRE_FAULT_MEMORY fails with ENOMEM");
}

/*
 * Upstream invokes the OOM killer, which may kill any process: here, a bystander that has no
 * memory on that node.
 */
static void test_full_node(void)
{
	int filler, fd;
	long start, kills = vm_events("oom_kill");
	unsigned long there;
	struct vmm vm;
	pid_t canary;
	uint64_t sum;
	bool first;
	char *p;

	if (!ours) {
		tap_skip("upstream kills any process", "a full node");
		return;
	}

	canary = bystander(16 * MIB, !FULL);
	vmm_create(&vm, 1);
	filler = vmm_gmem(&vm, GIB, VMM_GMEM_BOTH);
	p = vmm_map(filler, GIB);
	must(!set_policy(p, GIB, MPOL_BIND, NODE(FULL)));
	munmap(p, GIB);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, SIZE);
	must(!set_policy(p, SIZE, MPOL_BIND, NODE(FULL)));
	vmm_bind(&vm, fd, SIZE, p);
	must(!vmm_halt(&vm, 0));

	start = milliseconds();
	node_fill(FULL);
	printf("# %ld ms to fill the node except for %ld KiB\n", milliseconds() - start,
	       node_meminfo_kb(FULL, "MemFree"));
	start = milliseconds();
	fails(allocate(filler, GIB), ENOMEM, "full node: fallocate() fails with ENOMEM");
	printf("# after %ld ms, with %ld KiB free\n", milliseconds() - start,
	       node_meminfo_kb(FULL, "MemFree"));

	/* Free more than the per-CPU lists can hold. */
	vmm_punch(filler, 0, SIZE / 2);
	fails(allocate(fd, SIZE), ENOMEM, "full node: with half of what it takes free, it fails as well");
	there = pages_present(p, N, &first);
	ok(there > 0 && there < N && first,
	   "full node: the pages before that point are in the file (%lu)", there);
	is(pages_off(p, there, on_full_node), 0, "full node: all on the node");

	test_host_on_full_node(p, filler);
	test_guest_on_full_node(&vm, filler, fd);
	test_other_policies(&vm, filler);
	ok(lives(canary), "full node: no process is killed");
	is(vm_events("oom_kill") - kills, 0, "full node: the OOM killer was not asked");

	vmm_punch(filler, 0, 2 * SIZE);
	is(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), 0, "with memory again, the guest goes on");
	is(vm.vcpu[0].run->exit_reason, KVM_EXIT_HLT,
	   "with memory again: the guest runs to its end");
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum));
	is(sum, N, "with memory again: no write was lost");
	is(pages_off(p, N, on_full_node), 0, "with memory again: every page is on the node");

	munmap(p, SIZE);
	close(fd);
	close(filler);
	vmm_destroy(&vm);
	node_empty();
	end(canary);
}

enum touch { ALLOCATE, HOST, GUEST, TOUCHES };

static const char *const touch_name[] = {
	[ALLOCATE] = "fallocate()",
	[HOST] = "host touch",
	[GUEST] = "guest touch",
};

static int touch_all(struct vmm *vm, int fd, char *p, enum touch touch)
{
	unsigned long i;

	switch (touch) {
	case ALLOCATE:
		return allocate(fd, SIZE);
	case HOST:
		for (i = 0; i < N; i++)
			p[i * PAGE] = 1;
		return 0;
	default:
		return vmm_write(vm, 0, VMM_TEST_GPA, N, 1);
	}
}

/* A VMM in the cgroup, whose limit leaves the VMM at most half of what it touches. */
static int limited_vmm(enum touch touch, const char *score, int told)
{
	struct vmm vm;
	char *p;
	int fd, r, i;

	write_file("/proc/self/oom_score_adj", score);
	cgroup_enter("limited");
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, SIZE);
	vmm_bind(&vm, fd, SIZE, p);
	must(!vmm_halt(&vm, 0));
	must(write(told, "", 1) == 1);
	r = touch_all(&vm, fd, p, touch);
	/* The memory of a process that was killed may become free a moment later. */
	for (i = 0; r && errno == ENOMEM && i < 500; i++) {
		usleep(10000);
		r = touch_all(&vm, fd, p, touch);
	}
	return r ? errno : 0;
}

static pid_t start_limited_vmm(enum touch touch, const char *score)
{
	int told[2];
	pid_t pid;
	char c;

	must(!pipe(told));
	pid = fork();
	must(pid >= 0);
	if (!pid)
		_exit(limited_vmm(touch, score, told[1]));
	must(read(told[0], &c, 1) == 1);
	close(told[0]);
	close(told[1]);
	return pid;
}

static pid_t bystander_in(const char *cgroup, uint64_t size)
{
	pid_t pid;

	cgroup_enter(cgroup);
	pid = bystander(size, 0);
	/* The cgroup remains, with the bystander in it. */
	cgroup_leave(cgroup);
	return pid;
}

static void limit(long bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", bytes);
	cgroup_make("limited");
	cgroup_write("limited", "memory.max", text);
}

/* The VMM is the only process in the cgroup: it is killed, and no process outside. */
static void test_limit_kills(enum touch touch)
{
	pid_t canary = bystander(16 * MIB, 0), vmm;
	int status;

	limit(SIZE / 2);
	vmm = start_limited_vmm(touch, "0");
	must(waitpid(vmm, &status, 0) == vmm);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	   "memory limit, %s: the VMM is killed (%#x)", touch_name[touch], status);
	is(cgroup_value("limited",
	   "memory.events", "oom_kill"), 1, "memory limit, %s: memory.events counts the kill",
	   touch_name[touch]);
	ok(lives(canary),
	   "memory limit, %s: no process outside the cgroup is killed", touch_name[touch]);
	end(canary);
	cgroup_leave("limited");
}

/*
 * The OOM killer must kill another process in the cgroup first, and the VMM goes on with the
 * memory that this frees. The VMM itself must not be killable, because the kernel may otherwise
 * kill it while the other process is still exiting.
 */
static void test_limit_makes_room(enum touch touch)
{
	pid_t other = bystander_in("limited", SIZE), vmm;
	int status;

	limit(SIZE + SIZE / 2);
	vmm = start_limited_vmm(touch, "-1000");
	must(waitpid(vmm, &status, 0) == vmm);
	is(status, 0, "memory limit, %s: the VMM goes on with what another had", touch_name[touch]);
	ok(!lives(other), "memory limit, %s: the other process was killed", touch_name[touch]);
	cgroup_leave("limited");
}

/* No process may be killed: a host touch waits for memory, as a touch of any other memory does. */
static void test_limit_waits(void)
{
	pid_t vmm;
	int status;

	limit(SIZE / 2);
	vmm = start_limited_vmm(HOST, "-1000");
	usleep(300000);
	ok(lives(vmm), "memory limit, nobody to kill: a host touch waits");
	limit(2 * SIZE);
	must(waitpid(vmm, &status, 0) == vmm);
	is(status, 0, "memory limit lifted: the host goes on");
	cgroup_leave("limited");
}

int main(void)
{
	enum touch touch;

	ours = vmm_gmem_is_ours();
	sigbus_catch();
	write_file("/proc/self/oom_score_adj", "-1000");
	test_full_node();
	for (touch = 0; touch < TOUCHES; touch++) {
		test_limit_kills(touch);
		test_limit_makes_room(touch);
	}
	test_limit_waits();
	return tap_exit();
}
