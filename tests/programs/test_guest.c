// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which page the guest gets when it touches memory, from which node, and how the page is taken
 * away again. Runs with nested paging and without (kvm_amd npt=0).
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define SIZE (64 * PAGE)

static bool npt;
static bool ours;

static int on_node_0(unsigned long i)
{
	return 0;
}

static int on_node_1(unsigned long i)
{
	return 1;
}

static const char *const nesting_name[] = {
	[VMM_L1] = "guest",
	[VMM_L2] = "nested guest",
	[VMM_L2_NPT] = "nested guest with nested paging",
};

/*
 * There are two witnesses. The cgroup's count is read first, while only the guest has touched the
 * pages; move_pages() then names the node of each page.
 */
static void test_placement(enum vmm_nesting nesting)
{
	const uint64_t n = 256, size = 2 * n * PAGE;
	const char *who = nesting_name[nesting];
	long before[NODES], added[NODES];
	struct vmm vm;
	char *p;
	int fd;

	if (nesting == VMM_L2_NPT && !npt) {
		tap_skip("the host has no nested paging to offer", "%s: placement", who);
		return;
	}

	vmm_create(&vm, 1);
	cgroup_enter("placement");
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	p = vmm_map(fd, size);
	must(!set_policy(p, n * PAGE, MPOL_BIND, NODE(0)));
	must(!set_policy(p + n * PAGE, n * PAGE, MPOL_BIND, NODE(1)));
	vmm_bind(&vm, fd, size, p);

	cgroup_file_pages("placement", before);
	/* The remote node comes first: it must not matter where the vCPU runs. */
	is(vmm_write_nested(&vm, 0, nesting, VMM_TEST_GPA + n * PAGE, n, 0x1111), 0,
	   "%s: writes to the half bound to node 1", who);
	is(vmm_write_nested(&vm, 0, nesting, VMM_TEST_GPA, n, 0x2222), 0,
	   "%s: writes to the half bound to node 0", who);
	cgroup_file_pages_added("placement", before, 2 * n, added);

	is(added[0], n, "%s: the cgroup was charged %lu pages of node 0", who, n);
	is(added[1], n, "%s: the cgroup was charged %lu pages of node 1", who, n);
	is(pages_off(p, n, on_node_0), 0, "%s: every page of the first half is on node 0", who);
	is(pages_off(p + n * PAGE, n, on_node_1), 0, "%s: every page of the second half is on node 1",
	   who);
	is(*(uint64_t *)p, 0x2222, "%s: the VMM reads what the guest wrote", who);

	munmap(p, size);
	close(fd);
	vmm_destroy(&vm);
	cgroup_leave("placement");
}

static void test_prefault(void)
{
	const uint64_t n = 512, size = n * PAGE;
	long before[NODES], added[NODES];
	struct vmm vm;
	char *p;
	int fd;

	vmm_create(&vm, 1);
	cgroup_enter("prefault");
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	p = vmm_map(fd, size);
	must(!set_policy(p, size, MPOL_BIND, NODE(1)));
	vmm_bind(&vm, fd, size, NULL);

	if (vmm_prefault_error()) {
		int r = vmm_prefault(&vm, 0, VMM_TEST_GPA, size);

		/* Kernels before 6.11 do not have this ioctl at all. */
		ok(r == -1 && (errno == vmm_prefault_error() || errno == EINVAL),
		   "KVM_PRE_FAULT_MEMORY needs nested paging and 6.11");
	} else {
		cgroup_file_pages("prefault", before);
		is(vmm_prefault(&vm, 0, VMM_TEST_GPA, size), 0, "KVM_PRE_FAULT_MEMORY works");
		cgroup_file_pages_added("prefault", before, n, added);
		is(added[1], n, "KVM_PRE_FAULT_MEMORY takes every page from node 1");
		is(added[0], 0, "KVM_PRE_FAULT_MEMORY takes no page from node 0");
		is(pages_off(p, n, on_node_1), 0, "KVM_PRE_FAULT_MEMORY: no page is off its policy");
	}

	munmap(p, size);
	close(fd);
	vmm_destroy(&vm);
	cgroup_leave("prefault");
}

/*
 * userspace_addr maps other memory, which is all present and aligned like the guest's addresses: a
 * huge page, whose size KVM must not take for the size of the guest's mapping, or small pages,
 * which KVM must not prefetch.
 */
