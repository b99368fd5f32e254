// SPDX-License-Identifier: GPL-2.0-only
/*
 * When redirects are attached: while anything on the host uses them, or while a parameter is set
 * that needs them. A live patch can take the functions whose redirects are detached.
 *
 * The users of redirects for slots are bound memslots, and those of redirects for private pages
 * are guest_memfds of KVM's own. The redirects for slots are attached before anybody can see the
 * first bound slot, and detached after the last one is gone. So a fault that is in progress while
 * text is patched belongs to a slot that is not bound, and the original handles it, which is also
 * what the replacement's wanted() would decide. Private pages are KVM's with or without a
 * redirect.
 *
 * attach_lock is held while text is patched, and while a detach waits for its grace period.
 * ftrace's locks, the allocator's and cpus_read_lock(), which ftrace takes, are inside it, so no
 * task that holds a lock of KVM's waits for it. The lock of the module's parameters is outside
 * it. demand_lock is a leaf. While a group has users, it is attached.
 */
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "../log.h"
#include "hooks.h"

static bool gmem_advertise = true;
bool gmem_tsc_gate = true;
bool gmem_private_policy = true;

/*
 * Detaching is delayed, because a VM that reboots deletes its slots and creates them again, and
 * because detaching is expensive for others: every CPU has to schedule, with ftrace's lock held.
 */
static unsigned int detach_delay = 60;
module_param(detach_delay, uint, 0644);
MODULE_PARM_DESC(detach_delay,
		 "Seconds from the last bound memslot or private guest_memfd until redirects are detached (default 60)");

#define NOT_SET "parameter not set"

static DEFINE_MUTEX(attach_lock);
static bool started; /* written with attach_lock and demand_lock held, read with either */
static DEFINE_SPINLOCK(demand_lock);
unsigned int demand_users[HOOK_GROUPS]; /* there, or about to be; demand_lock */

/* Attached only while there are users. */
static bool group_is_on_demand(enum hook_group group)
{
	return group == HOOKS_FOR_SLOTS || group == HOOKS_FOR_HUGE_SLOTS ||
	       group == HOOKS_FOR_PRIVATE_PAGES;
}

static bool group_is_wanted(enum hook_group group)
{
	switch (group) {
	case HOOKS_ADVERTISE:
		return gmem_advertise;
	case HOOKS_TSC_VM_GATE:
	case HOOKS_TSC_VCPU_GATE:
		return gmem_tsc_gate;
	case HOOKS_FOR_PRIVATE_FILES:
	case HOOKS_FOR_PRIVATE_PAGES:
		return gmem_private_policy;
	default:
		return true;
	}
}

/**
 * demand_load() - attach the redirects that a feature needs, as the parameters are set
 * @feature: a feature of ours
 *
 * Redirects that nothing uses yet are attached as well, so that they are proven now.
 * demand_start() detaches them.
 *
 * Context: module init.
 * Return: 0, or an error after one line in the log that names the cause; hooks_remove() must
 *	   then be called.
 */
int demand_load(enum feature feature)
{
	enum hook_group group;
	int err = 0;

	for (group = 0; group < HOOK_GROUPS && !err; group++) {
		if (hooks_feature(group) == feature && group_is_wanted(group))
			err = hooks_attach(group, feature_refused(feature));
	}
	return err;
}

static int demand_let_go(enum hook_group group)
{
	int err = hooks_detach(group);

	if (err == -EBUSY)
		log_refused(NOT_SET,
			    "%s is traced by BPF, and this CPU has IBT; detach that first\n",
			    hooks_traced(group) ?: "a function");
	return err;
}

/* Attach the redirects that the parameters call for, and detach the others. */
static int demand_switch(void)
{
	enum hook_group group;
	int err = 0;

	for (group = 0; group < HOOK_GROUPS && !err; group++) {
		if (group_is_on_demand(group) || !feature_is_ours(hooks_feature(group)))
			continue;
		err = group_is_wanted(group) ? hooks_attach(group, NOT_SET) : demand_let_go(group);
	}
	return err;
}

static int demand_param_set(const char *val, const struct kernel_param *kp)
{
	bool *value = kp->arg, was;
	int err;

	mutex_lock(&attach_lock);
	was = *value;
	err = param_set_bool(val, kp);
	if (!err && started) {
		err = demand_switch();
		if (err) {
			WRITE_ONCE(*value, was);
			demand_switch();
		}
	}
	mutex_unlock(&attach_lock);
	return err;
}

static const struct kernel_param_ops demand_param_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = demand_param_set,
	.get = param_get_bool,
};

module_param_cb(advertise, &demand_param_ops, &gmem_advertise, 0644);
__MODULE_PARM_TYPE(advertise, "bool");
MODULE_PARM_DESC(advertise,
		 "Report the capabilities of guest_memfd for VMs without private memory (default Y)");

