// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "private.h"
#include "tap.h"

static int device(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/private_mem", O_RDWR | O_CLOEXEC);
	return fd;
}

bool private_memory_exists(void)
{
	return device() >= 0;
}

bool private_has_rmp(void)
{
	struct private_mem_rmp rmp;

	return !ioctl(device(), PRIVATE_MEM_GET_RMP, &rmp);
}

bool private_can_populate(void)
{
	return ioctl(device(), PRIVATE_MEM_POPULATE, NULL) && errno != ENOTTY;
}

int private_make(int vm_fd)
{
	return ioctl(device(), PRIVATE_MEM_MAKE, vm_fd);
}

void private_create(struct vmm *vm, int nr_vcpus)
{
	vmm_open(vm);
	must(!private_make(vm->fd));
	vmm_start(vm, nr_vcpus);
}

void private_slot(struct vmm *vm, uint32_t slot, uint64_t gpa, uint64_t size, void *hva, int fd,
		  uint64_t offset)
{
	must(!vmm_slot(vm, slot, KVM_MEM_GUEST_MEMFD, gpa, size, hva, fd, offset));
}

void private_set(struct vmm *vm, uint64_t gpa, uint64_t size, bool private)
{
	struct kvm_memory_attributes attributes = {
		.address = gpa,
		.size = size,
		.attributes = private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	must(!ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes));
}

void private_share(struct vmm *vm, int fd, uint64_t offset, uint64_t gpa, uint64_t size)
{
	private_set(vm, gpa, size, false);
	vmm_punch(fd, offset, size);
}

int private_fault(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t size)
{
	uint64_t sum;

	if (private_has_rmp() || !vmm_prefault_error())
		return vmm_prefault(vm, vcpu, gpa, size);
	return vmm_sum(vm, vcpu, gpa, size / PAGE, &sum);
}

long private_populate(struct vmm *vm, uint64_t gpa, uint64_t npages, const void *src)
{
	struct private_mem_populate populate = {
		.vm = vm->fd,
		.gfn = gpa / PAGE,
		.npages = npages,
		.src = (uint64_t)src,
	};

	return ioctl(device(), PRIVATE_MEM_POPULATE, &populate);
}

int private_get_page(struct vmm *vm, uint64_t gpa)
{
	struct private_mem_page page = { .vm = vm->fd, .gfn = gpa / PAGE };

	return ioctl(device(), PRIVATE_MEM_GET_PAGE, &page);
}

void private_nodes(struct vmm *vm, unsigned int witness, uint64_t gpa, uint64_t npages,
		   int8_t *nodes)
{
	struct private_mem_nodes n = {
		.vm = vm->fd,
		.witness = witness,
		.gfn = gpa / PAGE,
		.npages = npages,
		.nodes = (uint64_t)nodes,
	};

	must(!ioctl(device(), PRIVATE_MEM_NODES, &n));
}

struct private_mem_rmp private_rmp(void)
{
	struct private_mem_rmp rmp = {};

	must(!ioctl(device(), PRIVATE_MEM_GET_RMP, &rmp) || errno == ENODEV);
	return rmp;
}

void private_check_rmp(void)
{
	struct private_mem_rmp rmp = private_rmp();
	int i;

	if (!private_has_rmp()) {
		tap_skip("KVM tells nobody which pages are a guest's", "RMP");
		return;
	}
	/* Files of VMs that are gone may be freed a moment later. */
	for (i = 0; rmp.assigned && i < 3000; i++) {
		usleep(10000);
		rmp = private_rmp();
	}
	ok(rmp.prepared > 0, "pages became a guest's (%llu)", rmp.prepared);
	is(rmp.assigned, 0, "all of them became the host's again");
	is(rmp.wrong, 0, "nothing happened that hardware would not have forgiven");
	if (rmp.wrong)
		printf("#   the first: %s\n", rmp.first);
}