static void test_unrelated_hva(bool huge, uint64_t offset, enum vmm_nesting nesting)
{
	const char *what = huge ? "a huge page" : "small pages";
	const uint64_t size = 64 * MIB, n = 512;
	const uint64_t gpa = VMM_TEST_GPA + offset;
	uint64_t i, sum = 0, wrong = 0;
	struct vmm vm;
	char *area, *hva;
	int fd;

	area = mmap(NULL, size + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(area != MAP_FAILED);
	hva = (char *)(((uintptr_t)area + 2 * MIB - 1) & ~(2 * MIB - 1));
	must(!madvise(hva, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE));
	memset(hva + offset, 0xee, n * PAGE);

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, size, hva);

	/* Write only to one page of each group of 16 first, so that KVM can prefetch the gaps. */
	for (i = 0; i < n; i += 16)
		must(!vmm_write_nested(&vm, 0, nesting, gpa + i * PAGE, 1, 1));
	must(!vmm_sum(&vm, 0, gpa, n, &sum));
	is(sum, n / 16, "%s over %s at userspace_addr, guest maps %s: reads the file",
	   nesting_name[nesting], what, offset < VMM_TEST_4K ? "4 KiB" : "2 MiB");

	/*
	 * The guest's page tables have accessed bits now, so KVM will prefetch. The change of
	 * userspace_addr below removes what KVM has mapped.
	 */
	must(!vmm_write_nested(&vm, 0, nesting, gpa, n, 0x3333));
	must(!madvise(hva + offset, n * PAGE, MADV_DONTNEED));
	memset(hva + offset, 0xee, n * PAGE);
	must(!vmm_sum(&vm, 0, gpa, n, &sum));
	is(sum, n * 0x3333, "%s over %s at userspace_addr, guest maps %s: reads the file again",
	   nesting_name[nesting], what, offset < VMM_TEST_4K ? "4 KiB" : "2 MiB");

	must(!vmm_write_nested(&vm, 0, nesting, gpa, n, 0x5555));
	for (i = 0; i < n * PAGE; i++)
		wrong += (unsigned char)hva[offset + i] != 0xee;
	is(wrong, 0, "%s over %s at userspace_addr, guest maps %s: writes nothing else",
	   nesting_name[nesting], what, offset < VMM_TEST_4K ? "4 KiB" : "2 MiB");

	close(fd);
	vmm_destroy(&vm);
	munmap(area, size + 2 * MIB);
}

static void test_unrelated(void)
{
	if (!ours && !npt) {
		tap_skip("native 7.3 prefetches from userspace_addr under shadow paging",
			 "userspace_addr maps something else");
		return;
	}
	test_unrelated_hva(true, 0, VMM_L1);
	test_unrelated_hva(true, VMM_TEST_4K, VMM_L1);
	test_unrelated_hva(false, 0, VMM_L1);
	test_unrelated_hva(false, VMM_TEST_4K, VMM_L1);
	test_unrelated_hva(false, 0, VMM_L2);
	if (!ours)
		tap_skip("native 7.3 prefetches from userspace_addr for nested guests",
			 "userspace_addr maps something else, nested paging twice");
	else if (npt)
		test_unrelated_hva(false, 0, VMM_L2_NPT);
}

/* The memory that the allocator hands out held a pattern a moment ago; the guest reads it first. */
static void test_fresh(bool allocate)
{
	const uint64_t size = 4 * MIB, n = size / PAGE;
	const char *how = allocate ? "fallocated" : "first touched by the guest";
	uint64_t i, sum, old = 0;
	struct vmm vm;
	char *p;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	p = vmm_map(fd, size);
	vmm_bind(&vm, fd, size, p);

	memset(p, 0xa5, size);
	vmm_punch(fd, 0, size);
	if (allocate)
		must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size));
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, n, &sum));
	is(sum, 0, "pages %s: the guest reads zeroes", how);
	for (i = 0; i < size; i++)
		old += p[i] != 0;
	is(old, 0, "pages %s: no byte of them is old", how);

	munmap(p, size);
	close(fd);
	vmm_destroy(&vm);
}

