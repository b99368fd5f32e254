// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <kvm_gmem_numa.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

/* Guest physical memory: a page directory and code at 0, the file at 1 GiB. */
#define CTRL_SIZE (2 * PAGE)
#define CODE_GPA PAGE
#define FILE_GPA (1UL << 30)

/* Where KVM on Intel CPUs puts what it needs below 4 GiB. On other CPUs, KVM ignores the address. */
#define TSS_GPA 0xfffbd000UL

enum { CTRL_SLOT, FILE_SLOT };

#define PDE_BITS 0x83UL		/* present, writable, 4 MiB */
#define CR0_BITS 0x80000033UL	/* PG, NE, ET, MP, PE */
#define CR4_BITS 0x10UL		/* PSE */

/* edi: address, esi: number of pages, eax: value. */
extern const uint8_t guest_touch[], guest_end[];

asm(".pushsection .rodata\n"
    ".code32\n"
    "guest_touch:\n"
    "1:	mov %eax, (%edi)\n"
    "	add $4096, %edi\n"
    "	dec %esi\n"
    "	jnz 1b\n"
    "	hlt\n"
    "guest_end:\n"
    ".code64\n"
    ".popsection\n");

/* Since 6.8; Debian 12's own headers are older. */
#ifndef KVM_SET_MEMORY_ATTRIBUTES
#define KVM_CAP_VM_TYPES 235
#define KVM_SET_MEMORY_ATTRIBUTES _IOW(KVMIO, 0xd2, struct kvm_memory_attributes)
#define KVM_MEMORY_ATTRIBUTE_PRIVATE (1ULL << 3)

struct kvm_memory_attributes {
	__u64 address;
	__u64 size;
	__u64 attributes;
	__u64 flags;
};
#endif

static int fail(struct vm *vm, const char *what)
{
	vm->failed = what;
	return -1;
}

/* Linear addresses equal guest physical addresses. */
static void fill_ctrl(uint8_t *ctrl)
{
	uint32_t i, *directory = (uint32_t *)ctrl;

	for (i = 0; i < 1024; i++)
		directory[i] = i << 22 | PDE_BITS;
	memcpy(ctrl + CODE_GPA, guest_touch, guest_end - guest_touch);
}

static int open_kvm(struct vm *vm)
{
	memset(vm, 0, sizeof(*vm));
	vm->fd = vm->vcpu = -1;
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	return vm->kvm < 0 ? fail(vm, "open /dev/kvm") : 0;
}

static int create_vm(struct vm *vm, unsigned long type)
{
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, type);
	return vm->fd < 0 ? fail(vm, "KVM_CREATE_VM") : 0;
}

int vm_create_private(struct vm *vm)
{
	/* What the newest headers call KVM_X86_SNP_VM, KVM_X86_TDX_VM and KVM_X86_SW_PROTECTED_VM. */
	static const unsigned long types[] = { 4, 5, 1 };
	size_t i;
	int have;

	if (open_kvm(vm))
		return -1;
	have = ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);
	for (i = 0; have > 0 && i < sizeof(types) / sizeof(types[0]); i++) {
		if (have & (1 << types[i]))
			return create_vm(vm, types[i]);
	}
	errno = EOPNOTSUPP;
	return fail(vm, "KVM_CAP_VM_TYPES");
}

int vm_private_memfd(struct vm *vm, uint64_t size)
{
	struct kvm_create_guest_memfd args = { .size = size };

	return ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &args);
}

int vm_set_private(struct vm *vm, uint64_t size)
{
	struct kvm_memory_attributes attributes = {
		.address = FILE_GPA,
		.size = size,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};

	if (ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes))
		return fail(vm, "KVM_SET_MEMORY_ATTRIBUTES");
	return 0;
}

int vm_create(struct vm *vm)
{
	struct kvm_userspace_memory_region region = { .slot = CTRL_SLOT, .memory_size = CTRL_SIZE };

	if (open_kvm(vm) || create_vm(vm, 0))
		return -1;
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_GPA))
		return fail(vm, "KVM_SET_TSS_ADDR");

	vm->ctrl = mmap(NULL, CTRL_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->ctrl == MAP_FAILED)
		return fail(vm, "mmap");
	fill_ctrl(vm->ctrl);
	region.userspace_addr = (uint64_t)vm->ctrl;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return fail(vm, "KVM_SET_USER_MEMORY_REGION");
	return 0;
}

static int set_sregs(struct vm *vm)
{
	struct kvm_segment data = { .limit = ~0U, .selector = 16, .type = 3, .present = 1,
				    .db = 1, .s = 1, .g = 1 };
	struct kvm_segment code = { .limit = ~0U, .selector = 8, .type = 11, .present = 1,
				    .db = 1, .s = 1, .g = 1 };
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		return fail(vm, "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.cr0 = CR0_BITS;
	sregs.cr3 = 0;
	sregs.cr4 = CR4_BITS;
	if (ioctl(vm->vcpu, KVM_SET_SREGS, &sregs))
		return fail(vm, "KVM_SET_SREGS");
	return 0;
}

int vm_add_vcpu(struct vm *vm)
{
	vm->run_size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vm->run_size < 0)
		return fail(vm, "KVM_GET_VCPU_MMAP_SIZE");
	vm->vcpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	if (vm->vcpu < 0)
		return fail(vm, "KVM_CREATE_VCPU");
	vm->run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	if (vm->run == MAP_FAILED)
		return fail(vm, "mmap of the vCPU");
	return set_sregs(vm);
}

void vm_destroy(struct vm *vm)
{
	if (vm->run && vm->run != MAP_FAILED)
		munmap(vm->run, vm->run_size);
	if (vm->vcpu >= 0)
		close(vm->vcpu);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm >= 0)
		close(vm->kvm);
	if (vm->ctrl && vm->ctrl != MAP_FAILED)
		munmap(vm->ctrl, CTRL_SIZE);
}

int vm_guest_memfd(struct vm *vm, uint64_t size)
{
	struct kvm_create_guest_memfd args = {
		.size = size,
		.flags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED,
	};

	return ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &args);
}

int vm_bind(struct vm *vm, int fd, void *addr, uint64_t size)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = FILE_SLOT,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = FILE_GPA,
		.memory_size = size,
		.userspace_addr = (uint64_t)addr,
		.guest_memfd = fd,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &region))
		return fail(vm, "KVM_SET_USER_MEMORY_REGION2");
	return 0;
}

int vm_touch(struct vm *vm, uint64_t pages, uint32_t value)
{
	struct kvm_regs regs = { .rip = CODE_GPA, .rflags = 2, .rdi = FILE_GPA, .rsi = pages,
				 .rax = value };
	int r;

	if (ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		return fail(vm, "KVM_SET_REGS");
	do {
		r = ioctl(vm->vcpu, KVM_RUN, 0);
	} while (r && errno == EINTR);
	if (r)
		return fail(vm, "KVM_RUN");
	if (vm->run->exit_reason != KVM_EXIT_HLT) {
		errno = ENOTRECOVERABLE;
		return fail(vm, "the guest's writing");
	}
	return 0;
}

int vm_set_tsc(struct vm *vm)
{
	int khz = ioctl(vm->fd, KVM_GET_TSC_KHZ, 0);

	if (khz < 0 && errno != ENOTTY)
		return errno;
	/* 0 means the host's frequency, and is used where KVM has no KVM_GET_TSC_KHZ for VMs. */
	return ioctl(vm->fd, KVM_SET_TSC_KHZ, khz > 0 ? khz : 0) ? errno : 0;
}
