// SPDX-License-Identifier: GPL-2.0-only
/*
 * Repeats what upstream's guest_memfd was found to do wrong. Each case must be refused with an
 * error or survived, and each test point says which. If a case is not survived, the kernel
 * crashes: at once where freed memory is poisoned (slub_debug=FZPU), and with KASAN.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"
#include "stall.h"
#include "tap.h"
#include "vmm.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define N 16UL
#define SIZE (N * PAGE)
#define HUGE_SIZE (2 * MIB)

static bool ours;

static void close_file(void *arg)
{
	must(!close(*(int *)arg));
}

static bool guest_gets_mmio(struct vmm *vm)
{
	vm->vcpu[0].run->exit_reason = 0;
	return vmm_write(vm, 0, VMM_TEST_GPA, 1, 1) == -1 &&
	       vm->vcpu[0].run->exit_reason == KVM_EXIT_MMIO;
}

/*
 * The file's last reference is dropped while its slot is being deleted; its release comes after
 * that.
 */
static void test_slot_deleted_while_file_dies(void)
{
	const char *name = "CVE-2025-40274, a slot is deleted while its file dies";
	struct stalled_call closing;
	struct stall stall;
	struct vmm vm;
	uint64_t sum;
	int fd, i;

	vmm_create(&vm, 2);
	vmm_quiet = true;
	for (i = 0; i < 8; i++) {
		fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
		vmm_bind(&vm, fd, SIZE, NULL);
		must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 1));
		stall_begin(&stall, &vm, 1, VMM_TEST_SLOT);
		stalled_call_begin(&closing, close_file, &fd);
		stall_end(&stall);
		stalled_call_end(&closing);
	}
	ok(guest_gets_mmio(&vm), "%s: survived, the slot is gone", name);
	must(!vmm_halt(&vm, 0));
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, SIZE, NULL);
	is(vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum), 0, "%s: another file takes its place", name);
	is(sum, 0, "%s: with pages of its own", name);
	close(fd);
	vmm_quiet = false;
	vmm_destroy(&vm);
}