static void test_punch(void)
{
	const uint64_t n = 64, size = n * PAGE;
	uint64_t sum;
	struct vmm vm;
	char *p;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	p = vmm_map(fd, size);
	vmm_bind(&vm, fd, size, p);

	must(!set_policy(p, size, MPOL_BIND, NODE(0)));
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, n, 7));
	is(p[(n - 1) * PAGE], 7, "the VMM sees the guest's page before the hole");

	must(!set_policy(p, size, MPOL_BIND, NODE(1)));
	is(pages_off(p, n, on_node_0), 0, "a new policy moves no page");
	vmm_punch(fd, 16 * PAGE, 16 * PAGE);
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, n, &sum));
	is(sum, 7 * (n - 16), "the guest reads zeroes in the hole and its data around it");
	is(p[16 * PAGE], 0, "the VMM reads zeroes in the hole");
	is(pages_off(p, 16, on_node_0), 0, "pages before the hole stayed");
	is(pages_off(p + 16 * PAGE, 16, on_node_1), 0, "pages in the hole follow the new policy");
	is(pages_off(p + 32 * PAGE, n - 32, on_node_0), 0, "pages behind the hole stayed");

	munmap(p, size);
	close(fd);
	vmm_destroy(&vm);
}

/* The file is closed before the slot is deleted: the guest must not fall back to userspace_addr. */
static void test_closed_file(enum vmm_nesting nesting)
{
	const uint64_t size = 16 * PAGE;
	struct kvm_run *run;
	struct vmm vm;
	char *hva;
	int fd;

	if (nesting == VMM_L2_NPT && !npt)
		return;

	hva = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(hva != MAP_FAILED);
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, size, hva);
	must(!vmm_write_nested(&vm, 0, nesting, VMM_TEST_GPA, 16, 1));
	close(fd);

	run = vm.vcpu[0].run;
	run->exit_reason = 0;
	fails(vmm_write_nested(&vm, 0, nesting, VMM_TEST_GPA + 3 * PAGE, 1, 1), EFAULT,
	      "%s: file closed: KVM_RUN fails with EFAULT", nesting_name[nesting]);
	is(run->exit_reason, KVM_EXIT_MEMORY_FAULT, "%s: file closed: KVM_EXIT_MEMORY_FAULT",
	   nesting_name[nesting]);
	is(run->memory_fault.gpa, VMM_TEST_GPA + 3 * PAGE, "%s: file closed: it names the page",
	   nesting_name[nesting]);
	is(run->memory_fault.size, PAGE, "%s: file closed: and its size", nesting_name[nesting]);
	is(run->memory_fault.flags, 0, "%s: file closed: and no flags", nesting_name[nesting]);
	must(!vmm_halt(&vm, 0));
	is(vmm_delete_slot(&vm, VMM_TEST_SLOT), 0, "%s: file closed: the slot can be deleted",
	   nesting_name[nesting]);
	vmm_destroy(&vm);
	munmap(hva, size);
}

/* Only the flags vary: the guest gets its pages from the file in every case. */
static void test_flags(uint64_t flags, const char *name)
{
	const uint64_t n = 16, size = n * PAGE;
	struct vmm vm;
	uint64_t sum;
	char *hva;
	int fd;

	hva = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(hva != MAP_FAILED);
	memset(hva, 0xee, size);
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, size, flags);
	vmm_bind(&vm, fd, size, hva);
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, n, &sum));
	is(sum, 0, "%s: the guest reads zeroes from the file", name);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, n, 3));
	vmm_punch(fd, 0, PAGE);
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, n, &sum));
	is(sum, 3 * (n - 1), "%s: a hole takes the guest's page", name);
	is(hva[0], (char)0xee, "%s: userspace_addr was not written to", name);
	close(fd);
	vmm_destroy(&vm);
	munmap(hva, size);
}

/*
 * Cache lines of an encrypted guest may remain when its pages are not mapped any longer. Whenever
 * pages are taken that the guest could see, KVM must be made to write its caches back, as it does
 * in its own notifiers.
 */
static void test_reclaimed(void)
{
	struct vmm vm;
	long before;
	int fd;

	if (!vmm_gmem_is_ours()) {
		tap_skip("native guest_memfd has its own way", "caches are written back");
		return;
	}
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, SIZE, NULL);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, SIZE / PAGE, 1));
	if (!calls_begin("kvm_arch_guest_memory_reclaimed")) {
		tap_skip("a kernel without kprobe events", "caches are written back");
		close(fd);
		vmm_destroy(&vm);
		return;
	}

	before = calls_so_far();
	vmm_punch(fd, 0, SIZE / 2);
	is(calls_so_far() - before, 1, "caches are written back: a hole");

	/* KVM unmaps all memory of a VM when any of its slots is deleted. */
	must(!vmm_slot(&vm, VMM_TEST_SLOT + 1, 0, 2 * VMM_TEST_GPA, PAGE, vm.ctrl, -1, 0));
	must(!vmm_delete_slot(&vm, VMM_TEST_SLOT + 1));
	before = calls_so_far();
	vmm_punch(fd, SIZE / 2, SIZE / 2);
	is(calls_so_far() - before, 1, "caches are written back: a hole whose pages were unmapped before");

	before = calls_so_far();
	close(fd);
	is(calls_so_far() - before, 1, "caches are written back: the last close");
	calls_end();
	vmm_destroy(&vm);
}

