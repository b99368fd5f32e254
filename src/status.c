// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module does on this kernel: /sys/module/kvm_gmem_numa/features/, and a line in the
 * log.
 */
#include <linux/module.h>
#include <linux/sysfs.h>

#include "features.h"
#include "hooks/hooks.h"
#include "status.h"

static const char *feature_state(enum feature feature)
{
	if (!feature_is_ours(feature))
		return feature_left_state(feature);
	if (feature != FEATURE_GUEST_MEMFD && !READ_ONCE(gmem_tsc_gate))
		return "off: parameter tsc_gate";
	return "active";
}

#define FEATURE_ATTRIBUTE(name, feature)					\
	static ssize_t name##_show(struct kobject *kobj,			\
				   struct kobj_attribute *attr, char *buf)	\
	{									\
		return sysfs_emit(buf, "%s\n", feature_state(feature));		\
	}									\
	static struct kobj_attribute name##_attr = __ATTR_RO(name)

FEATURE_ATTRIBUTE(guest_memfd, FEATURE_GUEST_MEMFD);
FEATURE_ATTRIBUTE(tsc_vm_gate, FEATURE_TSC_VM_GATE);
FEATURE_ATTRIBUTE(tsc_vcpu_gate, FEATURE_TSC_VCPU_GATE);

/* One line for each function of kvm.ko that the features need redirected. */
static ssize_t redirects_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return hooks_list(buf);
}

static struct kobj_attribute redirects_attr = __ATTR_RO(redirects);

static struct attribute *features_attrs[] = {
	&guest_memfd_attr.attr,
	&tsc_vm_gate_attr.attr,
	&tsc_vcpu_gate_attr.attr,
	&redirects_attr.attr,
	NULL,
};

static const struct attribute_group features_group = {
	.attrs = features_attrs,
};

/*
 * A kobject of our own, because kernels differ in which parts of a module's own attributes are
 * const.
 */
static struct kobject *features_kobj;

/**
 * status_publish() - create the directory in sysfs
 *
 * Return: 0, -ENOMEM, or an error from sysfs.
 */
int status_publish(void)
{
	int err;

	features_kobj = kobject_create_and_add("features", &THIS_MODULE->mkobj.kobj);
	if (!features_kobj)
		return -ENOMEM;

	err = sysfs_create_group(features_kobj, &features_group);
	if (err)
		kobject_put(features_kobj);
	return err;
}

/**
 * status_withdraw() - remove the directory from sysfs
 */
void status_withdraw(void)
{
	sysfs_remove_group(features_kobj, &features_group);
	kobject_put(features_kobj);
}

/**
 * status_log() - write the features' states into the kernel's log, in one line
 */
void status_log(void)
{
	pr_info("guest_memfd %s; TSC gate of VMs %s, of vCPUs %s\n",
		feature_state(FEATURE_GUEST_MEMFD), feature_state(FEATURE_TSC_VM_GATE),
		feature_state(FEATURE_TSC_VCPU_GATE));
	if (gmem_force)
		pr_warn("loaded with force=Y, which is for testing: not for production\n");
}
