// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe present|absent: checks that each feature works, or that each is missing.
 * probe tsc: checks that the TSC gate works.
 * probe list: prints the features that work now, one per line.
 *
 * Before the module is loaded and after it is unloaded, the features that it adds must be missing.
 * This shows that the probes can fail.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "numa.h"
#include "tap.h"
#include "vmm.h"

#define SIZE (4 * PAGE)

static int create(struct vmm *vm)
{
	return vmm_gmem_try(vm, SIZE, VMM_GMEM_BOTH);
}

static char *map(int fd)
{
	return mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static bool cap_dev(struct vmm *vm)
{
	return vmm_cap(vm->kvm_fd, KVM_CAP_GUEST_MEMFD_FLAGS) == 3;
}

static bool cap_vm(struct vmm *vm)
{
	return vmm_cap(vm->fd, KVM_CAP_GUEST_MEMFD_FLAGS) == 3 &&
	       vmm_cap(vm->fd, KVM_CAP_GUEST_MEMFD) == 1;
}

static bool can_create(struct vmm *vm)
{
	int fd = create(vm);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool can_map(struct vmm *vm)
{
	int fd = create(vm);
	char *p = map(fd);
	bool good = fd >= 0 && p != MAP_FAILED;

	if (good) {
		p[SIZE - 1] = 1;
		munmap(p, SIZE);
	}
	close(fd);
	return good;
}

/* Where the file ignores mbind(), the policy is lost with the mapping. */
static bool policy_persists(struct vmm *vm)
{
	unsigned long nodes = 0;
	int fd = create(vm), mode = -1;
	char *p = map(fd);

	if (fd < 0 || p == MAP_FAILED)
		return false;
	must(!set_policy(p, SIZE, MPOL_BIND, NODE(1)));
	munmap(p, SIZE);
	p = map(fd);
	must(!get_policy(p, &mode, &nodes));
	munmap(p, SIZE);
	close(fd);
	return mode == MPOL_BIND && nodes == NODE(1);
}

static bool placed(struct vmm *vm, int how)
{
	bool good = true;
	int fd = create(vm), node, i;
	char *p = map(fd);

	if (fd < 0 || p == MAP_FAILED)
		return false;
	if (how == 'g' && vmm_slot(vm, VMM_TEST_SLOT, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE,
				   NULL, fd, 0)) {
		close(fd);
		return false;
	}

	for (node = 0; node < NODES; node++) {
		must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE));
		must(!set_policy(p, SIZE, MPOL_BIND, NODE(node)));
		if (how == 'f')
			must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, SIZE));
		if (how == 'g')
			must(!vmm_write(vm, 0, VMM_TEST_GPA, SIZE / PAGE, 1));
		for (i = 0; i < (int)(SIZE / PAGE); i++) {
			(void)*(volatile char *)(p + i * PAGE);
			good &= page_node(p + i * PAGE) == node;
		}
	}

	if (how == 'g')
		must(!vmm_delete_slot(vm, VMM_TEST_SLOT));
	munmap(p, SIZE);
	close(fd);
	return good;
}

static bool placed_host(struct vmm *vm)
{
	return placed(vm, 'h');
}

static bool placed_fallocate(struct vmm *vm)
{
	return placed(vm, 'f');
}

static bool placed_guest(struct vmm *vm)
{
	return placed(vm, 'g');
}

/* The VM has a vCPU, so with the gate its TSC frequency cannot be set any more. */
static bool tsc_gate(struct vmm *vm)
{
	int khz = ioctl(vm->fd, KVM_GET_TSC_KHZ);

	return ioctl(vm->fd, KVM_SET_TSC_KHZ, khz) == -1 && errno == EINVAL;
}

static const struct {
	const char *name;
	bool (*works)(struct vmm *vm);
} features[] = {
	{ "capability 244 is 3 on /dev/kvm", cap_dev },
	{ "capabilities 234 and 244 on a VM", cap_vm },
	{ "a mappable guest_memfd can be created", can_create },
	{ "it can be mapped and written", can_map },
	{ "its policy outlives the mapping", policy_persists },
	{ "host touch obeys mbind()", placed_host },
	{ "fallocate() obeys mbind()", placed_fallocate },
	{ "guest touch obeys mbind()", placed_guest },
	{ "KVM_SET_TSC_KHZ is refused once a vCPU exists", tsc_gate },
};

int main(int argc, char **argv)
{
	bool list, tsc, present;
	size_t i;

	must(argc == 2);
	list = !strcmp(argv[1], "list");
	tsc = !strcmp(argv[1], "tsc");
	present = tsc || !strcmp(argv[1], "present");

	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		struct vmm vm;
		bool works;

		if (tsc && features[i].works != tsc_gate)
			continue;
		vmm_create(&vm, 1);
		works = features[i].works(&vm);
		vmm_destroy(&vm);
		if (!list)
			ok(works == present, "%s: %s", argv[1], features[i].name);
		else if (works)
			puts(features[i].name);
	}
	return tap_exit();
}
