// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "private.h"
#include "vm.h"

/*
 * Other processes read and write files meanwhile, and the kernel counts a node's pages on each CPU
 * first. So one page in this many may be missing.
 */
#define SLACK 32

static int read_counts(const struct nodes *nodes, long long *count)
{
	int i;

	for (i = 0; i < nodes->count; i++) {
		count[i] = node_file_pages(nodes->id[i]);
		if (count[i] < 0)
			return -1;
	}
	return 0;
}

/* Of pages that nobody has mapped, only the node's own count tells where they are. */
static int count_allocation(struct row *row, const struct nodes *nodes, int fd)
{
	long long *before = calloc(2 * nodes->count, sizeof(*before)), *after = before + nodes->count;
	int i, r = -1;

	if (!before || read_counts(nodes, before))
		goto out;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, row->pages * PAGE) || read_counts(nodes, after))
		goto out;
	for (i = 0; i < nodes->count; i++)
		row->found[i] = after[i] > before[i] ? after[i] - before[i] : 0;
	r = 0;
out:
	free(before);
	return r;
}

static unsigned long missing(const struct row *row, const struct nodes *nodes)
{
	unsigned long want, slack = row->pages / SLACK, sum = 0;
	int i;

	for (i = 0; i < nodes->count; i++) {
		if (row->placing == PLACE_BIND)
			want = nodes->id[i] == row->node ? row->pages : 0;
		else
			want = row->pages / nodes->count;
		if (row->found[i] + slack < want)
			sum += want - row->found[i];
	}
	return sum;
}

int private_row(struct row *row, const struct nodes *nodes, struct vm *vm)
{
	struct nodes one = { .count = 1, .id = { row->node } };
	uint64_t size = row->pages * PAGE;
	void *shared = MAP_FAILED;
	int fd, r = -1;

	if (vm_create_private(vm))
		return -1;
	vm->failed = "KVM_CREATE_GUEST_MEMFD";
	fd = vm_private_memfd(vm, size);
	if (fd < 0)
		return -1;
	vm->failed = "mmap of the shared half";
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shared == MAP_FAILED)
		goto out;
	vm->failed = "mbind";
	if (place(shared, size, row->placing, row->placing == PLACE_BIND ? &one : nodes))
		goto out;
	if (vm_bind(vm, fd, shared, size) || vm_set_private(vm, size))
		goto out;
	vm->failed = "fallocate";
	r = count_allocation(row, nodes, fd);
	row->wrong = missing(row, nodes);
out:
	if (shared != MAP_FAILED)
		munmap(shared, size);
	close(fd);
	return r;
}
