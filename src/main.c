// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload. */
#include <linux/module.h>

#include "features.h"
#include "gmem/gmem.h"
#include "hooks/demand.h"
#include "hooks/hooks.h"

bool gmem_force;
module_param_named(force, gmem_force, bool, 0444);
MODULE_PARM_DESC(force,
		 "For testing: load without what this kernel does not allow, not refuse (default N)");

/* Where no feature is ours, nothing else here makes modprobe load kvm first. */
static void (*const needs_kvm)(struct kvm *kvm) __used = kvm_put_kvm;

/* With force, a feature that cannot be had is left out. */
static int __init gmem_or_leave(enum feature feature, int err)
{
	if (!err || !gmem_force)
		return err;
	feature_leave(feature, "unavailable: loaded with force, see dmesg");
	return 0;
}

static int __init gmem_start_feature(enum feature feature)
{
	int err = 0;

	if (feature_is_ours(FEATURE_GUEST_MEMFD) && feature == FEATURE_GUEST_MEMFD)
		err = gmem_start();

	return err ?: hooks_find(feature) ?: demand_load(feature);
}

/* All that are ours; with force, all that can be had. */
static int __init gmem_start_features(void)
{
	enum feature feature;
	int err = 0;

	for (feature = 0; feature < FEATURES && !err; feature++) {
		if (feature_is_ours(feature))
			err = gmem_or_leave(feature, gmem_start_feature(feature));
	}
	return err;
}

static void gmem_stop_features(void)
{
	hooks_remove();
	if (COMPAT_BUILDS_GUEST_MEMFD)
		gmem_stop();
}

static int __init gmem_init(void)
{
	int err;

	err = features_detect();
	if (err)
		return err;

	err = gmem_start_features();
	if (err)
		goto err_features;

	err = features_publish();
	if (err)
		goto err_features;

	features_log();
	demand_start();
	hooks_arm();
	return 0;

err_features:
	gmem_stop_features();
	return err;
}

static void __exit gmem_exit(void)
{
	hooks_disarm();
	features_withdraw();
	demand_stop();
	gmem_stop_features();
}

module_init(gmem_init);
module_exit(gmem_exit);

MODULE_AUTHOR("The kvm-gmem-numa developers");
MODULE_DESCRIPTION("NUMA policy for KVM guest_memfd, and KVM_SET_TSC_KHZ gating");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
