// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module does on this kernel: /sys/module/kvm_gmem_numa/features/ and private_pages/, and
 * a line in the log.
 */
#include <linux/module.h>
#include <linux/sysfs.h>

#include "features.h"
#include "gmem/gmem.h"
#include "hooks/hooks.h"
#include "private/private.h"
#include "status.h"

static const char *feature_state(enum feature feature)
{
	if (!feature_is_ours(feature))
		return feature_left_state(feature);
	switch (feature) {
	case FEATURE_GUEST_MEMFD:
		return "active";
	case FEATURE_HUGE_MAPPINGS:
		return gmem_huge_of_new_file() ? "active" : "off: parameter huge";
	case FEATURE_PRIVATE_POLICY:
		return READ_ONCE(gmem_private_policy) ? "active" : "off: parameter private_policy";
	default:
		return READ_ONCE(gmem_tsc_gate) ? "active" : "off: parameter tsc_gate";
	}
}

#define FEATURE_ATTRIBUTE(name, feature)					\
	static ssize_t name##_show(struct kobject *kobj,			\
				   struct kobj_attribute *attr, char *buf)	\
	{									\
		return sysfs_emit(buf, "%s\n", feature_state(feature));		\
	}									\
	static struct kobj_attribute name##_attr = __ATTR_RO(name)

FEATURE_ATTRIBUTE(guest_memfd, FEATURE_GUEST_MEMFD);
FEATURE_ATTRIBUTE(huge_mappings, FEATURE_HUGE_MAPPINGS);
FEATURE_ATTRIBUTE(private_policy, FEATURE_PRIVATE_POLICY);
FEATURE_ATTRIBUTE(tsc_vm_gate, FEATURE_TSC_VM_GATE);
FEATURE_ATTRIBUTE(tsc_vcpu_gate, FEATURE_TSC_VCPU_GATE);

/* One line for each function of kvm.ko that the features need redirected. */
static ssize_t redirects_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return hooks_list(buf);
}

static struct kobj_attribute redirects_attr = __ATTR_RO(redirects);

/* Pages since the module was loaded. */
#define PAGES_ATTRIBUTE(name, what)						\
	static ssize_t name##_show(struct kobject *kobj,			\
				   struct kobj_attribute *attr, char *buf)	\
	{									\
		return sysfs_emit(buf, "%lu\n", COMPAT_BUILDS_PRIVATE_POLICY ?	\
				  private_counted(what) : 0);			\
	}									\
	static struct kobj_attribute name##_attr = __ATTR_RO(name)

PAGES_ATTRIBUTE(placed, PRIVATE_PLACED);
PAGES_ATTRIBUTE(refused, PRIVATE_REFUSED);
PAGES_ATTRIBUTE(unmapped, PRIVATE_UNMAPPED);
PAGES_ATTRIBUTE(foreign, PRIVATE_FOREIGN);
PAGES_ATTRIBUTE(movable, PRIVATE_MOVABLE);

static struct attribute *private_pages_attrs[] = {
	&placed_attr.attr,
	&refused_attr.attr,
	&unmapped_attr.attr,
	&foreign_attr.attr,
	&movable_attr.attr,
	NULL,
};

static const struct attribute_group private_pages_group = {
	.name = "private_pages",
	.attrs = private_pages_attrs,
};

static struct attribute *features_attrs[] = {
	&guest_memfd_attr.attr,
	&huge_mappings_attr.attr,
	&private_policy_attr.attr,
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
 * status_publish() - create the directories in sysfs
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
		goto err_kobj;

	err = sysfs_create_group(&THIS_MODULE->mkobj.kobj, &private_pages_group);
	if (err)
		goto err_features;
	return 0;

err_features:
	sysfs_remove_group(features_kobj, &features_group);
err_kobj:
	kobject_put(features_kobj);
	return err;
}

/**
 * status_withdraw() - remove the directories from sysfs
 */
void status_withdraw(void)
{
	sysfs_remove_group(&THIS_MODULE->mkobj.kobj, &private_pages_group);
	sysfs_remove_group(features_kobj, &features_group);
	kobject_put(features_kobj);
}

/**
 * status_log() - write the features' states into the kernel's log, in one line
 */
void status_log(void)
{
	pr_info("guest_memfd %s; huge mappings %s; private memory by policy %s; TSC gate of VMs %s, of vCPUs %s\n",
		feature_state(FEATURE_GUEST_MEMFD), feature_state(FEATURE_HUGE_MAPPINGS),
		feature_state(FEATURE_PRIVATE_POLICY),
		feature_state(FEATURE_TSC_VM_GATE), feature_state(FEATURE_TSC_VCPU_GATE));
	if (gmem_force)
		pr_warn("loaded with force=Y, which is for testing: not for production\n");
}