/* The older ioctl has no field for a file, and so cannot name one. */
static int set_slot_v1(struct vmm *vm, uint32_t flags, void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = VMM_TEST_SLOT,
		.flags = flags,
		.guest_phys_addr = VMM_TEST_GPA,
		.memory_size = SIZE,
		.userspace_addr = (uint64_t)hva,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

/* A bound slot is set again, by a request that names no file. */
static void test_slot_set_again(void)
{
	const char *name = "CVE-2025-68810, a bound slot is set again";
	static const uint32_t flags[] = { 0, KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY };
	struct stalled_call closing;
	struct stall stall;
	struct vmm vm;
	uint64_t sum;
	size_t i;
	int fd;
	char *p;

	vmm_create(&vm, 2);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, SIZE);
	vmm_bind(&vm, fd, SIZE, p);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 3));
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		fails(vmm_slot(&vm, VMM_TEST_SLOT, flags[i], VMM_TEST_GPA, SIZE, p, -1, 0), EINVAL,
		      "%s with flags %#x: refused", name, flags[i]);
		fails(set_slot_v1(&vm, flags[i], p), EINVAL,
		      "%s with flags %#x, by the older ioctl: refused", name, flags[i]);
	}
	fails(vmm_slot(&vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE, p, fd, 0), EINVAL,
	      "%s as it is: refused", name);
	vmm_punch(fd, 0, PAGE);
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum));
	is(sum, 3 * (N - 1), "%s: the slot is still bound, and the guest sees a hole", name);

	/* Setting it again is refused also when its file is closed or is being closed. */
	munmap(p, SIZE);
	close(fd);
	fails(set_slot_v1(&vm, 0, p), EINVAL, "%s, its file closed: refused", name);
	must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));

	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, SIZE, NULL);
	stall_begin(&stall, &vm, 1, VMM_TEST_SLOT);
	stalled_call_begin(&closing, close_file, &fd);
	stall_end(&stall);
	stalled_call_end(&closing);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	vmm_bind(&vm, fd, SIZE, NULL);
	close(fd);
	fails(vmm_sum(&vm, 0, VMM_TEST_GPA, 1, &sum), EFAULT,
	      "%s: when its file is closed, the guest's accesses fail", name);
	must(!vmm_halt(&vm, 0));
	vmm_destroy(&vm);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n;

	must(f && fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

#define THP "/sys/kernel/mm/transparent_hugepage/"

/*
 * Waits until khugepaged has completed two full scans. Returns false if it has not, or if there is
 * no THP. khugepaged only visits processes that have memory it may collapse, so this process has
 * some.
 */
static bool khugepaged_passes(void)
{
	char *bait;
	long end;
	int i;

	if (access(THP "khugepaged/full_scans", R_OK))
		return false;
	write_text(THP "enabled", "always");
	bait = mmap(NULL, 2 * HUGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(bait != MAP_FAILED && !madvise(bait, 2 * HUGE_SIZE, MADV_HUGEPAGE));
	*bait = 1;
	write_text(THP "khugepaged/scan_sleep_millisecs", "1");
	write_text(THP "khugepaged/alloc_sleep_millisecs", "1");
	write_text(THP "khugepaged/pages_to_scan", "65536");
	end = read_number(THP "khugepaged/full_scans") + 2;
	for (i = 0; i < 500 && read_number(THP "khugepaged/full_scans") < end; i++)
		usleep(20000);
	write_text(THP "khugepaged/scan_sleep_millisecs", "10000");
	munmap(bait, 2 * HUGE_SIZE);
	return i < 500;
}

#define KPF_COMPOUND_HEAD 15
#define KPF_COMPOUND_TAIL 16
#define KPF_HUGE 17
#define KPF_THP 22

static unsigned long large_pages(char *p, unsigned long n)
{
	const uint64_t large = 1ULL << KPF_COMPOUND_HEAD | 1ULL << KPF_COMPOUND_TAIL |
			       1ULL << KPF_HUGE | 1ULL << KPF_THP;
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	int kpageflags = open("/proc/kpageflags", O_RDONLY);
	uint64_t entry, flags;
	unsigned long i, found = 0;

	must(pagemap >= 0 && kpageflags >= 0);
	for (i = 0; i < n; i++) {
		(void)*(volatile char *)(p + i * PAGE);
		must(pread(pagemap, &entry, 8, ((uintptr_t)p / PAGE + i) * 8) == 8 && entry >> 63);
		must(pread(kpageflags, &flags, 8, (entry & ((1ULL << 55) - 1)) * 8) == 8);
		found += !!(flags & large);
	}
	close(pagemap);
	close(kpageflags);
	return found;
}

/*
 * Whether mapped read-only or not, in the guest or not: the kernel must not take the file for one
 * of those that khugepaged and MADV_COLLAPSE may put huge folios into.
 */
static void test_collapse(void)
{
	const char *name = "CVE-2026-23375, syzbot 33a04338019ac7e43a44, huge folios";
	const uint64_t size = 2 * HUGE_SIZE, n = size / PAGE;
	uint64_t i, wrong = 0, sum;
	char *area, *p, *readonly;
	const char *huge = vmm_ask_for_huge("never");
	struct vmm vm;
	int fd;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, size, VMM_GMEM_BOTH);
	vmm_ask_for_huge(huge);
	area = mmap(NULL, 2 * size + HUGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(area != MAP_FAILED);
	p = (char *)(((uintptr_t)area + HUGE_SIZE - 1) & ~(HUGE_SIZE - 1));
	readonly = p + size;
	must(mmap(p, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == p);
	must(mmap(readonly, size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == readonly);
	vmm_bind(&vm, fd, size, p);

	fails(madvise(p, size, MADV_COLLAPSE), EINVAL, "%s: refused where there is no page", name);
	/*
	 * These pages are clean. Those of the guest will be dirty, which alone keeps them from
	 * being collapsed.
	 */
	must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size));
	fails(madvise(readonly, size, MADV_COLLAPSE), EINVAL, "%s: refused where pages are clean", name);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, n, 5));
	fails(madvise(p, size, MADV_COLLAPSE), EINVAL, "%s: refused where the guest has pages", name);
	for (i = 0; i < n; i++)
		p[i * PAGE + 8] = i;
	must(!madvise(p, size, MADV_HUGEPAGE) && !madvise(readonly, size, MADV_HUGEPAGE));
	fails(madvise(p, size, MADV_COLLAPSE), EINVAL, "%s: refused where the host has pages", name);
	fails(madvise(readonly, size, MADV_COLLAPSE), EINVAL, "%s: refused where they are read-only", name);
	if (khugepaged_passes())
		is(large_pages(p, n) + large_pages(readonly, n), 0, "%s: khugepaged made none", name);
	else
		tap_skip("no khugepaged, or it does not move", "%s: khugepaged made none", name);

	/* As syzbot did, look at the file again through a new mapping. */
	munmap(readonly, size);
	munmap(p, size);
	p = vmm_map(fd, size);
	for (i = 0; i < n; i++)
		wrong += p[i * PAGE] != 5 || p[i * PAGE + 8] != (char)i;
	is(wrong, 0, "%s: a new mapping shows what was written", name);
	must(!vmm_sum(&vm, 0, VMM_TEST_GPA + HUGE_SIZE, HUGE_SIZE / PAGE, &sum));
	is(sum, 5 * HUGE_SIZE / PAGE, "%s: and so does the guest", name);
	munmap(p, size);
	close(fd);
	vmm_destroy(&vm);
	munmap(area, 2 * size + HUGE_SIZE);
}

