// SPDX-License-Identifier: GPL-2.0-only
/*
 * When redirects are attached: while any memslot of the host is bound, or while a parameter is
 * set that needs them. A live patch can take the functions whose redirects are detached.
 *
 * The redirects for slots are attached before anybody can see the first bound slot, and detached
 * after the last one is gone. So a fault that is in progress while text is patched belongs to a
 * slot that is not bound, and the original handles it, which is also what the replacement's
 * wanted() would decide.
 *
 * attach_lock is held while text is patched, and while a detach waits for its grace period.
 * ftrace's locks, the allocator's and cpus_read_lock(), which ftrace takes, are inside it, so no
 * task that holds a lock of KVM's waits for it. The lock of the module's parameters is outside
 * it. demand_lock is a leaf. While demand_slots is not 0, the redirects for slots are attached.
 */
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "../log.h"
#include "hooks.h"

static bool gmem_advertise = true;
bool gmem_tsc_gate = true;

/*
 * Detaching is delayed, because a VM that reboots deletes its slots and creates them again, and
 * because detaching is expensive for others: every CPU has to schedule, with ftrace's lock held.
 */
static unsigned int detach_delay = 60;
module_param(detach_delay, uint, 0644);
MODULE_PARM_DESC(detach_delay,
		 "Seconds from the last bound memslot until the redirects for memslots are detached (default 60)");

#define NOT_SET "parameter not set"

static DEFINE_MUTEX(attach_lock);
static bool started; /* written with attach_lock and demand_lock held, read with either */
static DEFINE_SPINLOCK(demand_lock);
unsigned int demand_slots; /* bound or about to be; demand_lock */

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
 * demand_load() - attach the redirects that a feature needs, as the parameters are set
 * @feature: a feature of ours
 *
 * The redirects for slots are attached as well, so that they are proven now. demand_start()
 * detaches them.
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
			err = hooks_attach(group, LOAD_REFUSED);
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

/* Count one more slot; the first one only if @or_first. Return whether the slot was counted. */
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
	/* A BPF program traces one of the functions: try again later. */
	if (err == -EBUSY)
		demand_detach_later(max(READ_ONCE(detach_delay), 1U));
}

/**
 * demand_get_slot() - demand the redirects for slots, for a slot that is about to be bound
 *
 * Attaches them, which patches text, if this is the first slot of the host.
 *
 * Context: may sleep; no locks of KVM's held, the module held. The first slot waits for a grace
 *	    period if a detach has just begun.
 * Return: 0; -EINTR at a fatal signal; or an error after one line in the log that names its
 *	   cause, as hooks_attach().
 */
int demand_get_slot(void)
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
 * demand_put_slot() - undo demand_get_slot(), when the slot is freed or was not bound after all
 *
 * Context: no vCPU can see the slot. Locks of KVM's may be held. The module need not be held:
 *	    the slot that pinned it may be gone, and an unload may have begun.
 */
void demand_put_slot(void)
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
 * demand_start() - detach the redirects for slots, and follow demand from now on
 *
 * Context: module init, when the redirects of all our features are attached and proven, before
 *	    hooks_arm().
 */
void demand_start(void)
{
	demand_set_started(true);
	demand_work_fn(NULL);
}

/**
 * demand_stop() - leave the redirects to hooks_remove()
 *
 * Context: module init or exit; no slot is bound, and no task is in demand_get_slot().
 */
void demand_stop(void)
{
	demand_set_started(false);
	cancel_delayed_work_sync(&demand_work);
}
