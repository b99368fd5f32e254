/* SPDX-License-Identifier: GPL-2.0-only */
/* Protected TSCs. */
#ifndef _GMEM_COMPAT_KVM_TSC_H
#define _GMEM_COMPAT_KVM_TSC_H

/*
 * vcpu->arch.guest_tsc_protected came with 6.16 (adafea110600). Without it no
 * vCPU's TSC is protected, and there is nothing to refuse.
 */
#define COMPAT_TSC_VCPU_GATE_ABSENT "this kernel has no protected TSCs"

#endif /* _GMEM_COMPAT_KVM_TSC_H */
