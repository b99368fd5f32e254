// SPDX-License-Identifier: GPL-2.0-only
/* What the module does on this kernel: /sys/module/kvm_gmem_numa/features/. */
#include <linux/module.h>
#include <linux/sysfs.h>

#include "features.h"
#include "hooks/demand.h"
#include "hooks/hooks.h"
#include "symbol/symbol.h"

/* As bits. Settled before anything is armed, and constant from then on. */
unsigned long features_ours =
	(COMPAT_BUILDS_GUEST_MEMFD ? BIT(FEATURE_GUEST_MEMFD) : 0) |
	BIT(FEATURE_TSC_VM_GATE) |
	(COMPAT_BUILDS_TSC_VCPU_GATE ? BIT(FEATURE_TSC_VCPU_GATE) : 0);

/* What to say of the others. */
static const char *left_states[FEATURES] = {
	[FEATURE_GUEST_MEMFD] = COMPAT_GUEST_MEMFD_STATE,
	[FEATURE_TSC_VM_GATE] = "",
	[FEATURE_TSC_VCPU_GATE] = COMPAT_TSC_VCPU_GATE_STATE,
};

/**
 * feature_leave() - do not provide a feature after all
 * @feature: the feature
 * @state: "native", or "unavailable: " and why; a constant
 *
 * Context: module init, before anything is armed.
 */
void feature_leave(enum feature feature, const char *state)
{
	features_ours &= ~BIT(feature);
	left_states[feature] = state;
}

/**
 * features_detect() - what the kernel has itself
 *
 * The headers tell what can be built. Whether KVM has the policy and the gates,
 * KVM is asked: a distribution may have brought them to any version.
 *
 * Context: module init.
 * Return: 0, -ENOMEM, or -ENOENT or -EINVAL after one line that says why.
 */
int features_detect(void)
{
	struct symbol_address policy = { SYMBOL_KVM, "kvm_gmem_set_policy" };
	int gate;

	if (symbols_find(&policy, 1))
		return -ENOMEM;

	if (policy.start)
		feature_leave(FEATURE_GUEST_MEMFD, "native");
	else if (!strcmp(left_states[FEATURE_GUEST_MEMFD], "native"))
		feature_leave(FEATURE_GUEST_MEMFD, "unavailable: built as native, and is not");

	gate = hooks_detect_tsc_gate();
	if (gate <= 0)
		return gate;

	feature_leave(FEATURE_TSC_VM_GATE, "native");
	/*
	 * Where there are protected TSCs: the gates are two patches of one series,
	 * and were merged together. A vCPU cannot be asked without a real one.
	 */
	if (COMPAT_BUILDS_TSC_VCPU_GATE)
		feature_leave(FEATURE_TSC_VCPU_GATE, "native");
	return 0;
}

static const char *feature_state(enum feature feature)
{
	if (!feature_is_ours(feature))
		return left_states[feature];
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

/* The functions of kvm.ko that are redirected for them, one a line. */
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
 * A kobject of our own: the attributes of a module's differ from kernel to kernel
 * in what is const.
 */
static struct kobject *features_kobj;

/**
 * features_publish() - create the directory in sysfs
 *
 * Return: 0, -ENOMEM, or what sysfs says.
 */
int features_publish(void)
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
 * features_withdraw() - remove it
 */
void features_withdraw(void)
{
	sysfs_remove_group(features_kobj, &features_group);
	kobject_put(features_kobj);
}

/**
 * features_log() - the same, as one line in the kernel's log
 */
void features_log(void)
{
	pr_info("guest_memfd %s; TSC gate of VMs %s, of vCPUs %s\n",
		feature_state(FEATURE_GUEST_MEMFD), feature_state(FEATURE_TSC_VM_GATE),
		feature_state(FEATURE_TSC_VCPU_GATE));
	if (gmem_force)
		pr_warn("loaded with force=Y, which is for testing: not for production\n");
}
