// SPDX-License-Identifier: GPL-2.0-only
/* What the module does on this kernel: /sys/module/kvm_gmem_numa/features/. */
#include <linux/module.h>
#include <linux/sysfs.h>

#include "compat/kvm_tsc.h"
#include "features.h"
#include "hooks/hooks.h"

static const char *guest_memfd_state(void)
{
	return "active";
}

static const char *tsc_vm_gate_state(void)
{
	return READ_ONCE(gmem_tsc_gate) ? "active" : "off: parameter tsc_gate";
}

static const char *tsc_vcpu_gate_state(void)
{
	return "unavailable: " COMPAT_TSC_VCPU_GATE_ABSENT;
}

#define FEATURE(name)								\
	static ssize_t name##_show(struct module_attribute *attr,		\
				   struct module_kobject *mk, char *buf)	\
	{									\
		return sysfs_emit(buf, "%s\n", name##_state());			\
	}									\
	static struct module_attribute name##_attr = __ATTR_RO(name)

FEATURE(guest_memfd);
FEATURE(tsc_vm_gate);
FEATURE(tsc_vcpu_gate);

static struct attribute *features_attrs[] = {
	&guest_memfd_attr.attr,
	&tsc_vm_gate_attr.attr,
	&tsc_vcpu_gate_attr.attr,
	NULL,
};

static const struct attribute_group features_group = {
	.name = "features",
	.attrs = features_attrs,
};

/**
 * features_publish() - create the directory in sysfs
 *
 * Return: 0 or what sysfs says.
 */
int features_publish(void)
{
	return sysfs_create_group(&THIS_MODULE->mkobj.kobj, &features_group);
}

/**
 * features_withdraw() - remove it
 */
void features_withdraw(void)
{
	sysfs_remove_group(&THIS_MODULE->mkobj.kobj, &features_group);
}

/**
 * features_log() - the same, as one line in the kernel's log
 */
void features_log(void)
{
	pr_info("guest_memfd %s; TSC gate of VMs %s, of vCPUs %s\n", guest_memfd_state(),
		tsc_vm_gate_state(), tsc_vcpu_gate_state());
}