module_param_cb(tsc_gate, &demand_param_ops, &gmem_tsc_gate, 0644);
__MODULE_PARM_TYPE(tsc_gate, "bool");
MODULE_PARM_DESC(tsc_gate,
		 "Refuse KVM_SET_TSC_KHZ on a VM with a vCPU, and on one with a protected TSC (default Y)");

module_param_cb(private_policy, &demand_param_ops, &gmem_private_policy, 0644);
__MODULE_PARM_TYPE(private_policy, "bool");
MODULE_PARM_DESC(private_policy,
		 "Place private memory of SEV-SNP and TDX guests by the policy of its shared half (default Y)");

/* Count one more user; the first one only if @or_first. Return whether the user was counted. */
static bool demand_count(enum hook_group group, bool or_first)
{
	bool counted;

	spin_lock(&demand_lock);
	counted = demand_users[group] || or_first;
	WRITE_ONCE(demand_users[group], demand_users[group] + counted);
	spin_unlock(&demand_lock);
	return counted;
}

static bool demand_is_over(enum hook_group group)
{
	bool over;

	spin_lock(&demand_lock);
	over = !demand_users[group];
	spin_unlock(&demand_lock);
	return over;
}

static struct delayed_work demand_work[HOOK_GROUPS]; /* of groups on demand */

static void demand_detach_later(enum hook_group group, unsigned int seconds)
{
	spin_lock(&demand_lock);
	/* Not mod_delayed_work(), which wants the name of a workqueue: kernels differ in that. */
	if (!demand_users[group] && started) {
		cancel_delayed_work(&demand_work[group]);
		schedule_delayed_work(&demand_work[group], seconds * (u64)HZ);
	}
	spin_unlock(&demand_lock);
}

static void demand_detach(enum hook_group group)
{
	int err = 0;

	mutex_lock(&attach_lock);
	if (demand_is_over(group))
		err = hooks_detach(group);
	mutex_unlock(&attach_lock);
	/* A BPF program traces one of the functions: try again later. */
	if (err == -EBUSY)
		demand_detach_later(group, max(READ_ONCE(detach_delay), 1U));
}

static void demand_work_fn(struct work_struct *work)
{
	demand_detach(to_delayed_work(work) - demand_work);
}

/**
 * demand_get() - demand redirects for somebody who is about to need them
 * @group: a group that is attached on demand, of a feature of ours
 * @what: for log_refused(), what is not done if this fails
 *
 * Attaches them, which patches text, for the first user on the host.
 *
 * Context: may sleep; no locks of KVM's held, the module held. The first user waits for a grace
 *	    period if a detach has just begun.
 * Return: 0; -EINTR at a fatal signal; or an error after one line in the log that names its
 *	   cause, as hooks_attach().
 */
int demand_get(enum hook_group group, const char *what)
{
	int err;

	if (demand_count(group, false))
		return 0;

	err = mutex_lock_killable(&attach_lock);
	if (err)
		return err;

	err = hooks_attach(group, what);
	if (!err)
		demand_count(group, true);
	mutex_unlock(&attach_lock);
	return err;
}

/**
 * demand_put() - undo demand_get()
 * @group: the group
 *
 * Context: nobody can see what the redirects were needed for. Locks of KVM's may be held. The
 *	    module need not be held: what pinned it may be gone, and an unload may have begun.
 */
void demand_put(enum hook_group group)
{
	spin_lock(&demand_lock);
	WRITE_ONCE(demand_users[group], demand_users[group] - 1);
	spin_unlock(&demand_lock);
	demand_detach_later(group, READ_ONCE(detach_delay));
}

static void demand_set_started(bool value)
{
	mutex_lock(&attach_lock);
	spin_lock(&demand_lock);
	started = value;
	spin_unlock(&demand_lock);
	mutex_unlock(&attach_lock);
}

/**
 * demand_start() - detach the redirects that nothing uses, and follow demand from now on
 *
 * Context: module init, when the redirects of all our features are attached and proven, before
 *	    hooks_arm().
 */
void demand_start(void)
{
	enum hook_group group;

	for (group = 0; group < HOOK_GROUPS; group++)
		INIT_DELAYED_WORK(&demand_work[group], demand_work_fn);
	demand_set_started(true);

	for (group = 0; group < HOOK_GROUPS; group++) {
		if (group_is_on_demand(group))
			demand_detach(group);
	}
}

/**
 * demand_stop() - leave the redirects to hooks_remove()
 *
 * Context: module init or exit; no slot is bound, and no task is in demand_get().
 */
void demand_stop(void)
{
	enum hook_group group;

	demand_set_started(false);
	for (group = 0; group < HOOK_GROUPS; group++)
		cancel_delayed_work_sync(&demand_work[group]);
}
