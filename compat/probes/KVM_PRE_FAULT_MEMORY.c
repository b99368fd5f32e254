// SPDX-License-Identifier: GPL-2.0-only
/* ioctl KVM_PRE_FAULT_MEMORY (6.11) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
static_assert(__same_type(kvm_arch_vcpu_pre_fault_memory,
			  long (struct kvm_vcpu *, struct kvm_pre_fault_memory *)));
#endif

#ifdef PROBE_ODD
#ifndef KVM_PRE_FAULT_MEMORY
#error there is no such ioctl
#endif
#endif