/*
 * The arguments are those of the syzbot report. The bug was that an error was found where a folio
 * should be.
 */
static void test_fallocate_without_memory(void)
{
	const char *name = "syzbot 6f16df7b5a49f0e01b18, fallocate() without memory";
	const uint64_t offset = 4 * GIB, len = 2 * GIB;
	int fd, i, limit, errors = 0;
	struct vmm vm;
	char *p;

	write_text("/proc/self/oom_score_adj", "-1000");
	cgroup_enter("cve");
	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, offset + len, VMM_GMEM_BOTH);
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	must(p != MAP_FAILED);
	limit = cgroup_open("cve", "memory.max");
	must(write(limit, "6291456", 7) == 7);
	for (i = 0; i < 8; i++)
		errors += fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, len) == -1 && errno == ENOMEM;
	is(errors, 8, "%s: refused with ENOMEM, 8 times", name);
	vmm_punch(fd, offset, len);
	must(write(limit, "max", 3) == 3);
	close(limit);
	is(fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, MIB), 0,
	   "%s: it works when there is memory", name);
	is(*p, 0, "%s: with pages of zeroes", name);
	munmap(p, PAGE);
	close(fd);
	vmm_destroy(&vm);
	cgroup_leave("cve");
	write_text("/proc/self/oom_score_adj", "0");
}

/*
 * While a slot is deleted, vCPUs see a copy of it. If a nested guest starts just then, only the
 * copy gets reverse maps.
 */
static void test_hole_while_slot_is_deleted(void)
{
	const char *name = "a hole is punched while its slot is deleted, and a nested guest starts";
	struct stall stall;
	struct vmm vm;
	uint64_t sum;
	int fd;
	char *p;

	if (!ours) {
		tap_skip("upstream walks the slot that has none", "%s", name);
		return;
	}
	vmm_create(&vm, 2);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, SIZE);
	vmm_bind(&vm, fd, SIZE, p);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 1));

	stall_begin(&stall, &vm, 1, VMM_TEST_SLOT);
	/* A nested guest without nested paging would run on its host's page tables. */
	is(vmm_write_nested(&vm, 0, vmm_host_has_npt() ? VMM_L2_NPT : VMM_L2, STALL_FREE_GPA, 1, 2), 0,
	   "%s: it runs", name);
	/*
	 * Do not begin at the first page: KVM takes its reverse map, at NULL, for the end of its
	 * walk.
	 */
	vmm_punch(fd, SIZE / 2, SIZE / 2);
	stall_end(&stall);

	is(p[0] + p[SIZE - PAGE], 1, "%s: survived, half of the file is a hole", name);
	vmm_bind(&vm, fd, SIZE, p);
	is(vmm_sum(&vm, 0, VMM_TEST_GPA, N, &sum), 0, "%s: the slot can be there again", name);
	is(sum, N / 2, "%s: the slot shows the file", name);
	munmap(p, SIZE);
	close(fd);
	vmm_destroy(&vm);
}

#define HOLE_N 16UL
#define HOLE_SIZE (HOLE_N * PAGE)

