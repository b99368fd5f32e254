// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../race.h"
#include "any_call.h"

static bool act_map(struct caller *c)
{
	static const int flags[] = { MAP_SHARED, MAP_SHARED | MAP_POPULATE, MAP_PRIVATE, MAP_SHARED | MAP_LOCKED };
	uint64_t first = roll(c, N), at = roll(c, ARENA_PAGES - N);

	return mmap((void *)(ARENA + at * PAGE), (1 + roll(c, N)) * PAGE,
		    roll(c, 4) ? PROT_READ | PROT_WRITE : (int)roll(c, 8),
		    flags[roll(c, 4)] | MAP_FIXED, some_file(c), first * PAGE) != MAP_FAILED;
}

/* Most arguments are valid, or hardly any call would create a slot. */
static bool act_slot(struct caller *c)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = VMM_TEST_SLOT + roll(c, 3) + (roll(c, 8) ? 0 : 0x10000),
		.flags = roll(c, 4) ? KVM_MEM_GUEST_MEMFD : (uint32_t)roll(c, 8),
		.guest_phys_addr = VMM_TEST_GPA + roll(c, 3) * SIZE,
		.memory_size = roll(c, 3) ? (1 + roll(c, N)) * PAGE : 0,
		.userspace_addr = some_page(c),
		.guest_memfd = roll(c, 4) ? FD_FILE + SHARED + (long)roll(c, OWN) : some_file(c),
		.guest_memfd_offset = roll(c, 2) ? 0 : roll(c, N) * PAGE,
	};

	return !ioctl(FD_VM, roll(c, 4) ? KVM_SET_USER_MEMORY_REGION2 : KVM_SET_USER_MEMORY_REGION, &region);
}

static bool act_create(struct caller *c)
{
	struct kvm_create_guest_memfd args = {
		.size = roll(c, 4) ? SIZE : roll(c, 2) ? (1 + roll(c, N)) * PAGE : roll(c, SIZE),
		.flags = roll(c, 4) ? VMM_GMEM_BOTH : roll(c, 8),
	};
	int fd = ioctl(FD_VM, KVM_CREATE_GUEST_MEMFD, &args);

	return fd >= 0 && dup3(fd, FD_FILE + SHARED + roll(c, OWN), 0) >= 0 && !close(fd);
}

static bool touch(volatile char *p, bool write)
{
	return write ? guarded(*p = 1) : guarded((void)*p);
}

static bool act_touch(struct caller *c)
{
	char *p = (char *)some_page(c);
	bool write = roll(c, 2), good = true;
	uint64_t i, n = roll(c, 8);

	for (i = 0; i < n && good; i++)
		good = touch(p + i * PAGE, write);
	return good;
}

/* Copies all mappings while other threads change them; the child touches some of them and dies. */
static bool act_fork(struct caller *c)
{
	pid_t pid = syscall(SYS_fork);
	int status;

	if (!pid) {
		act_touch(c);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid;
}

/* Asynchronous write protection is the only mode for memory that does not belong to core mm. */
static bool act_userfault(struct caller *c)
{
	struct uffdio_register area = {
		.range = { some_page(c), (1 + roll(c, N)) * PAGE },
		.mode = roll(c, 4) ? UFFDIO_REGISTER_MODE_WP : 1 + roll(c, 7),
	};
	struct uffdio_writeprotect protect = { area.range, roll(c, 2) };

	if (ioctl(FD_UFFD, UFFDIO_REGISTER, &area))
		return false;
	ioctl(FD_UFFD, UFFDIO_WRITEPROTECT, &protect);
	act_touch(c);
	return roll(c, 2) || !ioctl(FD_UFFD, UFFDIO_UNREGISTER, &area.range);
}

/* io_uring pins pages for a long time, inside holes and outside. */
static bool act_pin(struct caller *c)
{
	struct io_uring_params params = {};
	struct iovec iov = { (void *)some_page(c), (1 + roll(c, N)) * PAGE };
	int fd = syscall(SYS_io_uring_setup, 2, &params);
	bool good;

	if (fd < 0)
		return false;
	good = !syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &iov, 1);
	if (good)
		fallocate(some_file(c), FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, SIZE);
	close(fd);
	return good;
}

/* Fills the memory from which arguments by address are read, besides what calls leave there. */
static bool act_scribble(struct caller *c)
{
	uint32_t *p = (uint32_t *)(SCRATCH + roll(c, SCRATCH_PAGES) * PAGE);
	uint32_t word;
	bool good = true;
	size_t i;

	for (i = 0; i < 16 && good; i++) {
		word = roll(c, 4) ? roll(c, 8) : prng_next(&c->dice) >> roll(c, 64);
		good = guarded(p[i] = word);
	}
	return good;
}

static void enable(struct caller *c, int vm)
{
	static const uint32_t caps[] = {
		KVM_CAP_DIRTY_LOG_RING, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_CAP_SPLIT_IRQCHIP,
		KVM_CAP_VM_DISABLE_NX_HUGE_PAGES, KVM_CAP_DISABLE_QUIRKS2, KVM_CAP_GUEST_MEMFD,
	};
	struct kvm_enable_cap cap = {
		.cap = caps[roll(c, sizeof(caps) / sizeof(caps[0]))],
		.args[0] = roll(c, 2) ? PAGE : roll(c, 4),
	};

	ioctl(vm, KVM_ENABLE_CAP, &cap);
}

/*
 * Another VM replaces this process's VM at any time. The files, slots and mappings of the old VM
 * are left to end by themselves. Where KVM has such a type, the new VM may have private memory.
 */
static bool act_vm(struct caller *c)
{
	int kvm, vm, vcpu;

	/*
	 * If it were replaced more often, no VM would live long enough to have a file and a slot.
	 */
	if (roll(c, 8))
		return false;
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return false;
	vm = ioctl(kvm, KVM_CREATE_VM, roll(c, 4) ? 0 : KVM_X86_SW_PROTECTED_VM);
	close(kvm);
	if (vm < 0)
		return false;

	while (roll(c, 2))
		enable(c, vm);
	if (!roll(c, 4))
		ioctl(vm, KVM_CREATE_IRQCHIP, 0);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu >= 0) {
		dup3(vcpu, FD_VCPU, 0);
		close(vcpu);
	}
	return dup3(vm, FD_VM, 0) >= 0 && !close(vm) && vcpu >= 0 && act_create(c);
}

const struct act acts[] = {
	{ "map", act_map },
	{ "slot", act_slot },
	{ "create", act_create },
	{ "touch", act_touch },
	{ "fork", act_fork },
	{ "userfault", act_userfault },
	{ "pin", act_pin },
	{ "scribble", act_scribble },
	{ "vm", act_vm },
};

const size_t acts_count = sizeof(acts) / sizeof(acts[0]);
