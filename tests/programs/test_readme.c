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
	munmap(p, N * PAGE);
	close(fd);
	vmm_destroy(&vm);
	return tap_exit();
}
