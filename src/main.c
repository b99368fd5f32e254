// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload. */
#include <linux/module.h>

#include "features.h"
#include "gmem/gmem.h"
#include "hooks/hooks.h"
#include "symbol/symbol.h"

bool gmem_advertise = true;
module_param_named(advertise, gmem_advertise, bool, 0644);
MODULE_PARM_DESC(advertise,
		 "Report KVM_CAP_GUEST_MEMFD and KVM_CAP_GUEST_MEMFD_FLAGS for VMs without private memory (default Y)");

bool gmem_tsc_gate = true;
module_param_named(tsc_gate, gmem_tsc_gate, bool, 0644);
MODULE_PARM_DESC(tsc_gate, "Refuse KVM_SET_TSC_KHZ on a VM that has a vCPU (default Y)");

static int __init gmem_init(void)
{
	int err;

	err = symbols_resolve();
	if (err)
		return err;

	err = gmem_fs_create();
	if (err)
		return err;

	err = hooks_install();
	if (err)
		goto err_fs;

	err = hooks_prove();
	if (err)
		goto err_hooks;

	err = features_publish();
	if (err)
		goto err_hooks;

	features_log();
	hooks_arm();
	return 0;

err_hooks:
	hooks_remove();
err_fs:
	gmem_fs_destroy();
	return err;
}

static void __exit gmem_exit(void)
{
	hooks_disarm();
	features_withdraw();
	hooks_remove();
	gmem_fs_destroy();
}

module_init(gmem_init);
module_exit(gmem_exit);

MODULE_AUTHOR("The kvm-gmem-numa developers");
MODULE_DESCRIPTION("NUMA policy for KVM guest_memfd, and KVM_SET_TSC_KHZ gating");
MODULE_LICENSE("GPL");
MODULE_VERSION(GMEM_VERSION);
