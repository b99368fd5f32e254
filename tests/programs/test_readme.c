// SPDX-License-Identifier: GPL-2.0-only
/* The README's example of a VMM, as it stands there: the Makefile takes it out of the document. */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define N 64UL

static int node_of_example(unsigned long i)
{
	return 1;
}

static void readme_vmm(int vm, uint64_t gpa, uint64_t size, int *file, char **memory)
{
#include "readme.inc"
	is(err, 0, "the README's example makes a slot");
	*file = fd;
	*memory = mem;
}

/* How the README tells a VMM to find out whether a policy counts. */
static void probe_policy(int fd)
{
	unsigned long nodes;
	char *p = vmm_map(fd, N * PAGE);
	int mode;

	must(!set_policy(p, N * PAGE, MPOL_BIND, NODE(1)));
	munmap(p, N * PAGE);
	p = vmm_map(fd, N * PAGE);
	must(!get_policy(p, &mode, &nodes));
	ok(mode == MPOL_BIND && nodes == NODE(1), "a policy is still there in a new mapping");
	munmap(p, N * PAGE);
}

/* The mapping as an ordinary slot's memory, which has a dirty log. */
static void ordinary_slot(struct vmm *vm, char *p)
{
	uint64_t bits = 0;
	struct kvm_dirty_log log = { .slot = VMM_TEST_SLOT, .dirty_bitmap = &bits };

	must(!vmm_slot(vm, VMM_TEST_SLOT, KVM_MEM_LOG_DIRTY_PAGES, VMM_TEST_GPA, N * PAGE, p, -1, 0));
	must(!vmm_write(vm, 0, VMM_TEST_GPA, N / 2, 1));
	must(!ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log));
	ok(bits == (1UL << N / 2) - 1, "an ordinary slot's dirty log has every page that was written");
	is(pages_off(p, N, node_of_example), 0, "and the policy holds for its pages");
}

int main(void)
{
	struct vmm vm;
	char *p;
	int fd;

	vmm_create(&vm, 1);
	is(vmm_cap(vm.fd, KVM_CAP_GUEST_MEMFD_FLAGS), VMM_GMEM_BOTH,
	   "the capability has the value that the README names");
	is(VMM_GMEM_BOTH, 3, "which is 3");
	readme_vmm(vm.fd, VMM_TEST_GPA, N * PAGE, &fd, &p);
	must(!vmm_write(&vm, 0, VMM_TEST_GPA, N, 1));
	is(pages_off(p, N, node_of_example), 0, "every page that the guest touches is on node 1");
	must(!vmm_delete_slot(&vm, VMM_TEST_SLOT));
	vmm_punch(fd, 0, N * PAGE);
	ordinary_slot(&vm, p);
	probe_policy(fd);
	munmap(p, N * PAGE);
	close(fd);
	vmm_destroy(&vm);
	return tap_exit();
}
