// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload. */
#include <linux/module.h>

#include "features.h"
#include "gmem/gmem.h"
#include "hooks/hooks.h"

bool gmem_advertise = true;
module_param_named(advertise, gmem_advertise, bool, 0644);
MODULE_PARM_DESC(advertise,
		 "Report the capabilities of guest_memfd for VMs without private memory (default Y)");

bool gmem_tsc_gate = true;
module_param_named(tsc_gate, gmem_tsc_gate, bool, 0644);
MODULE_PARM_DESC(tsc_gate,
		 "Refuse KVM_SET_TSC_KHZ on a VM with a vCPU, and on one with a protected TSC (default Y)");

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

static int __init gmem_prepare_feature(enum feature feature)
{
	int err = 0;

	if (feature_is_ours(FEATURE_GUEST_MEMFD) && feature == FEATURE_GUEST_MEMFD)
		err = gmem_start();

	return err ?: hooks_find(feature);
}

/* With force, each by itself: one of them is not to be in the way of another. */
static int __init gmem_attach_features(void)
{
	enum feature feature;

	if (!gmem_force)
		return hooks_attach(features_ours);

	for (feature = 0; feature < FEATURES; feature++) {
		if (feature_is_ours(feature))
			gmem_or_leave(feature, hooks_attach(BIT(feature)));
	}
	return 0;
}

/* All that are ours; with force, all that can be had. */
static int __init gmem_start_features(void)
{
	enum feature feature;
	int err = 0;

	for (feature = 0; feature < FEATURES && !err; feature++) {
		if (feature_is_ours(feature))
			err = gmem_or_leave(feature, gmem_prepare_feature(feature));
	}

	err = err ?: gmem_attach_features();

	for (feature = 0; feature < FEATURES && !err; feature++) {
		if (feature_is_ours(feature))
			err = gmem_or_leave(feature, hooks_prove(feature));
	}
	return err ?: hooks_settle();
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
	gmem_stop_features();
}

module_init(gmem_init);
module_exit(gmem_exit);

MODULE_AUTHOR("The kvm-gmem-numa developers");
MODULE_DESCRIPTION("NUMA policy for KVM guest_memfd, and KVM_SET_TSC_KHZ gating");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
