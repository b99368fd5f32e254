// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-gmem-numa-check tests whether KVM on this host does what the module reports, and whether a
 * guest's pages come from the nodes that were asked for. See kvm-gmem-numa-check(8).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "nodes.h"
#include "private.h"
#include "report.h"
#include "vm.h"

#define SYSFS "/sys/module/kvm_gmem_numa/"
#define PAGES_DEFAULT 1024UL
#define PAGES_PRIVATE 16384UL	/* many, because they can only be counted */
#define PAGES_MAX (1UL << 18)	/* 1 GiB; the guest has room for 3 GiB */
#define SPARE (64LL << 20)	/* must remain free on each node */
#define VALUE 0x6d656d67U

enum { GUEST_MEMFD, HUGE_MAPPINGS, PRIVATE_POLICY, TSC_VM_GATE, TSC_VCPU_GATE };

static struct report report = {
	.feature = {
		[GUEST_MEMFD] = { "guest_memfd", .works = NOT_TRIED },
		[HUGE_MAPPINGS] = { "huge_mappings", .works = NOT_TRIED },
		[PRIVATE_POLICY] = { "private_policy", .works = NOT_TRIED },
		[TSC_VM_GATE] = { "tsc_vm_gate", .works = NOT_TRIED },
		[TSC_VCPU_GATE] = { "tsc_vcpu_gate", .works = NOT_TRIED },
	},
	.reason = "every page is on the node that was asked for",
};

/* Read the first line of a file of the module; empty if there is no such file. */
static void read_line(const char *name, char *line, int size)
{
	char path[128];
	FILE *f;

	line[0] = 0;
	snprintf(path, sizeof(path), SYSFS "%s", name);
	f = fopen(path, "r");
	if (!f)
		return;
	if (fgets(line, size, f))
		line[strcspn(line, "\n")] = 0;
	fclose(f);
}

static void read_reported(void)
{
	struct utsname name;
	char path[64];
	int i;

	uname(&name);
	snprintf(report.kernel, sizeof(report.kernel), "%s", name.release);
	read_line("version", report.module, sizeof(report.module));
	for (i = 0; i < FEATURES; i++) {
		snprintf(path, sizeof(path), "features/%s", report.feature[i].name);
		read_line(path, report.feature[i].reported, sizeof(report.feature[i].reported));
	}
}

static void not_run(const char *what)
{
	report_verdict(&report, NOT_RUN, "%s: %s", what, strerror(errno));
}

/* tsc_vcpu_gate is not tried: it concerns protected TSCs, which only VMs with private memory have. */
static void try_features(void)
{
	struct vm vm;
	int fd, err;

	if (vm_create(&vm)) {
		not_run(vm.failed);
		goto out;
	}
	fd = vm_guest_memfd(&vm, PAGE);
	report.feature[GUEST_MEMFD].works = fd >= 0 ? YES : NO;
	if (fd >= 0)
		close(fd);

	if (vm_add_vcpu(&vm)) {
		not_run(vm.failed);
		goto out;
	}
	err = vm_set_tsc(&vm);
	if (!err || err == EINVAL)
		report.feature[TSC_VM_GATE].works = err ? YES : NO;
out:
	vm_destroy(&vm);
}

/* A feature that works although it is reported as off fails the test, too. */
static void compare_features(void)
{
	int i;

	for (i = 0; i < FEATURES; i++) {
		const struct feature *f = &report.feature[i];
		bool claimed = !strcmp(f->reported, "active") || !strcmp(f->reported, "native");

		if (!f->reported[0] || f->works == NOT_TRIED)
			continue;
		if (claimed != (f->works == YES))
			report_verdict(&report, FAIL, "%s is reported as %s, and %s", f->name,
				       f->reported, f->works == YES ? "works" : "does not work");
	}
	if (report.feature[GUEST_MEMFD].works == NO)
		report_verdict(&report, FAIL, "this host has no guest_memfd that can be mapped");
}

static int node_index(int node)
{
	int i;

	for (i = 0; i < report.nodes.count; i++) {
		if (report.nodes.id[i] == node)
			return i;
	}
	return -1;
}

/*
 * Only the module promises to interleave by the offset in the file. With a kernel's own guest_memfd
 * policy, a page only has to be on one of the nodes.
 */
static bool as_asked(const struct row *row, unsigned long page, int index)
{
	if (row->placing == PLACE_BIND)
		return report.nodes.id[index] == row->node;
	return strcmp(report.feature[GUEST_MEMFD].reported, "active") ||
	       index == (int)(page % report.nodes.count);
}

/* The guest has touched every page. Reading them maps them here, and shows what the guest wrote. */
static int count_pages(struct row *row, char *addr)
{
	int *node = calloc(row->pages, sizeof(*node));
	unsigned long i;

	if (!node)
		return -1;
	for (i = 0; i < row->pages; i++) {
		if (*(volatile unsigned int *)(addr + i * PAGE) != VALUE) {
			report_verdict(&report, FAIL, "page %lu is not the one that the guest wrote to", i);
			row->wrong++;
		}
	}
	if (where(addr, row->pages, node)) {
		free(node);
		return -1;
	}
	for (i = 0; i < row->pages; i++) {
		int index = node_index(node[i]);

		if (index >= 0)
			row->found[index]++;
		if (index < 0 || !as_asked(row, i, index))
			row->wrong++;
	}
	free(node);
	return 0;
}

