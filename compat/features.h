/* SPDX-License-Identifier: GPL-2.0-only */
/* Which features are built for this kernel, and the state of those that are not. */
#ifndef _GMEM_COMPAT_FEATURES_H
#define _GMEM_COMPAT_FEATURES_H

#include "compat/have.h"

/*
 * objects.mk decides whether guest_memfd is built, together with the objects. Where it is not,
 * COMPAT_GUEST_MEMFD_STATE is the reason, in the words that sysfs shows.
 */
#ifdef COMPAT_GUEST_MEMFD_STATE
#define COMPAT_BUILDS_GUEST_MEMFD	0
#else
#define COMPAT_BUILDS_GUEST_MEMFD	1
#define COMPAT_GUEST_MEMFD_STATE	""
#endif

/* Guests' mappings of 2 MiB are for files of the module, which can have such folios. */
#if COMPAT_BUILDS_GUEST_MEMFD && defined(CONFIG_TRANSPARENT_HUGEPAGE)
#define COMPAT_BUILDS_HUGE_MAPPINGS	1
#define COMPAT_HUGE_MAPPINGS_STATE	""
#elif COMPAT_BUILDS_GUEST_MEMFD
#define COMPAT_BUILDS_HUGE_MAPPINGS	0
#define COMPAT_HUGE_MAPPINGS_STATE	"unavailable: this kernel has no CONFIG_TRANSPARENT_HUGEPAGE"
#else
#define COMPAT_BUILDS_HUGE_MAPPINGS	0
#define COMPAT_HUGE_MAPPINGS_STATE	"unavailable: guest_memfd is left to the kernel"
#endif

/* Private memory, which upstream places by no policy of the VMM's: as guest_memfd. */
#ifdef COMPAT_PRIVATE_POLICY_STATE
#define COMPAT_BUILDS_PRIVATE_POLICY	0
#else
#define COMPAT_BUILDS_PRIVATE_POLICY	1
#define COMPAT_PRIVATE_POLICY_STATE	""
#endif

/*
 * vcpu->arch.guest_tsc_protected came with 6.16 (adafea110600). On kernels without it no vCPU's
 * TSC is protected, so there is nothing to refuse.
 */
#ifdef HAVE_KVM_GUEST_TSC_PROTECTED
#define COMPAT_BUILDS_TSC_VCPU_GATE	1
#define COMPAT_TSC_VCPU_GATE_STATE	""
#else
#define COMPAT_BUILDS_TSC_VCPU_GATE	0
#define COMPAT_TSC_VCPU_GATE_STATE	"unavailable: this kernel has no protected TSCs"
#endif

#endif /* _GMEM_COMPAT_FEATURES_H */
