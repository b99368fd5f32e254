// SPDX-License-Identifier: GPL-2.0-only
/* Which features the module provides on this kernel, and the reason where it does not. */
#include <linux/moduleparam.h>

#include "features.h"

bool gmem_force;
module_param_named(force, gmem_force, bool, 0444);
MODULE_PARM_DESC(force,
		 "For testing: leave out what this kernel does not allow instead of refusing to load (default N)");

unsigned long features_ours =
	(COMPAT_BUILDS_GUEST_MEMFD ? BIT(FEATURE_GUEST_MEMFD) : 0) |
	(COMPAT_BUILDS_HUGE_MAPPINGS ? BIT(FEATURE_HUGE_MAPPINGS) : 0) |
	(COMPAT_BUILDS_PRIVATE_POLICY ? BIT(FEATURE_PRIVATE_POLICY) : 0) |
	BIT(FEATURE_TSC_VM_GATE) |
	(COMPAT_BUILDS_TSC_VCPU_GATE ? BIT(FEATURE_TSC_VCPU_GATE) : 0);

/* The state of each feature that is not ours. */
static const char *left_states[FEATURES] = {
	[FEATURE_GUEST_MEMFD] = COMPAT_GUEST_MEMFD_STATE,
	[FEATURE_HUGE_MAPPINGS] = COMPAT_HUGE_MAPPINGS_STATE,
	[FEATURE_PRIVATE_POLICY] = COMPAT_PRIVATE_POLICY_STATE,
	[FEATURE_TSC_VM_GATE] = "",
	[FEATURE_TSC_VCPU_GATE] = COMPAT_TSC_VCPU_GATE_STATE,
};

/**
 * feature_refused() - what becomes of a feature that this kernel does not allow
 * @feature: the feature
 *
 * Return: text for log_refused() at load.
 */
const char *feature_refused(enum feature feature)
{
	return feature == FEATURE_HUGE_MAPPINGS ? "guests get no mappings of 2 MiB" : LOAD_REFUSED;
}

/**
 * feature_leave() - do not provide a feature after all
 * @feature: the feature
 * @state: "native", or "unavailable: " and the reason; a constant string
 *
 * Context: module init, before any redirect is armed.
 */
void feature_leave(enum feature feature, const char *state)
{
	features_ours &= ~BIT(feature);
	left_states[feature] = state;
}

/**
 * feature_left_state() - why a feature is not ours
 * @feature: a feature that the module does not provide
 *
 * Return: "native", or "unavailable: " and the reason.
 */
const char *feature_left_state(enum feature feature)
{
	return left_states[feature];
}
