// SPDX-License-Identifier: GPL-2.0-only
/* What the running kernel provides itself. */
#include <linux/errno.h>
#include <linux/string.h>

#include "detect.h"
#include "features.h"
#include "hooks/hooks.h"
#include "symbol/symbol.h"

/**
 * features_detect() - leave to the kernel what it provides itself
 *
 * The headers tell what can be built. Whether KVM has the NUMA policy and the TSC gates is asked
 * of the running KVM, because a distribution may have backported them to any version.
 *
 * Context: module init.
 * Return: 0, -ENOMEM, or -ENOENT or -EINVAL after one line in the log that says why.
 */
int features_detect(void)
{
	struct symbol_address policy = { SYMBOL_KVM, "kvm_gmem_set_policy" };
	int gate;

	if (symbols_find(&policy, 1))
		return -ENOMEM;

	if (policy.start)
		feature_leave(FEATURE_GUEST_MEMFD, "native");
	else if (!strcmp(feature_left_state(FEATURE_GUEST_MEMFD), "native"))
		feature_leave(FEATURE_GUEST_MEMFD, "unavailable: built as native, and is not");

	gate = hooks_detect_tsc_gate();
	if (gate <= 0)
		return gate;

	feature_leave(FEATURE_TSC_VM_GATE, "native");
	/*
	 * KVM cannot be asked about the gate of vCPUs without a real vCPU. The two gates are
	 * patches of one series and were merged together, so where KVM knows protected TSCs and
	 * has one gate, it has the other.
	 */
	if (COMPAT_BUILDS_TSC_VCPU_GATE)
		feature_leave(FEATURE_TSC_VCPU_GATE, "native");
	return 0;
}
