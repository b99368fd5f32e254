// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload. */
#include <linux/module.h>

#include "detect.h"
#include "features.h"
#include "gmem/gmem.h"
#include "hooks/hooks.h"
#include "private/private.h"
#include "status.h"

/*
 * A reference to an export of kvm.ko, so that modprobe loads kvm.ko first also where no feature
 * is ours and the module would otherwise reference none.
 */
static void (*const needs_kvm)(struct kvm *kvm) __used = kvm_put_kvm;

/*
 * With force, a feature that cannot be provided is left out. So is private_policy if the parameter
 * is not set: an administrator can do without it where a function that it needs is missing or held.
 * Guests can always do without huge mappings.
 */
static int __init gmem_or_leave(enum feature feature, int err)
{
	const char *state = NULL;

	if (feature == FEATURE_PRIVATE_POLICY && !gmem_private_policy)
		state = "unavailable: loaded with private_policy=N, see dmesg";
	if (feature == FEATURE_HUGE_MAPPINGS)
		state = "unavailable: KVM's function cannot be redirected, see dmesg";
	if (gmem_force)
		state = "unavailable: loaded with force, see dmesg";
	if (!err || !state)
		return err;
	feature_leave(feature, state);
	return 0;
}

static int __init gmem_start_feature(enum feature feature)
{
	int err = 0;

	if (feature_is_ours(FEATURE_GUEST_MEMFD) && feature == FEATURE_GUEST_MEMFD)
		err = gmem_start();
	if (feature == FEATURE_HUGE_MAPPINGS && !feature_is_ours(FEATURE_GUEST_MEMFD))
		err = -ENODEV;
	if (feature_is_ours(FEATURE_PRIVATE_POLICY) && feature == FEATURE_PRIVATE_POLICY)
		err = private_symbols_resolve();

	return err ?: hooks_find(feature) ?: demand_load(feature);
}

/* All features that are ours or, with force, as many of them as this kernel allows. */
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
	if (COMPAT_BUILDS_PRIVATE_POLICY)
		private_files_forget();
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

	demand_start();
	err = status_publish();
	if (err)
		goto err_demand;

	status_log();
	hooks_arm();
	return 0;

err_demand:
	demand_stop();
err_features:
	gmem_stop_features();
	return err;
}

static void __exit gmem_exit(void)
{
	hooks_disarm();
	status_withdraw();
	demand_stop();
	gmem_stop_features();
}

module_init(gmem_init);
module_exit(gmem_exit);

MODULE_AUTHOR("The kvm-gmem-numa developers");
MODULE_DESCRIPTION("NUMA policy for KVM guest_memfd and private memory, and KVM_SET_TSC_KHZ gating");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
