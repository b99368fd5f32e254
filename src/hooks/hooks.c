// SPDX-License-Identifier: GPL-2.0-only
/* Attaching, proving, arming and detaching redirects, one group at a time. */
#include <linux/sched.h>
#include <linux/sysfs.h>

#include "hooks.h"

static const enum feature group_feature[HOOK_GROUPS] = {
	[HOOKS_FOR_SLOTS] = FEATURE_GUEST_MEMFD,
	[HOOKS_FOR_HUGE_SLOTS] = FEATURE_HUGE_MAPPINGS,
	[HOOKS_FOR_PRIVATE_PAGES] = FEATURE_PRIVATE_POLICY,
	[HOOKS_FOR_FILES] = FEATURE_GUEST_MEMFD,
	[HOOKS_FOR_PRIVATE_FILES] = FEATURE_PRIVATE_POLICY,
	[HOOKS_ADVERTISE] = FEATURE_GUEST_MEMFD,
	[HOOKS_TSC_VM_GATE] = FEATURE_TSC_VM_GATE,
	[HOOKS_TSC_VCPU_GATE] = FEATURE_TSC_VCPU_GATE,
};

/* A chain of comparisons, because a table of functions would need an indirect call. */
static __always_inline void hooks_dispatch(enum hook_group group, unsigned long ip,
					   struct ftrace_regs *fregs)
{
#define X(name, of)						\
	if ((of) == group && ip == redirect_##name.site) {	\
		redirect_intercept_##name(fregs);		\
		return;						\
	}
	COMPAT_HOOKS(X)
#undef X
}

#define DEFINE_HOOKS_CALLBACK(name, group)						\
	static void notrace name(unsigned long ip, unsigned long parent_ip,		\
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)	\
	{										\
		hooks_dispatch(group, ip, fregs);					\
	}

DEFINE_HOOKS_CALLBACK(slots_callback, HOOKS_FOR_SLOTS)
DEFINE_HOOKS_CALLBACK(huge_slots_callback, HOOKS_FOR_HUGE_SLOTS)
DEFINE_HOOKS_CALLBACK(private_pages_callback, HOOKS_FOR_PRIVATE_PAGES)
DEFINE_HOOKS_CALLBACK(files_callback, HOOKS_FOR_FILES)
DEFINE_HOOKS_CALLBACK(private_files_callback, HOOKS_FOR_PRIVATE_FILES)
DEFINE_HOOKS_CALLBACK(advertise_callback, HOOKS_ADVERTISE)
DEFINE_HOOKS_CALLBACK(tsc_vm_gate_callback, HOOKS_TSC_VM_GATE)
DEFINE_HOOKS_CALLBACK(tsc_vcpu_gate_callback, HOOKS_TSC_VCPU_GATE)

static struct ftrace_ops hooks_ops[HOOK_GROUPS] = {
	[HOOKS_FOR_SLOTS] = REDIRECT_OPS(slots_callback),
	[HOOKS_FOR_HUGE_SLOTS] = REDIRECT_OPS(huge_slots_callback),
	[HOOKS_FOR_PRIVATE_PAGES] = REDIRECT_OPS(private_pages_callback),
	[HOOKS_FOR_FILES] = REDIRECT_OPS(files_callback),
	[HOOKS_FOR_PRIVATE_FILES] = REDIRECT_OPS(private_files_callback),
	[HOOKS_ADVERTISE] = REDIRECT_OPS(advertise_callback),
	[HOOKS_TSC_VM_GATE] = REDIRECT_OPS(tsc_vm_gate_callback),
	[HOOKS_TSC_VCPU_GATE] = REDIRECT_OPS(tsc_vcpu_gate_callback),
};

static struct redirect_list hooks_of(enum hook_group group)
{
	struct redirect_list list = {};

#define X(name, of)						\
	if ((of) == group)					\
		list.redirect[list.n++] = &redirect_##name;
	COMPAT_HOOKS(X)
#undef X
	return list;
}

/**
 * hooks_feature() - the feature that a group of redirects is for
 * @group: the group
 */
enum feature hooks_feature(enum hook_group group)
{
	return group_feature[group];
}

/* The replacements of all groups that were proven are in force. */
static bool hooks_armed;

