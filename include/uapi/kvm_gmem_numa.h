/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The part of the guest_memfd ABI that <linux/kvm.h> lacks before 6.18, or 6.8.
 *
 * The values are those of the released kernels, so a VMM built with this
 * header runs unchanged on a kernel that has the feature itself.
 */
#ifndef _UAPI_KVM_GMEM_NUMA_H
#define _UAPI_KVM_GMEM_NUMA_H

#include <linux/kvm.h>

/* Before 6.8. */
#ifndef KVM_CREATE_GUEST_MEMFD
#define KVM_CAP_USER_MEMORY2	231
#define KVM_CAP_GUEST_MEMFD	234
#define KVM_EXIT_MEMORY_FAULT	39
#define KVM_MEM_GUEST_MEMFD	(1UL << 2)

struct kvm_userspace_memory_region2 {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};

#define KVM_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)

struct kvm_create_guest_memfd {
	__u64 size;
	__u64 flags;
	__u64 reserved[6];
};

#define KVM_CREATE_GUEST_MEMFD	_IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)

/* In place of kvm_run.memory_fault, at kvm_run.padding. */
struct gmem_memory_fault {
	__u64 flags;
	__u64 gpa;
	__u64 size;
};
#endif

#ifndef KVM_CAP_GUEST_MEMFD_FLAGS
#define KVM_CAP_GUEST_MEMFD_FLAGS	244
#endif

#ifndef GUEST_MEMFD_FLAG_MMAP
#define GUEST_MEMFD_FLAG_MMAP		(1ULL << 0)
#endif

#ifndef GUEST_MEMFD_FLAG_INIT_SHARED
#define GUEST_MEMFD_FLAG_INIT_SHARED	(1ULL << 1)
#endif

#ifndef GUEST_MEMFD_MAGIC
#define GUEST_MEMFD_MAGIC		0x474d454d	/* "GMEM" */
#endif

#endif /* _UAPI_KVM_GMEM_NUMA_H */