/*
 * There is no memory, and no process that the OOM killer may kill. The guest's access fails, and
 * succeeds when there is memory again.
 */
static void test_out_of_memory(void)
{
	const uint64_t size = 16 * MIB, n = size / PAGE;
	int fd, score, limit;
	struct kvm_run *run;
	struct vmm vm;
	uint64_t sum;

	score = open("/proc/self/oom_score_adj", O_WRONLY);
	must(score >= 0 && write(score, "-1000", 5) == 5);
	cgroup_enter("oom");
	vmm_create(&vm, 1);
	run = vm.vcpu[0].run;
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, size, NULL);
	/* Open the file now, because open() fails as well once the limit is reached. */
	limit = cgroup_open("oom", "memory.max");
	must(write(limit, "8388608", 7) == 7);

	fails(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size), ENOMEM,
	      "memory limit: fallocate() fails with ENOMEM");
	vmm_punch(fd, 0, size);

	run->exit_reason = 0;
	fails(vmm_write(&vm, 0, VMM_TEST_GPA, n, 1), ENOMEM,
	      "memory limit: KVM_RUN fails with ENOMEM");
	is(run->exit_reason, KVM_EXIT_MEMORY_FAULT, "memory limit: KVM_EXIT_MEMORY_FAULT");
	fails(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), ENOMEM,
	      "memory limit: KVM_RUN fails again if called again");

	must(write(limit, "max", 3) == 3);
	close(limit);
	is(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), 0, "memory limit lifted: the guest goes on");
	is(run->exit_reason, KVM_EXIT_HLT, "memory limit lifted: the guest runs to its end");
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, n, &sum));
	is(sum, n, "memory limit lifted: no write was lost");

	close(fd);
	vmm_destroy(&vm);
	cgroup_leave("oom");
	must(write(score, "0", 1) == 1);
	close(score);
}

struct worker {
	struct vmm *vm;
	int vcpu;
	uint64_t gpa, n;
	volatile uint64_t rounds;
	long errors;
};

static void *write_rounds(void *arg)
{
	struct worker *w = arg;
	uint64_t i;

	for (i = 0; i < w->rounds; i++)
		w->errors += !!vmm_write(w->vm, w->vcpu, w->gpa, w->n, w->vcpu + 1);
	return NULL;
}

/* All vCPUs fault on the same pages: each page is allocated once, and no write is lost. */
static void test_parallel(void)
{
	const uint64_t n = 512, size = n * PAGE;
	long before[NODES], added[NODES], errors = 0;
	struct worker w[4];
	pthread_t t[4];
	struct vmm vm;
	uint64_t sum;
	char *p;
	int fd, i;

	vmm_create(&vm, 4);
	cgroup_enter("parallel");
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	p = vmm_map(fd, size);
	must(!set_policy(p, size, MPOL_BIND, NODE(1)));
	vmm_bind(&vm, fd, size, p);
	cgroup_file_pages("parallel", before);

	for (i = 0; i < 4; i++) {
		w[i] = (struct worker){ .vm = &vm, .vcpu = i, .gpa = VMM_TEST_GPA, .n = n, .rounds = 1 };
		must(!pthread_create(&t[i], NULL, write_rounds, &w[i]));
	}
	for (i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		errors += w[i].errors;
	}
	cgroup_file_pages_added("parallel", before, n, added);

	is(errors, 0, "4 vCPUs fault on the same pages at once");
	is(added[1], n, "4 vCPUs at once: each page is allocated once, on its node");
	is(pages_off(p, n, on_node_1), 0, "4 vCPUs at once: no page is off its policy");
	must(!vmm_write(&vm, 2, VMM_TEST_GPA, n, 9));
	must(!vmm_sum(&vm, 1, VMM_TEST_GPA, n, &sum));
	is(sum, 9 * n, "4 vCPUs at once: all see the same pages");

	munmap(p, size);
	close(fd);
	vmm_destroy(&vm);
	cgroup_leave("parallel");
}