/* Test a file that has one policy for all its pages and is first touched by a guest. */
static int try_row(struct row *row, struct vm *vm)
{
	struct nodes one = { .count = 1, .id = { row->node } };
	uint64_t size = row->pages * PAGE;
	char *addr = MAP_FAILED;
	int fd, r = -1;

	if (vm_create(vm) || vm_add_vcpu(vm))
		return -1;
	vm->failed = "KVM_CREATE_GUEST_MEMFD";
	fd = vm_guest_memfd(vm, size);
	if (fd < 0)
		return -1;
	vm->failed = "mmap of the guest_memfd";
	addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (addr == MAP_FAILED)
		goto out;
	vm->failed = "mbind";
	if (place(addr, size, row->placing, row->placing == PLACE_BIND ? &one : &report.nodes))
		goto out;
	if (vm_bind(vm, fd, addr, size) || vm_touch(vm, row->pages, VALUE))
		goto out;
	vm->failed = "move_pages";
	r = count_pages(row, addr);
out:
	if (addr != MAP_FAILED)
		munmap(addr, size);
	close(fd);
	return r;
}

static void check_row(bool private, enum placing placing, int node, unsigned long pages)
{
	struct row *row = calloc(1, sizeof(*row));
	struct vm vm;

	if (!row) {
		not_run("calloc");
		return;
	}
	row->private = private;
	row->placing = placing;
	row->node = node;
	row->pages = pages;
	report.row[report.rows++] = row;
	if (private ? private_row(row, &report.nodes, &vm) : try_row(row, &vm))
		report_verdict(&report, FAIL, "%s: %s", vm.failed, strerror(errno));
	else if (row->wrong)
		report_verdict(&report, FAIL, "%lu of %lu pages are not where they were asked for",
			       row->wrong, row->pages);
	vm_destroy(&vm);
}

/* With MPOL_BIND to a full node, the guest's first touch would invoke the OOM killer. */
static bool is_full(unsigned long pages)
{
	long long free;
	int i;

	for (i = 0; i < report.nodes.count; i++) {
		free = node_free(report.nodes.id[i]);
		if (free >= 0 && free < (long long)(pages * PAGE) + SPARE) {
			report_verdict(&report, NOT_SHOWN, "node %d has too little free memory: %lld MiB",
				       report.nodes.id[i], free >> 20);
			return true;
		}
	}
	return false;
}

/*
 * Called before KVM is used: a process that may use only movable memory cannot call KVM, because
 * KVM's copies of its arguments are allocated from the memory that the process may use.
 */
static bool has_nodes(void)
{
	if (nodes_allowed(&report.nodes, &report.movable))
		not_run("the nodes that this process may use");
	else if (!report.nodes.count)
		report_verdict(&report, NOT_SHOWN, "no node that this process may use can hold guest memory");
	return report.nodes.count;
}

static void check_placement(bool private, unsigned long pages)
{
	int i;

	if (report.verdict != PASS || is_full(pages))
		return;
	for (i = 0; i < report.nodes.count; i++)
		check_row(private, PLACE_BIND, report.nodes.id[i], pages);
	if (report.nodes.count > 1)
		check_row(private, PLACE_INTERLEAVE, -1, pages);
	else
		report_verdict(&report, NOT_SHOWN,
			       "a guest runs, but with one node nothing can be placed wrongly");
}

/* The guest is never launched, so this does without the keys and images that a launch needs. */
static void check_private(unsigned long pages)
{
	struct vm vm;

	if (vm_create_private(&vm)) {
		if (errno == EOPNOTSUPP)
			report_verdict(&report, NOT_SHOWN,
				       "KVM on this host has no VMs with private memory (SEV-SNP, TDX)");
		else
			not_run(vm.failed);
		vm_destroy(&vm);
		return;
	}
	vm_destroy(&vm);
	check_placement(true, pages);
	if (report.verdict == PASS)
		strcpy(report.reason, "the pages are on the nodes that were asked for");
	if (report.rows)
		report.feature[PRIVATE_POLICY].works = report.verdict == FAIL ? NO : YES;
}

/* If memory runs out nevertheless, the OOM killer should choose this process. */
static void become_oom_victim(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1000", 4) != 4)
		fprintf(stderr, "oom_score_adj: %s\n", strerror(errno));
	close(fd);
}

static const char usage[] =
	"usage: kvm-gmem-numa-check [--private] [--json] [--pages=N]\n"
	"Create a small VM for each NUMA node that can hold guest memory, and see where its pages\n"
	"come from; with --private, the private pages of a SEV-SNP or TDX VM.\n"
	"Exit status: 0 as asked, 1 not, 77 cannot be shown on this host, 2 could not be run.\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pages", required_argument, NULL, 'p' },
		{ "private", no_argument, NULL, 'P' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool json = false, private = false;
	unsigned long pages = 0;
	int option;

	while ((option = getopt_long(argc, argv, "jp:h", options, NULL)) != -1) {
		if (option == 'j')
			json = true;
		else if (option == 'P')
			private = true;
		else if (option == 'p')
			pages = strtoul(optarg, NULL, 10) ?: PAGES_MAX + 1;
		else
			return fputs(usage, option == 'h' ? stdout : stderr), option == 'h' ? PASS : NOT_RUN;
	}
	if (optind < argc || pages > PAGES_MAX)
		return fputs(usage, stderr), NOT_RUN;
	if (!pages)
		pages = private ? PAGES_PRIVATE : PAGES_DEFAULT;

	become_oom_victim();
	read_reported();
	if (has_nodes()) {
		if (private) {
			check_private(pages);
		} else {
			try_features();
			compare_features();
			check_placement(false, pages);
		}
	}
	if (json)
		report_json(&report);
	else
		report_table(&report);
	return report.verdict;
}
