/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _GMEM_FEATURES_H
#define _GMEM_FEATURES_H

#include <linux/bits.h>
#include <linux/types.h>

#include "compat/features.h"

/**
 * enum feature - what the module brings
 * @FEATURE_GUEST_MEMFD: guest_memfd with mmap() and NUMA policy
 * @FEATURE_TSC_VM_GATE: KVM_SET_TSC_KHZ on a VM is refused once it has a vCPU
 * @FEATURE_TSC_VCPU_GATE: KVM_SET_TSC_KHZ on a vCPU is refused if its TSC is protected
 * @FEATURES: how many there are
 */
enum feature {
	FEATURE_GUEST_MEMFD,
	FEATURE_TSC_VM_GATE,
	FEATURE_TSC_VCPU_GATE,
	FEATURES,
};

extern unsigned long features_ours;

/**
 * feature_is_ours() - does the module provide it on this kernel?
 * @feature: the feature
 *
 * What is not built in for this kernel is known to the compiler, so code for it
 * may be called behind this without being linked.
 */
static __always_inline bool feature_is_ours(enum feature feature)
{
	if (feature == FEATURE_GUEST_MEMFD && !COMPAT_BUILDS_GUEST_MEMFD)
		return false;
	if (feature == FEATURE_TSC_VCPU_GATE && !COMPAT_BUILDS_TSC_VCPU_GATE)
		return false;
	return READ_ONCE(features_ours) & BIT(feature);
}

/**
 * refused() - say why this kernel does not allow what was asked for
 * @what: what that was, and that it was not done
 * @fmt: as for printk()
 *
 * One line that names the cause and, where there is one, the remedy.
 */
#define refused(what, fmt, ...) pr_err_ratelimited("%s: " fmt, what, ##__VA_ARGS__)

/**
 * feature_refused() - the same, of a feature, at load
 * @fmt: as for printk()
 */
#define feature_refused(fmt, ...) refused(FEATURE_REFUSED, fmt, ##__VA_ARGS__)
#define FEATURE_REFUSED (gmem_force ? "left out" : "not loaded")

extern bool gmem_force;

void feature_leave(enum feature feature, const char *state);

int features_detect(void);
int features_publish(void);
void features_withdraw(void);
void features_log(void);

#endif /* _GMEM_FEATURES_H */
