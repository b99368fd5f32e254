// SPDX-License-Identifier: GPL-2.0-only
/*
 * Redirects that are attached only while something on the host needs them.
 *
 * They are attached before the first bound slot can be seen, and detached when the last
 * one is gone: a fault that is under way while text is patched is one of a slot that is
 * not bound, which the original handles, as the replacement's wanted() would have it.
 *
 * attach_lock is held while text is patched, and while a detach waits for its grace
 * period. Inside it are ftrace's locks and the allocator's, and behind ftrace's
 * cpus_read_lock(), so none of KVM's mutexes is held by who waits for it: nothing at all to
 * get the first slot; kvm->srcu or the invalidate_lock to report a first failure. The
 * latter leaves a chain by way of who waits for that SRCU with slots_lock, on 6.4 to 6.11.
 * demand_lock is a leaf.
 */
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "demand.h"
#include "hooks.h"

/*
 * Detached not at once: a VM that reboots deletes its slots and creates them again. And not
 * often, for it is dear to others: each CPU has to schedule, with ftrace's lock held.
 */
static unsigned int detach_delay = 60;
module_param(detach_delay, uint, 0644);
MODULE_PARM_DESC(detach_delay,
		 "Seconds after the last bound slot until what only those need is detached (default 60)");

static DEFINE_MUTEX(attach_lock);
static DEFINE_REDIRECT_OPS(slots_ops, hooks_callback);
static DEFINE_REDIRECT_OPS(failures_ops, hooks_callback);
static bool slots_attached, failures_attached;

static DEFINE_SPINLOCK(demand_lock);
static unsigned int slots; /* bound, or requested */
static bool withdrawn = true;

static int demand_attach(enum hook_when when, struct ftrace_ops *ops, bool *attached)
{
	struct redirect_list list;
	int err;

	if (*attached)
		return 0;

	list = hooks_of(when);
	err = redirects_attach_again(ops, &list);
	WRITE_ONCE(*attached, !err);
	return err;
}

static void demand_detach(enum hook_when when, struct ftrace_ops *ops, bool *attached)
{
	struct redirect_list list = hooks_of(when);

	/* Asked even if not *attached: an attach that failed may have left ops registered. */
	WRITE_ONCE(*attached, redirects_remove(ops, &list));
}

/* How many slots there are; -EINVAL if the module is on its way out. */
static int demand_slots(void)
{
	int n;

	spin_lock(&demand_lock);
	n = withdrawn ? -EINVAL : slots;
	spin_unlock(&demand_lock);
	return n;
}

static void demand_work_fn(struct work_struct *work)
{
	mutex_lock(&attach_lock);
	if (!demand_slots()) {
		demand_detach(HOOK_FOR_FAILURES, &failures_ops, &failures_attached);
		demand_detach(HOOK_FOR_SLOTS, &slots_ops, &slots_attached);
	}
	mutex_unlock(&attach_lock);
}

static DECLARE_DELAYED_WORK(demand_work, demand_work_fn);

/**
 * hooks_get_slots() - a slot is, or is about to be, bound
 *
 * Context: may sleep, no locks of KVM's held. Text is patched if this is the first; if the
 *	    last one went detach_delay ago, may wait for a grace period.
 * Return: 0; -EINTR at a fatal signal; -EINVAL if the module is on its way out; or an error
 *	   after one line that names its cause, as redirects_attach().
 */
int hooks_get_slots(void)
{
	int err = mutex_lock_killable(&attach_lock);

	if (err)
		return err;

	err = min(demand_slots(), 0) ?: demand_attach(HOOK_FOR_SLOTS, &slots_ops, &slots_attached);
	if (!err) {
		spin_lock(&demand_lock);
		slots++;
		spin_unlock(&demand_lock);
	}
	mutex_unlock(&attach_lock);
	return err;
}

/**
 * hooks_put_slots() - it is no longer
 *
 * Context: any locks of KVM's; no vCPU can see the slot.
 */
void hooks_put_slots(void)
{
	spin_lock(&demand_lock);
	if (!--slots && !withdrawn)
		mod_delayed_work(system_wq, &demand_work, READ_ONCE(detach_delay) * (u64)HZ);
	spin_unlock(&demand_lock);
}

/**
 * hooks_get_failures() - a guest fault has failed, or memory was poisoned
 *
 * Is needed until no slot is bound any longer.
 *
 * Context: may sleep.
 * Return: as hooks_get_slots().
 */
int hooks_get_failures(void)
{
	int err;

	if (READ_ONCE(failures_attached))
		return 0;

	/* No slot: nobody can fault, and it will be asked again. */
	err = demand_slots();
	if (err <= 0)
		return err;

	err = mutex_lock_killable(&attach_lock);
	if (err)
		return err;

	err = demand_slots();
	if (err > 0)
		err = demand_attach(HOOK_FOR_FAILURES, &failures_ops, &failures_attached);
	mutex_unlock(&attach_lock);
	return err;
}

/**
 * demand_start() - attach and detach from now on
 *
 * Context: module init, after hooks_settle().
 */
void demand_start(void)
{
	spin_lock(&demand_lock);
	withdrawn = false;
	spin_unlock(&demand_lock);
}

/**
 * demand_stop() - detach what is still attached, and attach nothing from now on
 *
 * Context: module init or exit.
 * Return: 0, or -ENODEV as redirects_remove().
 */
int demand_stop(void)
{
	spin_lock(&demand_lock);
	withdrawn = true;
	spin_unlock(&demand_lock);
	cancel_delayed_work_sync(&demand_work);

	mutex_lock(&attach_lock);
	demand_detach(HOOK_FOR_FAILURES, &failures_ops, &failures_attached);
	demand_detach(HOOK_FOR_SLOTS, &slots_ops, &slots_attached);
	mutex_unlock(&attach_lock);
	return slots_attached || failures_attached ? -ENODEV : 0;
}
