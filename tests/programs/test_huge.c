// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folios of 2 MiB: who gets them, from which node, how host and guest map them, and what is left
 * of them when something happens to one of their pages.
 *
 * Witnesses are the file's own counts in fdinfo, the kernel's page flags and page tables, and KVM's
 * count of the guest's mappings.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/kernel-page-flags.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fill.h"
#include "huge.h"
#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define N HUGE_PAGES
#define PARAMETER "/sys/module/kvm_gmem_numa/parameters/huge"
#define FEATURE "/sys/module/kvm_gmem_numa/features/huge_mappings"

static void read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "r");

	must(f && fgets(line, size, f));
	line[strcspn(line, "\n")] = 0;
	fclose(f);
}

/* What the VMM maps by entries of 2 MiB, in kB. */
static long host_pmd_mapped(void)
{
	return number_in("/proc/self/smaps_rollup", "FilePmdMapped:");
}

static long kvm_statistic(const struct vmm *vm, const char *name)
{
	char path[96], line[32];

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/%s", getpid(), vm->fd, name);
	read_line(path, line, sizeof(line));
	return atol(line);
}

/* What the guest maps by entries of 2 MiB. */
static long guest_huge_mappings(const struct vmm *vm)
{
	return kvm_statistic(vm, "pages_2m");
}

static uint64_t word_at(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY);
	uint64_t word;

	must(fd >= 0);
	must(pread(fd, &word, 8, index * 8) == 8);
	close(fd);
	return word;
}

/* How many pages of a mapping, which are all there, are parts of a larger folio. */
static unsigned long pages_in_large_folios(char *p, unsigned long n)
{
	unsigned long i, large = 0;

	for (i = 0; i < n; i++) {
		uint64_t entry;

		(void)*(volatile char *)(p + i * PAGE);
		entry = word_at("/proc/self/pagemap", (uintptr_t)(p + i * PAGE) / PAGE);
		large += word_at("/proc/kpageflags", entry & ((1ULL << 55) - 1)) >>
			 KPF_THP & 1;
	}
	return large;
}

static void is_filled(int fd, long huge, long small, const char *what)
{
	is(huge_folios(fd), huge, "%s: %ld folios of 2 MiB", what, huge);
	is(small_folios(fd), small, "%s: %ld small folios", what, small);
}

/* A file, which is mapped in whole. */
struct memory {
	struct vmm vm;
	uint64_t size;
	char *p;
	int fd;
};

static void memory_create(struct memory *m, uint64_t size)
{
	vmm_create(&m->vm, 1);
	m->size = size;
	m->fd = vmm_gmem(&m->vm, size, VMM_GMEM_BOTH);
	m->p = vmm_map(m->fd, size);
}

static void memory_destroy(struct memory *m)
{
	munmap(m->p, m->size);
	close(m->fd);
	vmm_destroy(&m->vm);
}

static void memory_bind(struct memory *m)
{
	vmm_bind(&m->vm, m->fd, m->size, m->p);
}

static int allocate(int fd, uint64_t offset, uint64_t size)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size);
}

static void test_parameter(void)
{
	static const char *const words[] = { "always", "within_size", "advise", "never" };
	char line[64];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		vmm_ask_for_huge(words[i]);
		read_line(PARAMETER, line, sizeof(line));
		ok(!strcmp(line, words[i]), "huge=%s reads back", words[i]);
		read_line(FEATURE, line, sizeof(line));
		ok(!strcmp(line, strcmp(words[i], "never") ? "active" : "off: parameter huge"),
		   "huge=%s: the feature is %s", words[i], line);
	}
	fd = open(PARAMETER, O_WRONLY);
	must(fd >= 0);
	fails(write(fd, "sometimes", 9), EINVAL, "another word is EINVAL");
	close(fd);
	read_line(PARAMETER, line, sizeof(line));
	ok(!strcmp(line, "never"), "and changes nothing");
}

/* How the first page of a file is touched. */
static void touch_host(struct memory *m, uint64_t offset)
{
	m->p[offset] = 1;
}

static void touch_guest(struct memory *m, uint64_t offset)
{
	must(!vmm_write(&m->vm, 0, VMM_TEST_GPA + offset, 1, 1));
}