static void hooks_arm_group(enum hook_group group)
{
#define X(name, of)						\
	if ((of) == group)					\
		redirect_arm(&redirect_##name);
	COMPAT_HOOKS(X)
#undef X
}

/* Show that every redirect of a group fires. */
static int hooks_prove(enum hook_group group, const char *what)
{
	struct canary *c = canary_create();
	int err = 0;

	if (!c)
		return -ENOMEM;

#define X(name, of)							\
	if (!err && (of) == group) {					\
		redirect_prove_begin(&redirect_##name);			\
		hook_prove_##name(c);					\
		err = redirect_prove_end(&redirect_##name, what);	\
	}
	COMPAT_HOOKS(X)
#undef X

	canary_destroy(c);
	return err;
}

static bool group_proven[HOOK_GROUPS];

/*
 * Redirects that have been proven once are only checked for patched text when they are attached
 * again.
 */
static int hooks_check(enum hook_group group, const struct redirect_list *list, const char *what)
{
	int err;

	if (group_proven[group])
		return redirects_check(list, what);

	err = hooks_prove(group, what);
	if (err)
		return err;

	group_proven[group] = true;
	if (hooks_armed)
		hooks_arm_group(group);
	return 0;
}

/**
 * hooks_attach() - attach a group of redirects
 * @group: a group of a feature of ours. Nothing is done if it is attached already, as it still
 *	   is if ftrace switched itself off before it could be detached
 * @what: for log_refused(), what is not done if this fails
 *
 * Before hooks_arm() the redirects pass calls through. Afterwards their replacements are in
 * force when this returns.
 *
 * Context: may sleep; the caller serialises calls.
 * Return: 0, or an error after one line in the log that names the cause: as redirects_attach();
 *	   -ENXIO if a redirect does not fire; -ENOMEM.
 */
int hooks_attach(enum hook_group group, const char *what)
{
	struct redirect_list list = hooks_of(group);
	int err;

	if (!list.n || redirects_attached(&hooks_ops[group]))
		return 0;

	err = redirects_attach(&hooks_ops[group], &list, what);
	if (err)
		return err;

	err = hooks_check(group, &list, what);
	if (err)
		hooks_detach(group);
	return err;
}

/**
 * hooks_detach() - detach a group of redirects
 * @group: the group; nothing is done if it is not attached
 *
 * Context: sleeps for an RCU tasks grace period; the caller serialises calls.
 * Return: 0; or -EBUSY or -ENODEV as redirects_remove(), and the redirects stay attached.
 */
int hooks_detach(enum hook_group group)
{
	struct redirect_list list = hooks_of(group);

	return redirects_remove(&hooks_ops[group], &list);
}

/**
 * hooks_traced() - why hooks_detach() has returned -EBUSY
 * @group: the group
 *
 * Return: the name of a function that is traced, or NULL if none is traced any longer.
 */
const char *hooks_traced(enum hook_group group)
{
	struct redirect_list list = hooks_of(group);

	return redirects_traced(&list);
}

/**
 * hooks_detect_tsc_gate() - does KVM itself have the TSC gate of VMs?
 *
 * Context: module init, before any redirect is attached.
 * Return: 1 or 0; -ENOMEM; or -ENOENT or -EINVAL after one line in the log that says what is
 *	   wrong.
 */
int hooks_detect_tsc_gate(void)
{
	struct canary *c = canary_create();
	int r;

	if (!c)
		return -ENOMEM;

	r = hook_detect_arch_vm_ioctl(c);
	canary_destroy(c);
	return r;
}

/**
 * hooks_find() - find the functions that a feature redirects
 * @feature: the feature
 *
 * Context: module init.
 * Return: 0, -ENOMEM, or -ENOENT after one line in the log that names a missing function.
 */
int hooks_find(enum feature feature)
{
	struct redirect_list list = {};

#define X(name, group)							\
	if (group_feature[group] == feature)				\
		list.redirect[list.n++] = &redirect_##name;
	COMPAT_HOOKS(X)
#undef X
	return redirects_find(&list, feature_refused(feature));
}

/**
 * hooks_list() - list the redirected functions, one a line
 * @buf: a page, as given to a show() function of sysfs
 *
 * Each is "attached", or "idle" if nothing on the host needs it right now.
 *
 * Return: the length of the text.
 */
ssize_t hooks_list(char *buf)
{
	ssize_t len = 0;

#define X(name, group)							\
	if (feature_is_ours(group_feature[group]) ||			\
	    redirects_attached(&hooks_ops[group]))			\
		len += sysfs_emit_at(buf, len, "%s %s\n", redirect_##name.symbol,	\
				     redirects_attached(&hooks_ops[group]) ?		\
				     "attached" : "idle");
	COMPAT_HOOKS(X)
#undef X
	return len;
}

/**
 * hooks_arm() - put the replacements of all features of ours into force
 *
 * A redirect that was attached for a feature which was then left out, with force, is not armed
 * and passes calls through. A redirect that is attached for the first time later is armed then.
 *
 * Context: module init, as its last step: from here on, user space can hold files of this module.
 */
void hooks_arm(void)
{
	enum hook_group group;

	hooks_armed = true;
	for (group = 0; group < HOOK_GROUPS; group++) {
		if (feature_is_ours(group_feature[group]) && group_proven[group])
			hooks_arm_group(group);
	}
}

/**
 * hooks_disarm() - let every new call pass through
 *
 * Context: module exit, as its first step. No reference to the module is left, so there is no
 *	    file of ours and no bound slot, and the order of redirects does not matter. What is
 *	    known of KVM's own files is forgotten at the end.
 */
void hooks_disarm(void)
{
#define X(name, group) redirect_disarm(&redirect_##name);
	COMPAT_HOOKS(X)
#undef X
}

/* A module exit cannot fail, and must not go on while KVM's text leads to this module. */
static void hooks_detach_at_last(enum hook_group group)
{
	bool said = false;
	int err;

	while ((err = hooks_detach(group)) == -EBUSY) {
		const char *traced = hooks_traced(group);

		if (traced && !said)
			pr_warn("unload waits: %s is traced by BPF, and this CPU has IBT; detach that\n",
				traced);
		said |= !!traced;
		schedule_timeout_idle(HZ / 10);
	}
	if (err)
		redirects_strand(&hooks_ops[group]);
}

/**
 * hooks_remove() - detach every redirect and wait for calls in flight
 *
 * Context: module init or exit; no redirect is armed, and demand_start() was not called or
 *	    demand_stop() was.
 */
void hooks_remove(void)
{
	enum hook_group group;

	for (group = 0; group < HOOK_GROUPS; group++)
		hooks_detach_at_last(group);
	redirects_quiesce();
}
