// SPDX-License-Identifier: GPL-2.0-only
/*
 * Redirects that are attached only while something needs them: a bound slot anywhere on the
 * host, or a parameter. What is detached can be taken by a live patch.
 *
 * Those for slots are attached before the first bound slot can be seen, and detached when the
 * last one is gone: a fault that is under way while text is patched is one of a slot that is
 * not bound, which the original handles, as the replacement's wanted() would have it.
 *
 * attach_lock is held while text is patched, and while a detach waits for its grace
 * period. Inside it are ftrace's locks and the allocator's, and behind ftrace's
 * cpus_read_lock(), so nobody waits for it who holds a lock of KVM's. Outside it is the lock of
 * the module's parameters. demand_lock is a leaf; while demand_slots is not 0, what slots need
 * is attached.
 */
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "demand.h"
#include "hooks.h"

static bool gmem_advertise = true;
bool gmem_tsc_gate = true;

/*
 * Detached not at once: a VM that reboots deletes its slots and creates them again. And not
 * often, for it is dear to others: each CPU has to schedule, with ftrace's lock held.
 */
static unsigned int detach_delay = 60;
module_param(detach_delay, uint, 0644);
MODULE_PARM_DESC(detach_delay,
		 "Seconds after the last bound slot until what only those need is detached (default 60)");

#define NOT_SET "parameter not set"

static DEFINE_MUTEX(attach_lock);
static bool started; /* attach_lock and demand_lock; either to read */
static DEFINE_SPINLOCK(demand_lock);
unsigned int demand_slots; /* bound, or requested */

static bool group_is_wanted(enum hook_group group)
{
	switch (group) {
	case HOOKS_ADVERTISE:
		return gmem_advertise;
	case HOOKS_TSC_VM_GATE:
	case HOOKS_TSC_VCPU_GATE:
		return gmem_tsc_gate;
	default:
		return true;
	}
}

/**
 * demand_load() - attach what a feature needs, as the parameters are
 * @feature: a feature of ours
 *
 * What only slots need as well: it is proven now, and detached by demand_start().
 *
 * Context: module init.
 * Return: 0, or an error after one line that names the cause. Then hooks_remove() is to be called.
 */
int demand_load(enum feature feature)
{
	enum hook_group group;
	int err = 0;

	for (group = 0; group < HOOK_GROUPS && !err; group++) {
		if (hooks_feature(group) == feature && group_is_wanted(group))
			err = hooks_attach(group, FEATURE_REFUSED);
	}
	return err;
}

static int demand_let_go(enum hook_group group)
{
	int err = hooks_detach(group);

	if (err == -EBUSY)
		refused(NOT_SET, "%s is traced by BPF, and this CPU has IBT; detach that first\n",
			hooks_traced(group) ?: "a function");
	return err;
}

/* Attach what the parameters want, and detach what they do not. */
static int demand_switch(void)
{
	enum hook_group group;
	int err = 0;

	for (group = 0; group < HOOK_GROUPS && !err; group++) {
		if (group == HOOKS_FOR_SLOTS || !feature_is_ours(hooks_feature(group)))
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

/* Count one more slot, unless it is the first and that is not to be. Returns whether it was. */
static bool demand_count(bool or_first)
{
	bool counted;

	spin_lock(&demand_lock);
	counted = demand_slots || or_first;
	WRITE_ONCE(demand_slots, demand_slots + counted);
	spin_unlock(&demand_lock);
	return counted;
}

static bool demand_is_over(void)
{
	bool over;

	spin_lock(&demand_lock);
	over = !demand_slots;
	spin_unlock(&demand_lock);
	return over;
}

static void demand_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(demand_work, demand_work_fn);

static void demand_detach_later(unsigned int seconds)
{
	spin_lock(&demand_lock);
	if (!demand_slots && started)
		mod_delayed_work(system_wq, &demand_work, seconds * (u64)HZ);
	spin_unlock(&demand_lock);
}

static void demand_work_fn(struct work_struct *work)
{
	int err = 0;

	mutex_lock(&attach_lock);
	if (demand_is_over())
		err = hooks_detach(HOOKS_FOR_SLOTS);
	mutex_unlock(&attach_lock);
	/* Somebody traces: later, then. */
	if (err == -EBUSY)
		demand_detach_later(max(READ_ONCE(detach_delay), 1U));
}

/**
 * hooks_get_slots() - a slot is about to be bound
 *
 * Context: may sleep, no locks of KVM's held; the module is. Text is patched if this is the
 *	    first; if the last one went detach_delay ago, may wait for a grace period.
 * Return: 0; -EINTR at a fatal signal; or an error after one line that names its cause, as
 *	   hooks_attach().
 */
int hooks_get_slots(void)
{
	int err;

	if (demand_count(false))
		return 0;

	err = mutex_lock_killable(&attach_lock);
	if (err)
		return err;

	err = hooks_attach(HOOKS_FOR_SLOTS, "memslot refused");
	if (!err)
		demand_count(true);
	mutex_unlock(&attach_lock);
	return err;
}

/**
 * hooks_put_slots() - it is no longer, or was not in the end
 *
 * Context: any locks of KVM's; no vCPU can see the slot. The module need not be held: the slot
 *	    that held it may be gone, and an unload be under way.
 */
void hooks_put_slots(void)
{
	spin_lock(&demand_lock);
	WRITE_ONCE(demand_slots, demand_slots - 1);
	spin_unlock(&demand_lock);
	demand_detach_later(READ_ONCE(detach_delay));
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
 * demand_start() - detach what only slots need; attach and detach as needed from now on
 *
 * Context: module init, when all that is ours is attached and proven, before hooks_arm().
 */
void demand_start(void)
{
	demand_set_started(true);
	demand_work_fn(NULL);
}

/**
 * demand_stop() - leave it to hooks_remove()
 *
 * Context: module exit; no slot is bound, and nobody is in hooks_get_slots().
 */
void demand_stop(void)
{
	demand_set_started(false);
	cancel_delayed_work_sync(&demand_work);
}