static void touch_fallocate(struct memory *m, uint64_t offset)
{
	must(!allocate(m->fd, offset, HUGE));
}

static const struct toucher {
	const char *name;
	void (*touch)(struct memory *m, uint64_t offset);
} touchers[] = {
	{ "the host's touch", touch_host },
	{ "the guest's touch", touch_guest },
	{ "fallocate()", touch_fallocate },
};

#define TOUCHERS (sizeof(touchers) / sizeof(touchers[0]))

enum advice { NO_ADVICE, ADVISED, ADVISED_IN_PART, ADVISED_AGAINST, ADVISED_AGAINST_IN_PART, FORBIDDEN };

static void advise(const struct memory *m, enum advice advice)
{
	switch (advice) {
	case NO_ADVICE:
		break;
	case ADVISED:
		must(!madvise(m->p, m->size, MADV_HUGEPAGE));
		break;
	case ADVISED_IN_PART:
		must(!madvise(m->p + PAGE, m->size - PAGE, MADV_HUGEPAGE));
		break;
	case ADVISED_AGAINST:
		must(!madvise(m->p, m->size, MADV_NOHUGEPAGE));
		break;
	case ADVISED_AGAINST_IN_PART:
		must(!madvise(m->p + HUGE - PAGE, PAGE, MADV_NOHUGEPAGE));
		break;
	case FORBIDDEN:
		must(!prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
		break;
	}
}

static void test_asked(void)
{
	static const struct {
		const char *word, *what;
		enum advice advice;
		bool huge;
	} cases[] = {
		{ "never", "no advice", NO_ADVICE, false },
		{ "never", "MADV_HUGEPAGE", ADVISED, false },
		{ "advise", "no advice", NO_ADVICE, false },
		{ "advise", "MADV_HUGEPAGE", ADVISED, true },
		{ "advise", "MADV_HUGEPAGE for a part", ADVISED_IN_PART, false },
		{ "advise", "PR_SET_THP_DISABLE", FORBIDDEN, false },
		{ "within_size", "no advice", NO_ADVICE, true },
		{ "within_size", "MADV_NOHUGEPAGE", ADVISED_AGAINST, false },
		{ "always", "no advice", NO_ADVICE, true },
		{ "always", "MADV_NOHUGEPAGE", ADVISED_AGAINST, false },
		{ "always", "MADV_NOHUGEPAGE for a part", ADVISED_AGAINST_IN_PART, false },
		{ "always", "PR_SET_THP_DISABLE", FORBIDDEN, false },
	};
	size_t i, t;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (t = 0; t < TOUCHERS; t++) {
			/* fallocate() of 2 MiB allocates all of them in any case. */
			long small = touchers[t].touch == touch_fallocate ? N : 1;
			struct memory m;
			char what[96];

			vmm_ask_for_huge(cases[i].word);
			memory_create(&m, 2 * HUGE);
			/* What counts is what was asked for when the file was created. */
			vmm_ask_for_huge(cases[i].huge ? "never" : "always");
			advise(&m, cases[i].advice);
			memory_bind(&m);
			touchers[t].touch(&m, 0);
			snprintf(what, sizeof(what), "%s, %s, %s", cases[i].word, cases[i].what,
				 touchers[t].name);
			is_filled(m.fd, cases[i].huge, cases[i].huge ? 0 : small, what);
			must(!prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
			memory_destroy(&m);
		}
	}
	vmm_ask_for_huge("always");
}

/* The last MiB of this file cannot be part of a folio of 2 MiB. */
static void test_extent(void)
{
	struct memory m;
	size_t i;

	memory_create(&m, HUGE + MIB);
	memory_bind(&m);
	touch_guest(&m, HUGE + PAGE);
	is_filled(m.fd, 0, 1, "the end of the file");
	touch_guest(&m, HUGE - PAGE);
	is_filled(m.fd, 1, 1, "2 MiB within the file");
	memory_destroy(&m);

	memory_create(&m, 4 * HUGE);
	must(!allocate(m.fd, PAGE, PAGE));
	is_filled(m.fd, 0, 1, "fallocate() of one page");
	must(!allocate(m.fd, 0, HUGE));
	is_filled(m.fd, 0, N, "the rest of the same 2 MiB");
	must(!allocate(m.fd, HUGE + PAGE, 2 * HUGE));
	is_filled(m.fd, 1, 2 * N + 0, "fallocate() of 4 MiB from a page on");
	for (i = 0; i < m.size; i++)
		must(!m.p[i]);
	memory_destroy(&m);
}

static void test_host_mapping(void)
{
	long before = host_pmd_mapped();
	struct memory m;

	memory_create(&m, 4 * HUGE);
	is((uintptr_t)m.p % HUGE, 0, "mmap() returns an address that can be mapped by 2 MiB");
	m.p[PAGE] = 1;
	is(host_pmd_mapped() - before, HUGE / 1024, "one write maps 2 MiB");
	(void)*(volatile char *)(m.p + HUGE + PAGE);
	is(host_pmd_mapped() - before, 2 * HUGE / 1024, "one read maps 2 MiB");
	is(pages_in_large_folios(m.p, 2 * N), 2 * N, "all pages are of large folios");
	memory_destroy(&m);
}

/* @gpa_skew: how far the slot's first page is from 2 MiB; @skew: the same for the file. */
static void test_guest_mapping(uint64_t gpa_skew, uint64_t skew, long want, const char *what)
{
	uint64_t size = 4 * HUGE, sum;
	struct memory m;
	long before;

	memory_create(&m, size);
	must(!vmm_slot(&m.vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA + VMM_TEST_4K + gpa_skew,
		       size - HUGE, NULL, m.fd, skew));
	before = guest_huge_mappings(&m.vm);
	must(!vmm_write_rising(&m.vm, 0, VMM_TEST_GPA + VMM_TEST_4K + gpa_skew, 3 * N, 1, 1));
	is(guest_huge_mappings(&m.vm) - before, want, "%s: %ld mappings of 2 MiB", what, want);
	must(!vmm_sum(&m.vm, 0, VMM_TEST_GPA + VMM_TEST_4K + gpa_skew, 3 * N, &sum));
	is(sum, 3 * N * (3 * N + 1) / 2, "%s: the guest reads what it wrote", what);
	is(*(uint64_t *)(m.p + skew + 2 * HUGE), 2 * N + 1, "%s: and so does the VMM", what);
	memory_destroy(&m);
}

static void test_guest_mappings(void)
{
	struct memory m;
	long before;

	if (!vmm_host_has_npt()) {
		tap_skip("shadow paging", "how the guest maps folios of 2 MiB");
		return;
	}
	test_guest_mapping(0, 0, 3, "slot and file are aligned");
	test_guest_mapping(PAGE, PAGE, 2, "slot and file begin a page later");
	test_guest_mapping(PAGE, 0, 0, "only the slot begins a page later");
	test_guest_mapping(0, PAGE, 0, "only the file begins a page later");

	memory_create(&m, 2 * HUGE);
	memory_bind(&m);
	must(!set_policy(m.p, PAGE, MPOL_BIND, NODE(1)));
	before = guest_huge_mappings(&m.vm);
	must(!vmm_write(&m.vm, 0, VMM_TEST_GPA, 2 * N, 1));
	is(guest_huge_mappings(&m.vm) - before, 1, "small folios are mapped by 4 KiB");
	memory_destroy(&m);
}

#define NX_RECOVERY_RATIO "/sys/module/kvm/parameters/nx_huge_pages_recovery_ratio"

/* No mapping is made whole again before the ratio says so. */
static const struct {
	const char *path, *value;
} nx_parameter[] = {
	{ "/sys/module/kvm/parameters/nx_huge_pages", "force" },
	{ "/sys/module/kvm/parameters/nx_huge_pages_recovery_period_ms", "10" },
	{ NX_RECOVERY_RATIO, "0" },
};

#define NX_PARAMETERS (sizeof(nx_parameter) / sizeof(nx_parameter[0]))

/*
 * For CPUs with the bug called iTLB multihit, KVM maps 2 MiB without the right to execute. Where
 * the guest executes, it maps single pages instead, and undoes that after a while.
 */
static void test_nx_huge_pages(void)
{
	char was[NX_PARAMETERS][32];
	struct memory m;
	uint64_t sum;
	size_t i;

	if (!vmm_host_has_npt()) {
		tap_skip("shadow paging", "nx_huge_pages");
		return;
	}
	for (i = 0; i < NX_PARAMETERS; i++) {
		read_line(nx_parameter[i].path, was[i], sizeof(was[i]));
		write_file(nx_parameter[i].path, nx_parameter[i].value);
	}
	memory_create(&m, 2 * HUGE);
	memory_bind(&m);
	m.p[0] = VMM_HLT;
	must(!vmm_write(&m.vm, 0, VMM_TEST_GPA + PAGE, 2 * N - 1, 1));
	is(guest_huge_mappings(&m.vm), 2, "nx_huge_pages: a guest that writes has 2 MiB mapped");
	is(vmm_execute(&m.vm, 0, VMM_TEST_GPA), 0, "nx_huge_pages: it executes what is there");
	is(kvm_statistic(&m.vm, "nx_lpage_splits"), 1, "nx_huge_pages: for that, KVM splits a mapping");
	is(guest_huge_mappings(&m.vm), 1, "nx_huge_pages: and the other one stays");
	must(!vmm_sum(&m.vm, 0, VMM_TEST_GPA + PAGE, 2 * N - 1, &sum));
	is(sum, 2 * N - 1, "nx_huge_pages: the guest reads what it wrote");
	is(huge_folios(m.fd), 2, "nx_huge_pages: the folios are as before");
	write_file(NX_RECOVERY_RATIO, "1");
	while (kvm_statistic(&m.vm, "nx_lpage_splits"))
		usleep(10000);
	must(!vmm_write(&m.vm, 0, VMM_TEST_GPA + PAGE, 2 * N - 1, 1));
	is(guest_huge_mappings(&m.vm), 2, "nx_huge_pages: 2 MiB are mapped again after a while");
	is((unsigned char)m.p[0], VMM_HLT, "nx_huge_pages: what was executed is still there");
	memory_destroy(&m);
	for (i = 0; i < NX_PARAMETERS; i++)
		write_file(nx_parameter[i].path, was[i]);
}

static int node_of_2m(unsigned long i)
{
	return i / N % 2;
}

static int node_of_page(unsigned long i)
{
	return i % 2;
}

static int node_0(unsigned long i)
{
	return 0;
}

static int node_1(unsigned long i)
{
	return 1;
}

/* Four times 2 MiB under one policy. @want_small: where small folios would be, or NULL. */
static void test_policy(int mode, unsigned long nodes, int (*want)(unsigned long i),
			int (*want_small)(unsigned long i), const char *name)
{
	const unsigned long n = 4 * N;
	struct memory m;
	char what[96];
	size_t t;

	for (t = 0; t < TOUCHERS; t++) {
		uint64_t at;

		memory_create(&m, n * PAGE);
		must(!set_policy(m.p, m.size, mode, nodes));
		memory_bind(&m);
		for (at = 0; at < m.size; at += HUGE)
			touchers[t].touch(&m, at);
		snprintf(what, sizeof(what), "%s, %s", name, touchers[t].name);
		is_filled(m.fd, n / N, 0, what);
		is(pages_off(m.p, n, want), 0, "%s: no page is off its policy", what);
		memory_destroy(&m);
	}

	memory_create(&m, n * PAGE);
	must(!madvise(m.p, m.size, MADV_NOHUGEPAGE));
	must(!set_policy(m.p, m.size, mode, nodes));
	must(!allocate(m.fd, 0, m.size));
	is_filled(m.fd, 0, n, name);
	if (want_small)
		is(pages_off(m.p, n, want_small), 0, "%s: no small page is off its policy", name);
	memory_destroy(&m);
}

static void test_policies(void)
{
	run_on_node(0);
	test_policy(MPOL_BIND, NODE(1), node_1, node_1, "BIND to 1");
	test_policy(MPOL_BIND, BOTH_NODES, node_0, node_0, "BIND to both");
	test_policy(MPOL_PREFERRED, NODE(1), node_1, node_1, "PREFERRED 1");
	test_policy(MPOL_PREFERRED_MANY, NODE(1), node_1, node_1, "PREFERRED_MANY 1");
	test_policy(MPOL_INTERLEAVE, BOTH_NODES, node_of_2m, node_of_page, "INTERLEAVE");
	test_policy(MPOL_DEFAULT, 0, node_0, node_0, "no policy");
	run_on_node(1);
	test_policy(MPOL_DEFAULT, 0, node_1, node_1, "no policy, on node 1");
	must(!set_mempolicy(MPOL_BIND, &(unsigned long){ NODE(0) }, 8));
	test_policy(MPOL_DEFAULT, 0, node_0, node_0, "the task is bound to node 0");
	must(!set_mempolicy(MPOL_INTERLEAVE, &(unsigned long){ BOTH_NODES }, 8));
	/* Small folios go by the task's own counter. */
	test_policy(MPOL_DEFAULT, 0, node_of_2m, NULL, "the task interleaves");
	must(!set_mempolicy(MPOL_DEFAULT, NULL, 0));
	run_on_node(0);
}

static int half_of_2m(unsigned long i)
{
	return i % N >= N / 2;
}

/* A folio obeys one policy, so where 2 MiB have two, they get small ones. */
static void test_boundaries(void)
{
	struct memory m;
	size_t t;

	for (t = 0; t < TOUCHERS; t++) {
		memory_create(&m, 2 * HUGE);
		must(!set_policy(m.p, HUGE / 2, MPOL_BIND, NODE(0)));
		must(!set_policy(m.p + HUGE / 2, HUGE / 2, MPOL_BIND, NODE(1)));
		memory_bind(&m);
		touchers[t].touch(&m, 0);
		touchers[t].touch(&m, HUGE / 2);
		is(pages_off(m.p, N, half_of_2m), 0, "%s, two policies in 2 MiB: none is off",
		   touchers[t].name);
		is(huge_folios(m.fd), 0, "%s, two policies in 2 MiB: small folios",
		   touchers[t].name);
		/* A policy of a part, and none of the rest. */
		must(!set_policy(m.p + HUGE + PAGE, PAGE, MPOL_BIND, NODE(1)));
		touchers[t].touch(&m, HUGE);
		is(huge_folios(m.fd), 0, "%s, a policy of one page: small folios", touchers[t].name);
		memory_destroy(&m);
	}
}

/* The pages of the second 2 MiB outside of the hole are as the guest has written them. */
static void is_as_written(struct memory *m, unsigned long hole, unsigned long end, const char *what)
{
	unsigned long i, wrong = 0;

	for (i = 0; i < N; i++) {
		if (i < hole || i >= end)
			wrong += *(uint64_t *)(m->p + HUGE + i * PAGE) != i + 1;
	}
	is(wrong, 0, "%s: the other pages keep their contents", what);
}

static void fill_second(struct memory *m)
{
	must(!vmm_write_rising(&m->vm, 0, VMM_TEST_GPA + HUGE, N, 1, 1));
	must(huge_folios(m->fd) == 1);
}

#define HOLE 77UL
#define HOLE_AT (HUGE + HOLE * PAGE)

static void test_hole(bool mapped)
{
	const char *what = mapped ? "hole of a page, host maps 2 MiB" : "hole of a page";
	struct memory m;
	uint64_t sum;

	memory_create(&m, 4 * HUGE);
	memory_bind(&m);
	fill_second(&m);
	if (mapped)
		(void)*(volatile char *)(m.p + HUGE);
	vmm_punch(m.fd, HOLE_AT, PAGE);
	is_filled(m.fd, 0, N - 1, what);
	must(!vmm_sum(&m.vm, 0, VMM_TEST_GPA + HOLE_AT, 1, &sum));
	is(sum, 0, "%s: the guest reads zero", what);
	is(m.p[HOLE_AT], 0, "%s: the host reads zero", what);
	is_as_written(&m, HOLE, HOLE + 1, what);
	must(!vmm_sum(&m.vm, 0, VMM_TEST_GPA + HUGE, N, &sum));
	is(sum, N * (N + 1) / 2 - (HOLE + 1), "%s: and so does the guest", what);
	memory_destroy(&m);
}

/* From the middle of one folio to the middle of the next but one. */
static void test_long_hole(void)
{
	const char *what = "hole across three folios";
	struct memory m;
	uint64_t sum;

	memory_create(&m, 4 * HUGE);
	memory_bind(&m);
	must(!vmm_write(&m.vm, 0, VMM_TEST_GPA, 4 * N, 1));
	is_filled(m.fd, 4, 0, what);
	vmm_punch(m.fd, HUGE / 2, 2 * HUGE);
	is_filled(m.fd, 1, N, what);
	must(!vmm_sum(&m.vm, 0, VMM_TEST_GPA, 4 * N, &sum));
	is(sum, 2 * N, "%s: the guest reads what is left", what);
	vmm_punch(m.fd, 0, m.size);
	is_filled(m.fd, 0, 0, "hole over everything");
	memory_destroy(&m);
}

/* The kernel tries again after longer and longer pauses, a minute at most. */
static void wait_for_small(const struct memory *m, long small)
{
	int i;

	for (i = 0; i < 1200 && (huge_folios(m->fd) || small_folios(m->fd) != small); i++)
		usleep(100000);
}

/*
 * A reference keeps the folio from being split, as vfio's does. The pages of the hole are then
 * cleared, and freed once the folio can be split.
 */
enum after_hole { LEFT_ALONE, WRITTEN_BY_HOST, WRITTEN_BY_GUEST, ALLOCATED_AGAIN };

/* A hole of two pages, to the first of which something happens before the folio can be split. */
static void test_pinned_hole(enum after_hole after, const char *what)
{
	bool written = after == WRITTEN_BY_HOST || after == WRITTEN_BY_GUEST;
	long left = N - 2 + (after != LEFT_ALONE);
	struct memory m;
	uint64_t sum;
	struct huge_pin pin;

	memory_create(&m, 4 * HUGE);
	memory_bind(&m);
	fill_second(&m);
	must(huge_pin(&pin, m.p + HUGE + PAGE));
	vmm_punch(m.fd, HOLE_AT, 2 * PAGE);
	is_filled(m.fd, 1, 0, what);
	must(!vmm_sum(&m.vm, 0, VMM_TEST_GPA + HOLE_AT, 2, &sum));
	is(sum, 0, "%s: the guest reads zero at once", what);
	ok(!m.p[HOLE_AT] && !m.p[HOLE_AT + PAGE], "%s: the host reads zero at once", what);
	is_as_written(&m, HOLE, HOLE + 2, what);

	if (after == WRITTEN_BY_HOST)
		m.p[HOLE_AT] = 9;
	if (after == WRITTEN_BY_GUEST)
		must(!vmm_write(&m.vm, 0, VMM_TEST_GPA + HOLE_AT, 1, 9));
	if (after == ALLOCATED_AGAIN)
		must(!allocate(m.fd, HOLE_AT, PAGE));
	huge_unpin(&pin);
	wait_for_small(&m, left);
	is_filled(m.fd, 0, left, what);
	is(m.p[HOLE_AT], written ? 9 : 0, "%s: the page holds what was written since", what);
	is(m.p[HOLE_AT + PAGE], 0, "%s: the other page is zero", what);
	is_as_written(&m, HOLE, HOLE + 2, what);
	must(!vmm_sum(&m.vm, 0, VMM_TEST_GPA + HUGE, HOLE, &sum));
	is(sum, HOLE * (HOLE + 1) / 2, "%s: the guest reads the others", what);
	memory_destroy(&m);
}

/* The file goes away while a hole waits, which must leave nothing behind. */
static void test_pinned_to_the_end(void)
{
	struct memory m;
	struct huge_pin pin;
	char byte;

	memory_create(&m, 4 * HUGE);
	memory_bind(&m);
	fill_second(&m);
	must(huge_pin(&pin, m.p + HUGE + PAGE));
	vmm_punch(m.fd, HOLE_AT, PAGE);
	memory_destroy(&m);
	is(read(pin.pipe[0], &byte, 1), 1, "a pinned page outlives the file");
	is(byte, 2, "and keeps its contents");
	huge_unpin(&pin);
}

/* The first of many folios that cannot be split has no effect on the others. */
static void test_whole_folio_after_pin(void)
{
	const char *what = "the whole folio is punched afterwards";
	struct memory m;
	struct huge_pin pin;

	memory_create(&m, 4 * HUGE);
	memory_bind(&m);
	fill_second(&m);
	must(huge_pin(&pin, m.p + HUGE + PAGE));
	vmm_punch(m.fd, HOLE_AT, PAGE);
	vmm_punch(m.fd, HUGE, HUGE);
	is_filled(m.fd, 0, 0, what);
	touch_guest(&m, HUGE);
	is_filled(m.fd, 1, 0, "and is allocated again");
	huge_unpin(&pin);
	memory_destroy(&m);
}

/* Memory that reclaim could have at once, without swap. */
static void *lazily_freed(uint64_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	must(!madvise(p, size, MADV_NOHUGEPAGE));
	memset(p, 1, size);
	must(!madvise(p, size, MADV_FREE));
	return p;
}

/* A cgroup that has room for a page but not for 2 MiB, unless it gave up what it could. */
static void test_cgroup_limit(void)
{
	struct memory m;
	char limit[32], *lazy;

	memory_create(&m, 8 * HUGE);
	memory_bind(&m);
	cgroup_enter("huge");
	touch_guest(&m, 0);
	lazy = lazily_freed(3 * HUGE);
	is_filled(m.fd, 1, 0, "the cgroup has room");
	/* What the CPUs have charged in advance, at most 1 MiB, is there as well. */
	snprintf(limit, sizeof(limit), "%ld",
		 number_in("/sys/fs/cgroup/huge/memory.current", "") + MIB / 2);
	cgroup_write("huge", "memory.max", limit);
	touch_guest(&m, HUGE);
	is(huge_folios(m.fd), 1, "the cgroup has room for small folios only: none of 2 MiB");
	is(small_folios(m.fd), 1, "the cgroup has room for small folios only: one of those");
	is(cgroup_value("huge", "memory.stat", "pglazyfreed"), 0, "nothing was reclaimed for it");
	is(cgroup_value("huge", "memory.events", "oom_kill"), 0, "nobody was killed");
	cgroup_write("huge", "memory.max", "max");
	munmap(lazy, 3 * HUGE);
	memory_destroy(&m);
	cgroup_leave("huge");
}

struct parallel {
	struct memory *m;
	uint64_t offset, size;
	pthread_t thread;
	int err;
};

static void *allocate_part(void *arg)
{
	struct parallel *part = arg;

	part->err = allocate(part->m->fd, part->offset, part->size);
	return NULL;
}

static void test_parallel(void)
{
	enum { THREADS = 4 };
	struct parallel parts[THREADS];
	struct memory m;
	long bad = 0;
	int i;

	memory_create(&m, 128 * HUGE);
	must(!set_policy(m.p, m.size, MPOL_INTERLEAVE, BOTH_NODES));
	for (i = 0; i < THREADS; i++) {
		parts[i] = (struct parallel){ &m, i * m.size / THREADS, m.size / THREADS };
		must(!pthread_create(&parts[i].thread, NULL, allocate_part, &parts[i]));
	}
	for (i = 0; i < THREADS; i++) {
		must(!pthread_join(parts[i].thread, NULL));
		bad += parts[i].err;
	}
	is(bad, 0, "four threads allocate 256 MiB");
	is_filled(m.fd, 128, 0, "four threads allocate 256 MiB");
	is(pages_off(m.p, 128 * N, node_of_2m), 0, "four threads allocate 256 MiB: none is off");
	memory_destroy(&m);
}

/* Memory of a node that nobody can move: allocated page by page, until there is no more. */
static void fill_by_page(struct memory *m, int node)
{
	uint64_t at;

	vmm_ask_for_huge("never");
	memory_create(m, 256 * MIB);
	vmm_ask_for_huge("always");
	must(!set_policy(m->p, m->size, MPOL_BIND, NODE(node)));
	for (at = 0; at < m->size && !allocate(m->fd, at, MIB); at += MIB)
		;
	must(at < m->size && errno == ENOMEM);
}

/* What the kernel keeps for itself is in one piece. */
static void take_huge_folios(struct memory *m, int node)
{
	uint64_t at;

	memory_create(m, 64 * MIB);
	must(!set_policy(m->p, m->size, MPOL_BIND, NODE(node)));
	for (at = 0; at < m->size; at += HUGE)
		touch_host(m, at);
	must(small_folios(m->fd) > 8);
}

static void test_fragmented(int mode, unsigned long nodes, int (*want)(unsigned long i),
			    const char *name)
{
	long stalls = vm_events("compact_stall"), huge, off = 0;
	struct memory m, taken;
	char what[96];
	uint64_t at;

	take_huge_folios(&taken, 1);
	memory_create(&m, 4 * HUGE);
	must(!set_policy(m.p, m.size, mode, nodes));
	memory_bind(&m);
	for (at = 0; at < m.size; at += HUGE)
		touch_guest(&m, at);
	snprintf(what, sizeof(what), "node 1 is fragmented, %s", name);
	huge = huge_folios(m.fd);
	is(huge, mode == MPOL_INTERLEAVE ? 2 : 0, "%s: 2 MiB only from node 0", what);
	is(small_folios(m.fd), 4 - huge, "%s: the others are small", what);
	for (at = 0; at < m.size; at += HUGE)
		off += pages_off(m.p + at, 1, want);
	is(off, 0, "%s: no page is off its policy", what);
	is(vm_events("compact_stall"), stalls, "%s: nobody waited for compaction", what);
	memory_destroy(&m);
	memory_destroy(&taken);
}

/* Small folios of an interleaved range go by page, and those of test_fragmented() are even. */
static int node_of_even_page(unsigned long i)
{
	return 0;
}

#define PROACTIVENESS "/proc/sys/vm/compaction_proactiveness"

/*
 * The node that the policies name has memory, but nowhere 2 MiB of it. Twice a second, kcompactd
 * would put some together.
 */
static void test_fragmentation(void)
{
	struct memory pages;
	char was[32];
	uint64_t at;

	read_line(PROACTIVENESS, was, sizeof(was));
	write_file(PROACTIVENESS, "0");
	run_on_node(0);
	node_fill(1);
	fill_by_page(&pages, 1);
	for (at = 0; at < pages.size; at += 2 * PAGE)
		vmm_punch(pages.fd, at, PAGE);

	test_fragmented(MPOL_BIND, NODE(1), node_1, "BIND");
	test_fragmented(MPOL_PREFERRED, NODE(1), node_1, "PREFERRED");
	test_fragmented(MPOL_PREFERRED_MANY, NODE(1), node_1, "PREFERRED_MANY");
	test_fragmented(MPOL_INTERLEAVE, BOTH_NODES, node_of_even_page, "INTERLEAVE");
	memory_destroy(&pages);
	node_empty();
	write_file(PROACTIVENESS, was);
}

int main(void)
{
	const char *was;

	if (!vmm_gmem_is_ours()) {
		tap_skip("guest_memfd is the kernel's own", "folios of 2 MiB");
		return tap_exit();
	}
	was = vmm_ask_for_huge("never");
	test_parameter();
	vmm_ask_for_huge("always");
	test_asked();
	test_extent();
	test_host_mapping();
	test_guest_mappings();
	test_nx_huge_pages();
	test_policies();
	test_boundaries();
	test_hole(false);
	test_hole(true);
	test_long_hole();
	test_pinned_hole(LEFT_ALONE, "hole in a pinned folio");
	test_pinned_hole(WRITTEN_BY_HOST, "hole in a pinned folio, written by the host");
	test_pinned_hole(WRITTEN_BY_GUEST, "hole in a pinned folio, written by the guest");
	test_pinned_hole(ALLOCATED_AGAIN, "hole in a pinned folio, allocated again");
	test_pinned_to_the_end();
	test_whole_folio_after_pin();
	test_cgroup_limit();
	test_parallel();
	test_fragmentation();
	vmm_ask_for_huge(was);
	return tap_exit();
}