struct puncher {
	int fd;
	uint64_t size;
	volatile bool stop;
	long holes;
};

static void *punch_until_stopped(void *arg)
{
	struct puncher *p = arg;

	do {
		vmm_punch(p->fd, 0, p->size);
		p->holes++;
	} while (!p->stop);
	return NULL;
}

/* A guest that still has a page after a hole was punched there writes to freed memory. */
static void test_punch_race(void)
{
	const uint64_t n = 32, size = n * PAGE;
	struct puncher puncher = { .size = size };
	struct worker w[2];
	pthread_t t[3];
	struct vmm vm;
	uint64_t sum, i, host = 0;
	char *p;

	vmm_create(&vm, 2);
	puncher.fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	p = vmm_map(puncher.fd, size);
	vmm_bind(&vm, puncher.fd, size, p);

	must(!pthread_create(&t[2], NULL, punch_until_stopped, &puncher));
	for (i = 0; i < 2; i++) {
		w[i] = (struct worker){ .vm = &vm, .vcpu = i, .gpa = VMM_TEST_GPA, .n = n, .rounds = 150 };
		must(!pthread_create(&t[i], NULL, write_rounds, &w[i]));
	}
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	puncher.stop = true;
	pthread_join(t[2], NULL);

	is(w[0].errors + w[1].errors, 0, "guest writes race with punched holes");
	ok(puncher.holes > 10, "guest writes race with punched holes: %ld of them", puncher.holes);

	/* Guest and host still use the same pages. */
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, n, 0x77));
	for (i = 0; i < n; i++)
		host += *(uint64_t *)(p + i * PAGE);
	must(!vmm_sum(&vm, 1, VMM_TEST_GPA, n, &sum));
	is(sum, 0x77 * n, "after the race, the guest reads its own writes");
	is(host, 0x77 * n, "after the race, the VMM reads them too");

	munmap(p, size);
	close(puncher.fd);
	vmm_destroy(&vm);
}

/*
 * A guest writes to the last pages of a range while a hole is punched there from its first page
 * on. A page that the guest gets in the meantime must not be one that is about to be removed. The
 * hole has so many pages that the guest gets to run meanwhile.
 */
static void test_punch_large(void)
{
	const uint64_t n = 8192, last = 32, size = n * PAGE;
	const uint64_t gpa = VMM_TEST_GPA + (n - last) * PAGE;
	unsigned long round, i, lost = 0;
	struct vmm vm;
	char *p;
	int fd;

	vmm_create(&vm, 2);
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, size, NULL);
	for (round = 1; round <= 12; round++) {
		struct worker w = { .vm = &vm, .vcpu = 1, .gpa = gpa, .n = last, .rounds = 1000000 };
		pthread_t t;

		must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size));
		must(!pthread_create(&t, NULL, write_rounds, &w));
		usleep(20000);
		vmm_punch(fd, 0, size);
		w.rounds = 0;
		must(!pthread_join(t, NULL) && !w.errors);

		must(!vmm_write(&vm, 0, gpa, last, 100 + round));
		p = vmm_map(fd, size);
		for (i = n - last; i < n; i++)
			lost += *(uint64_t *)(p + i * PAGE) != 100 + round;
		munmap(p, size);
	}
	is(lost, 0, "a large hole under a guest: the guest sees the file's pages afterwards");
	close(fd);
	vmm_destroy(&vm);
}

int main(void)
{
	npt = vmm_host_has_npt();
	ours = vmm_gmem_is_ours();

	test_placement(VMM_L1);
	test_placement(VMM_L2);
	test_placement(VMM_L2_NPT);
	test_prefault();
	test_unrelated();
	test_fresh(false);
	test_fresh(true);
	test_punch();
	test_closed_file(VMM_L1);
	test_closed_file(VMM_L2);
	test_closed_file(VMM_L2_NPT);
	test_flags(VMM_GMEM_BOTH, "MMAP | INIT_SHARED");
	test_flags(GUEST_MEMFD_FLAG_MMAP, "MMAP");
	if (ours)
		test_flags(GUEST_MEMFD_FLAG_INIT_SHARED, "INIT_SHARED");
	else
		tap_skip("native 7.3 serves such a slot from userspace_addr", "INIT_SHARED");
	test_reclaimed();
	test_out_of_memory();
	test_parallel();
	test_punch_race();
	test_punch_large();
	return tap_exit();
}
