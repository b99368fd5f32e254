/* SPDX-License-Identifier: GPL-2.0-only */
/* Which features the module provides on this kernel. */
#ifndef _GMEM_FEATURES_H
#define _GMEM_FEATURES_H

#include <linux/bits.h>
#include <linux/types.h>

#include "compat/features.h"

/**
 * enum feature - what the module can provide
 * @FEATURE_GUEST_MEMFD: guest_memfd with mmap() and NUMA policy
 * @FEATURE_HUGE_MAPPINGS: guests' mappings of 2 MiB of that guest_memfd
 * @FEATURE_PRIVATE_POLICY: private memory of confidential guests by the policy of its shared half
 * @FEATURE_TSC_VM_GATE: KVM_SET_TSC_KHZ on a VM is refused once the VM has a vCPU
 * @FEATURE_TSC_VCPU_GATE: KVM_SET_TSC_KHZ on a vCPU is refused if the vCPU's TSC is protected
 * @FEATURES: how many features there are
 */
enum feature {
	FEATURE_GUEST_MEMFD,
	FEATURE_HUGE_MAPPINGS,
	FEATURE_PRIVATE_POLICY,
	FEATURE_TSC_VM_GATE,
	FEATURE_TSC_VCPU_GATE,
	FEATURES,
};

/* As bits. Settled before any redirect is armed, and constant from then on. */
extern unsigned long features_ours;

/**
 * feature_is_ours() - does the module provide the feature on this kernel?
 * @feature: the feature
 *
 * The compiler knows which features are not built for this kernel, so code behind this test may
 * call functions that are not linked.
 */
static __always_inline bool feature_is_ours(enum feature feature)
{
	if (feature == FEATURE_GUEST_MEMFD && !COMPAT_BUILDS_GUEST_MEMFD)
		return false;
	if (feature == FEATURE_HUGE_MAPPINGS && !COMPAT_BUILDS_HUGE_MAPPINGS)
		return false;
	if (feature == FEATURE_PRIVATE_POLICY && !COMPAT_BUILDS_PRIVATE_POLICY)
		return false;
	if (feature == FEATURE_TSC_VCPU_GATE && !COMPAT_BUILDS_TSC_VCPU_GATE)
		return false;
	return READ_ONCE(features_ours) & BIT(feature);
}

extern bool gmem_force;

/* What becomes of a feature that this kernel does not allow, for log_refused() at load. */
#define LOAD_REFUSED (gmem_force ? "left out" : "not loaded")

const char *feature_refused(enum feature feature);
void feature_leave(enum feature feature, const char *state);
const char *feature_left_state(enum feature feature);

#endif /* _GMEM_FEATURES_H */
