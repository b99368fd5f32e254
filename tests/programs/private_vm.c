// SPDX-License-Identifier: GPL-2.0-only
/*
 * private_vm: what KVM answers a VM with private memory, one call per line. With the module
 * loaded, the output must be word for word the same as without it. Prints nothing where the kernel
 * has no KVM_X86_SW_PROTECTED_VM, a VM type that is made for such tests.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "vmm.h"

#define SIZE (4 * PAGE)

static int vm;

static int say(const char *what, uint64_t arg, int r)
{
	printf("%s %#llx: %s\n", what, (unsigned long long)arg, r < 0 ? strerror(errno) : "works");
	return r;
}

static int create(uint64_t flags)
{
	struct kvm_create_guest_memfd args = { .size = SIZE, .flags = flags };

	return say("KVM_CREATE_GUEST_MEMFD", flags, ioctl(vm, KVM_CREATE_GUEST_MEMFD, &args));
}

static void set(const char *what, int fd, uint32_t flags, uint64_t gpa, uint64_t size)
{
	struct kvm_userspace_memory_region2 r = {
		.slot = 1, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.guest_memfd = fd,
	};

	r.userspace_addr = size ? (uint64_t)mmap(NULL, size, PROT_READ | PROT_WRITE,
						 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : 0;
	say(what, flags, ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &r));
}

int main(void)
{
	static const int caps[] = { KVM_CAP_GUEST_MEMFD, KVM_CAP_GUEST_MEMFD_FLAGS,
				    KVM_CAP_USER_MEMORY2, KVM_CAP_MEMORY_ATTRIBUTES };
	int kvm = open("/dev/kvm", O_RDWR), fd;
	uint64_t flags;
	size_t i;

	must(kvm >= 0);
	vm = ioctl(kvm, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	if (vm < 0)
		return 0;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		printf("capability %d: %d\n", caps[i], vmm_cap(vm, caps[i]));
	for (flags = 1; flags < 16; flags++)
		close(create(flags));

	fd = create(0);
	if (say("map", 0, mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0))
		errno = 0;
	set("bind", fd, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE);
	set("change, without the flag", fd, 0, VMM_TEST_GPA, SIZE);
	set("move", fd, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA + SIZE, SIZE);
	set("delete", fd, 0, VMM_TEST_GPA, 0);
	set("bind another kind of file", kvm, KVM_MEM_GUEST_MEMFD, VMM_TEST_GPA, SIZE);
	say("TSC frequency", 0, ioctl(vm, KVM_SET_TSC_KHZ, 0));
	return 0;
}
