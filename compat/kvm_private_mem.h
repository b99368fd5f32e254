/* SPDX-License-Identifier: GPL-2.0-only */
/* Private memory, and the ABI that came with it in 6.8. */
#ifndef _GMEM_COMPAT_KVM_PRIVATE_MEM_H
#define _GMEM_COMPAT_KVM_PRIVATE_MEM_H

#include <linux/kvm_host.h>
#include <uapi/kvm_gmem_numa.h>

#include "compat/have.h"

#ifdef HAVE_GUEST_MEMFD_ABI
#define COMPAT_BRINGS_REGION2 0
#define compat_memory_fault_exit(vcpu, gpa, size) \
	kvm_prepare_memory_fault_exit(vcpu, gpa, size, false, false, false)
#else
#define COMPAT_BRINGS_REGION2 1
#define kvm_arch_has_private_mem(kvm) ((void)(kvm), false)
#define kvm_arch_nr_memslot_as_ids(kvm) KVM_ADDRESS_SPACE_NUM

static_assert(sizeof(struct gmem_memory_fault) <= sizeof_field(struct kvm_run, padding));

static inline void compat_memory_fault_exit(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size)
{
	struct gmem_memory_fault *fault = (void *)vcpu->run->padding;

	vcpu->run->exit_reason = KVM_EXIT_MEMORY_FAULT;
	fault->flags = 0;
	fault->gpa = gpa;
	fault->size = size;
}
#endif

#endif /* _GMEM_COMPAT_KVM_PRIVATE_MEM_H */
