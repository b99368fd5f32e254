// SPDX-License-Identifier: GPL-2.0-only
/* All redirects that the features need, or none. */
#include <linux/sysfs.h>

#include "hooks.h"

/* Compares, because the way by a table of functions would be an indirect call. */
void notrace hooks_callback(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			    struct ftrace_regs *fregs)
{
#define X(name, served, when)				\
	if (ip == redirect_##name.site) {		\
		redirect_intercept_##name(fregs);	\
		return;					\
	}
	COMPAT_HOOKS(X)
#undef X
}

static DEFINE_REDIRECT_OPS(hooks_ops, hooks_callback);

/* Those of some features, as bits. */
static struct redirect_list hooks_serving(unsigned long features)
{
	struct redirect_list list = {};

#define X(name, served, when)						\
	if (features & BIT(served))					\
		list.redirect[list.n++] = &redirect_##name;
	COMPAT_HOOKS(X)
#undef X
	return list;
}

/**
 * hooks_of() - the redirects that are attached at one time
 * @which: when
 *
 * Return: those of the features that the module provides.
 */
struct redirect_list hooks_of(enum hook_when which)
{
	struct redirect_list list = {};

#define X(name, served, when)						\
	if ((when) == which && feature_is_ours(served))			\
		list.redirect[list.n++] = &redirect_##name;
	COMPAT_HOOKS(X)
#undef X
	return list;
}

/**
 * hooks_detect_tsc_gate() - has KVM the TSC gate of VMs itself?
 *
 * Context: module init, before anything is installed.
 * Return: 1 or 0; -ENOMEM, or -ENOENT or -EINVAL after one line that says what
 *	   is wrong.
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
 * Return: 0, -ENOMEM, or -ENOENT after one line that names a function that is missing.
 */
int hooks_find(enum feature feature)
{
	struct redirect_list list = hooks_serving(BIT(feature));

	return redirects_find(&list);
}

/**
 * hooks_attach() - attach every redirect of some features; calls still pass through
 * @features: as bits; all at once, but with force, see redirects_attach()
 *
 * Context: module init.
 * Return: 0, or an error after one line that names the cause. Then
 *	   hooks_remove() is to be called.
 */
int hooks_attach(unsigned long features)
{
	struct redirect_list list = hooks_serving(features);

	return list.n ? redirects_attach(&hooks_ops, &list) : 0;
}

/**
 * hooks_prove() - show that every redirect of a feature fires
 * @feature: the feature; its redirects are attached
 *
 * Context: module init.
 * Return: 0, -ENOMEM, or -ENXIO after one line that names the function.
 */
int hooks_prove(enum feature feature)
{
	struct canary *c = canary_create();
	int err = 0;

	if (!c)
		return -ENOMEM;

#define X(name, served, when)							\
	if (!err && (served) == feature) {				\
		redirect_prove_begin(&redirect_##name);				\
		hook_prove_##name(c);						\
		err = redirect_prove_end(&redirect_##name);			\
	}
	COMPAT_HOOKS(X)
#undef X

	canary_destroy(c);
	return err;
}

/**
 * hooks_list() - the functions that are redirected, one a line
 * @buf: a page, as sysfs hands it out
 *
 * "attached", or "idle" for one that nothing on the host needs right now.
 *
 * Return: length of the text.
 */
ssize_t hooks_list(char *buf)
{
	ssize_t len = 0;

#define X(name, served, when)						\
	if (feature_is_ours(served) || READ_ONCE(redirect_##name.attached))	\
		len += sysfs_emit_at(buf, len, "%s %s\n", redirect_##name.symbol, \
				     READ_ONCE(redirect_##name.attached) ? "attached" : "idle");
	COMPAT_HOOKS(X)
#undef X
	return len;
}

/**
 * hooks_settle() - all redirects are proven; detach those that nothing needs yet
 *
 * When something does, demand.c attaches them.
 *
 * Context: module init.
 * Return: 0 or -ENOMEM.
 */
int hooks_settle(void)
{
	struct redirect_list slots = hooks_of(HOOK_FOR_SLOTS);
	struct redirect_list failures = hooks_of(HOOK_FOR_FAILURES);

	return redirects_detach(&hooks_ops, &slots) ?: redirects_detach(&hooks_ops, &failures);
}

/**
 * hooks_arm() - put every replacement into force that a feature of ours needs
 *
 * Those that were attached for a feature which was then left out, with force,
 * stay as they are, and pass calls through.
 *
 * Context: module init, as its last step: from here on, user space can hold
 *	    files of this module.
 */
void hooks_arm(void)
{
	demand_start();

#define X(name, served, when)				\
	if (feature_is_ours(served))			\
		redirect_arm(&redirect_##name);
	COMPAT_HOOKS(X)
#undef X
}

/**
 * hooks_disarm() - let every new call pass through
 *
 * Context: module exit, as its first step. Its references are all gone, so no
 *	    file and no bound slot is left, and the order no longer matters.
 */
void hooks_disarm(void)
{
#define X(name, served, when) redirect_disarm(&redirect_##name);
	COMPAT_HOOKS(X)
#undef X
}

/**
 * hooks_remove() - detach every redirect and wait for calls in flight
 *
 * Context: module init or exit, not armed.
 */
void hooks_remove(void)
{
	struct redirect_list list = hooks_of(HOOK_ALWAYS);
	int err = demand_stop();

	if (redirects_remove(&hooks_ops, &list) || err)
		redirects_strand();
	redirects_quiesce();
}
