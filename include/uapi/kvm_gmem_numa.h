/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The part of the guest_memfd ABI that <linux/kvm.h> lacks before 6.18.
 *
 * The values are those of the released kernels, so a VMM built with this
 * header runs unchanged on a kernel that has the feature itself.
 */
#ifndef _UAPI_KVM_GMEM_NUMA_H
#define _UAPI_KVM_GMEM_NUMA_H

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