static volatile bool fill_on;

struct filler {
	struct vmm *vm;
	int id;
	char *memory;
	volatile uint64_t pages;
};

/* Each filler visits the pages in its own order, so that they do not all wait for the same page. */
static uint64_t fill_next(struct filler *f, uint64_t i)
{
	static const uint64_t stride[] = { 5, 3, 7, 11 };

	f->pages++;
	return (i + stride[f->id]) % HOLE_N;
}

static void *fill_as_guest(void *arg)
{
	struct filler *f = arg;
	uint64_t i;

	for (i = 0; fill_on; i = fill_next(f, i))
		must(!vmm_write(f->vm, f->id, VMM_TEST_GPA + i * PAGE, 1, 1));
	return NULL;
}

static void *fill_as_host(void *arg)
{
	struct filler *f = arg;
	uint64_t i;

	for (i = 0; fill_on; i = fill_next(f, i))
		*(volatile char *)(f->memory + i * PAGE) = 1;
	return NULL;
}

#define TRACING "/sys/kernel/tracing/"

/* Count what this thread removes from page caches, from now on. */
static void count_removals(bool on)
{
	char tid[16];

	snprintf(tid, sizeof(tid), "%d", gettid());
	write_text(TRACING "trace", "");
	write_text(TRACING "set_event_pid", on ? tid : "");
	write_text(TRACING "events/filemap/mm_filemap_delete_from_page_cache/enable", on ? "1" : "0");
}

static long removals(void)
{
	static char line[512];
	FILE *f = fopen(TRACING "trace", "r");
	long n = 0;

	must(f);
	while (fgets(line, sizeof(line), f))
		n += line[0] != '#';
	fclose(f);
	write_text(TRACING "trace", "");
	return n;
}

/*
 * Stops the fillers after 8 s, so that a hole that cannot be punched fails the test and does not
 * hang it.
 */
static void *relent(void *arg)
{
	int tenths;

	for (tenths = 0; tenths < 80 && fill_on; tenths++)
		usleep(100000);
	fill_on = false;
	return NULL;
}

/*
 * A hole is emptied until no page is found in it. Threads that keep filling it must not keep the
 * punching thread from finishing: each may add one page more.
 */
static void test_hole_that_is_filled(void)
{
	const char *name = "as CVE-2014-4171 of shmem, a hole is filled while it is punched";
	struct filler filler[4];
	pthread_t thread[5];
	long n, most = 0;
	struct vmm vm;
	int fd, i, t;
	char *p;

	if (!ours) {
		tap_skip("upstream can be held up here", "%s", name);
		return;
	}
	vmm_create(&vm, 2);
	fd = vmm_gmem(&vm, HOLE_SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, HOLE_SIZE);
	vmm_bind(&vm, fd, HOLE_SIZE, p);
	fill_on = true;
	for (t = 0; t < 4; t++) {
		filler[t] = (struct filler){ .vm = &vm, .id = t, .memory = p };
		must(!pthread_create(&thread[t], NULL, t < 2 ? fill_as_guest : fill_as_host, &filler[t]));
		while (filler[t].pages < HOLE_N)
			usleep(1000);
	}
	must(!pthread_create(&thread[4], NULL, relent, NULL));
	count_removals(true);
	for (i = 0; i < 100 && fill_on; i++) {
		vmm_punch(fd, 0, HOLE_SIZE);
		n = removals();
		most = n > most ? n : most;
	}
	count_removals(false);
	fill_on = false;
	for (t = 0; t < 5; t++)
		must(!pthread_join(thread[t], NULL));
	printf("# %d holes of %lu pages; at most %ld pages were removed for one hole\n",
	       i, HOLE_N, most);
	ok(i >= 1 && most >= 1 && most <= (long)HOLE_N + 4, "%s: punching ends", name);
	munmap(p, HOLE_SIZE);
	close(fd);
	vmm_destroy(&vm);
}

int main(void)
{
	ours = vmm_gmem_is_ours();
	test_slot_deleted_while_file_dies();
	test_hole_while_slot_is_deleted();
	test_slot_set_again();
	test_collapse();
	test_fallocate_without_memory();
	test_hole_that_is_filled();
	return tap_exit();
}
