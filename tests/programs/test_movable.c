// SPDX-License-Identifier: GPL-2.0-only
/*
 * A node whose memory is all movable, as CXL memory often is: no page of a guest_memfd can be
 * there, so a policy that names the node is refused. This is node 2. If the node has other memory
 * as well, that memory is used.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"
#include "private.h"
#include "tap.h"
#include "vmm.h"

#define N 64UL
#define SIZE (N * PAGE)
#define THIRD 2
#define NODE_DIR "/sys/devices/system/node/node2"
#define ALLOCATE FALLOC_FL_KEEP_SIZE

static struct vmm vm;

static int on_third(unsigned long i)
{
	return THIRD;
}

static int on_node_1(unsigned long i)
{
	return 1;
}

/* True if the node is in the list of nodes that sysfs calls @list. */
static bool node_is_in(int node, const char *list)
{
	char path[128], c;
	int from, to, n;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/node/%s", list);
	f = fopen(path, "r");
	must(f);
	while ((n = fscanf(f, "%d%c", &from, &c)) >= 1) {
		to = from;
		if (n == 2 && c == '-')
			must(fscanf(f, "%d%c", &to, &c) >= 1);
		found |= from <= node && node <= to;
	}
	fclose(f);
	return found;
}

static const struct {
	const char *name;
	int mode;
	unsigned long nodes;
} refused[] = {
	{ "MPOL_BIND", MPOL_BIND, NODE(THIRD) },
	{ "MPOL_BIND, with another", MPOL_BIND, NODE(0) | NODE(THIRD) },
	{ "MPOL_PREFERRED", MPOL_PREFERRED, NODE(THIRD) },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE, NODE(1) | NODE(THIRD) },
};

static void test_refused(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH), mode;
	char *p = vmm_map(fd, SIZE);
	unsigned long nodes;
	size_t i;

	must(!set_policy(p, SIZE, MPOL_BIND, NODE(1)));
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		fails(set_policy(p, SIZE, refused[i].mode, refused[i].nodes), EINVAL,
		      "movable memory only: %s is refused", refused[i].name);
		must(!get_policy(p, &mode, &nodes));
		ok(mode == MPOL_BIND && nodes == NODE(1),
		   "movable memory only: %s: the policy is what it was", refused[i].name);
	}
	must(!fallocate(fd, ALLOCATE, 0, SIZE));
	is(pages_off(p, N, on_node_1), 0, "movable memory only: pages go where that policy says");
	is(set_policy(p, SIZE, MPOL_DEFAULT, 0), 0, "movable memory only: the default can be had");
	is(set_policy(p, SIZE, MPOL_LOCAL, 0), 0, "movable memory only: MPOL_LOCAL is accepted");
	munmap(p, SIZE);
	close(fd);
}

/* Movable memory can be allocated on the node, so the node itself is not the problem. */
static void test_memfd(void)
{
	int fd = memfd_create("there", 0);
	char *p;

	must(fd >= 0 && !ftruncate(fd, SIZE));
	p = vmm_map(fd, SIZE);
	must(!set_policy(p, SIZE, MPOL_BIND, NODE(THIRD)));
	memset(p, 1, SIZE);
	is(pages_off(p, N, on_third), 0, "movable memory only: a memfd's pages can be there");
	munmap(p, SIZE);
	close(fd);
}

static void test_mixed(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char *p = vmm_map(fd, SIZE);

	is(set_policy(p, SIZE, MPOL_BIND, NODE(THIRD)), 0, "movable and other memory: can be bound to");
	is(fallocate(fd, ALLOCATE, 0, SIZE), 0, "movable and other memory: pages can be had");
	is(pages_off(p, N, on_third), 0, "movable and other memory: the pages are there");
	munmap(p, SIZE);
	close(fd);
}

/* Takes the node's memory that is not movable offline. Returns whether all of it went offline. */
static bool take_other_memory(void)
{
	char path[300], zones[64] = "";
	struct dirent *e;
	bool all = true;
	FILE *f;
	DIR *d;

	d = opendir(NODE_DIR);
	must(d);
	while ((e = readdir(d))) {
		if (strncmp(e->d_name, "memory", 6))
			continue;
		snprintf(path, sizeof(path), NODE_DIR "/%s/valid_zones", e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		must(fgets(zones, sizeof(zones), f));
		fclose(f);
		snprintf(path, sizeof(path), NODE_DIR "/%s/state", e->d_name);
		if (!strncmp(zones, "Normal", 6))
			all &= !memory_block_set(path, "offline");
	}
	closedir(d);
	return all;
}

/* The file is bound while the node has other memory, which then goes offline. */
static void test_other_memory_goes(void)
{
	int fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	char *p = vmm_map(fd, SIZE);

	must(!set_policy(p, SIZE, MPOL_BIND, NODE(THIRD)));
	if (take_other_memory())
		fails(fallocate(fd, ALLOCATE, 0, SIZE), ENOMEM,
		      "movable memory left only: no page, not even on another node");
	else
		tap_skip("the node's memory is in use", "movable and other memory: the other goes");
	munmap(p, SIZE);
	close(fd);
}

/* Private memory is KVM's, which allocates it elsewhere, as it would without the module. */
static void test_private(void)
{
	struct vmm private;
	char *half;
	int fd;

	if (!private_memory_exists()) {
		tap_skip("this kernel has no private memory", "private memory");
		return;
	}
	half = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(half != MAP_FAILED && !set_policy(half, SIZE, MPOL_BIND, NODE(THIRD)));
	private_create(&private, 0);
	fd = vmm_gmem(&private, SIZE, 0);
	private_slot(&private, VMM_TEST_SLOT, VMM_TEST_GPA, SIZE, half, fd, 0);
	is(fallocate(fd, ALLOCATE, 0, SIZE), 0, "private memory: its nodes have none, KVM has");
	close(fd);
	vmm_destroy(&private);
	munmap(half, SIZE);
}

int main(void)
{
	must(node_is_in(THIRD, "has_memory"));
	vmm_create(&vm, 0);
	if (node_is_in(THIRD, "has_normal_memory")) {
		test_mixed();
		test_other_memory_goes();
	} else {
		test_refused();
		test_memfd();
		test_private();
	}
	vmm_destroy(&vm);
	return tap_exit();
}
