/* SPDX-License-Identifier: GPL-2.0-only */
/* Protected TSCs. */
#ifndef _GMEM_COMPAT_KVM_TSC_H
#define _GMEM_COMPAT_KVM_TSC_H

#include <linux/kvm_host.h>

#include "compat/have.h"

/* The field came with 6.16 (adafea110600), see features.h. */
static __always_inline bool compat_vcpu_tsc_protected(const struct kvm_vcpu *vcpu)
{
#ifdef HAVE_KVM_GUEST_TSC_PROTECTED
	return vcpu->arch.guest_tsc_protected;
#else
	return false;
#endif
}

#endif /* _GMEM_COMPAT_KVM_TSC_H */
