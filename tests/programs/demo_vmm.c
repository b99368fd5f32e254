// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_vmm refused|placement|tsc: what `make demo` shows. Prints for a human reader; exits with 0
 * if everything is as it should be.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define SIZE (32 * MIB)

static const char *answer(long r)
{
	return r >= 0 ? "accepted" : strerrorname_np(errno);
}

static int demo_refused(void)
{
	struct vmm vm;
	int fd;

	vmm_create(&vm, 0);
	fd = vmm_gmem_try(&vm, SIZE, VMM_GMEM_BOTH);
	printf("  KVM_CREATE_GUEST_MEMFD(MMAP | INIT_SHARED): %s\n", answer(fd));
	vmm_destroy(&vm);
	return fd < 0 ? 0 : 1;
}

static int node_0(unsigned long i)
{
	return 0;
}

static int node_1(unsigned long i)
{
	return 1;
}

static int alternating_from;

static int node_alternating(unsigned long i)
{
	return (alternating_from + i) % 2;
}

/*
 * The module interleaves by the offset in the file; native kernels continue from the task's
 * counter.
 */
static int first_node(char *p)
{
	(void)*(volatile char *)p;
	return vmm_gmem_is_ours() ? 0 : page_node(p);
}

struct range {
	uint64_t offset, size;
	const char *asked;
	int mode;
	unsigned long nodes;
	int (*want)(unsigned long i);
};

/* Prints one row: the nodes that move_pages() names, page by page. */
static bool show_range(const struct range *r, char *p)
{
	unsigned long i, n = r->size / PAGE, found[NODES] = {}, off = 0;

	alternating_from = first_node(p + r->offset);
	for (i = 0; i < n; i++) {
		int node;

		/* This maps the page that the guest got, and allocates none. */
		(void)*(volatile char *)(p + r->offset + i * PAGE);
		node = page_node(p + r->offset + i * PAGE);
		if (node >= 0 && node < NODES)
			found[node]++;
		off += node != r->want(i);
	}
	printf("  %5lu - %2lu MiB   %-24s %7lu %8lu %8lu   %s\n", r->offset / MIB,
	       (r->offset + r->size) / MIB, r->asked, n, found[0], found[1],
	       off ? "NO" : "every page");
	return !off;
}

/* The guest touches all pages of a new file, before any other access. */
static bool show_file(const struct range *ranges, int count)
{
	long before[NODES], added[NODES];
	bool good = true;
	struct vmm vm;
	char *p;
	int fd, i;

	vmm_create(&vm, 1);
	fd = vmm_gmem(&vm, SIZE, VMM_GMEM_BOTH);
	p = vmm_map(fd, SIZE);
	for (i = 0; i < count; i++)
		must(!set_policy(p + ranges[i].offset, ranges[i].size, ranges[i].mode,
				 ranges[i].nodes));
	vmm_bind(&vm, fd, SIZE, p);

	cgroup_enter("demo");
	cgroup_file_pages("demo", before);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, SIZE / PAGE, 1));
	cgroup_file_pages_added("demo", before, SIZE / PAGE, added);

	for (i = 0; i < count; i++)
		good &= show_range(&ranges[i], p);
	printf("  memory.numa_stat of the VMM's cgroup agrees: %7s %8ld %8ld\n", "",
	       added[0], added[1]);

	munmap(p, SIZE);
	close(fd);
	vmm_destroy(&vm);
	cgroup_leave("demo");
	return good && added[0] == SIZE / PAGE / 2 &&
	       added[1] == SIZE / PAGE / 2;
}

static int demo_placement(void)
{
	static const struct range halves[] = {
		{ 0, SIZE / 2, "bind to node 0", MPOL_BIND, NODE(0), node_0 },
		{ SIZE / 2, SIZE / 2, "bind to node 1", MPOL_BIND, NODE(1), node_1 },
	};
	static const struct range whole[] = {
		{ 0, SIZE, "interleave nodes 0-1", MPOL_INTERLEAVE, BOTH_NODES, node_alternating },
	};
	bool good;

	printf("  range of the file  asked for                  pages   node 0   node 1   as asked\n");
	good = show_file(halves, 2);
	good &= show_file(whole, 1);
	return !good;
}

static int demo_tsc(bool gated)
{
	int khz, late, vcpu;
	struct vmm vm;

	vmm_create(&vm, 0);
	khz = ioctl(vm.fd, KVM_GET_TSC_KHZ);
	printf("  VM ioctl, before the first vCPU:  %s\n",
	       answer(ioctl(vm.fd, KVM_SET_TSC_KHZ, khz)));
	vmm_add_vcpu(&vm);
	late = ioctl(vm.fd, KVM_SET_TSC_KHZ, khz) ? errno : 0;
	printf("  VM ioctl, with a vCPU:            %s\n", late ? strerrorname_np(late) : "accepted");
	vcpu = ioctl(vm.vcpu[0].fd, KVM_SET_TSC_KHZ, khz);
	printf("  vCPU ioctl, TSC not protected:    %s\n", answer(vcpu));
	vmm_destroy(&vm);
	return !(late == (gated ? EINVAL : 0) && !vcpu);
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "refused"))
		return demo_refused();
	if (!strcmp(what, "placement"))
		return demo_placement();
	if (!strcmp(what, "tsc-open"))
		return demo_tsc(false);
	must(!strcmp(what, "tsc-gated"));
	return demo_tsc(true);
}
