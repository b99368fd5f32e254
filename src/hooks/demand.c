// SPDX-License-Identifier: GPL-2.0-only
/*
 * Redirects that are attached only while something on the host needs them.
 *
 * They are attached before the first bound slot can be seen, and detached when the last
 * one is gone: a fault that is under way while text is patched is one of a slot that is
 * not bound, which the original handles, as the replacement's wanted() would have it.
 *
 * demand_lock is taken with KVM's and the inode's locks held, and takes none of them:
 * behind it are ftrace's own and the allocator's.
 */
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "demand.h"
#include "hooks.h"

/*
 * Detached not at once, but when this has passed without a new slot: a VM that reboots
 * deletes its slots and creates them again.
 */
#define DETACH_DELAY HZ

static DEFINE_MUTEX(demand_lock);
static unsigned int slots; /* bound, or requested */
static bool slots_attached, failures_attached;
static bool withdrawn = true;

static int demand_attach(enum hook_when when, bool *attached)
{
	struct redirect_list list;
	int err;

	if (*attached)
		return 0;

	list = hooks_of(when);
	err = redirects_attach_again(&hooks_ops, &list);
	*attached = !err;
	return err;
}

static void demand_detach(enum hook_when when, bool *attached)
{
	struct redirect_list list;

	if (!*attached)
		return;

	list = hooks_of(when);
	*attached = redirects_detach(&hooks_ops, &list);
}

static void demand_detach_all(void)
{
	demand_detach(HOOK_FOR_FAILURES, &failures_attached);
	demand_detach(HOOK_FOR_SLOTS, &slots_attached);
}

static void demand_work_fn(struct work_struct *work)
{
	mutex_lock(&demand_lock);
	if (!slots && !withdrawn)
		demand_detach_all();
	mutex_unlock(&demand_lock);
}

static DECLARE_DELAYED_WORK(demand_work, demand_work_fn);

/**
 * hooks_get_slots() - a slot is, or is about to be, bound
 *
 * Context: may sleep. Text is patched if this is the first.
 * Return: 0; -EINVAL if the module is on its way out; or an error after one line that
 *	   names its cause, as redirects_attach().
 */
int hooks_get_slots(void)
{
	int err = -EINVAL;

	mutex_lock(&demand_lock);
	if (!withdrawn)
		err = demand_attach(HOOK_FOR_SLOTS, &slots_attached);
	if (!err)
		slots++;
	mutex_unlock(&demand_lock);
	return err;
}

/**
 * hooks_put_slots() - it is no longer
 *
 * Context: may sleep; no vCPU can see the slot.
 */
void hooks_put_slots(void)
{
	mutex_lock(&demand_lock);
	if (!--slots && !withdrawn)
		mod_delayed_work(system_wq, &demand_work, DETACH_DELAY);
	mutex_unlock(&demand_lock);
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
	int err = -EINVAL;

	if (READ_ONCE(failures_attached))
		return 0;

	mutex_lock(&demand_lock);
	/* No slot: nobody can fault, and it will be asked again. */
	if (!slots)
		err = 0;
	else if (!withdrawn)
		err = demand_attach(HOOK_FOR_FAILURES, &failures_attached);
	mutex_unlock(&demand_lock);
	return err;
}

/**
 * hooks_settle() - all redirects are proven; detach those that nothing needs yet
 *
 * Context: module init.
 */
void hooks_settle(void)
{
	mutex_lock(&demand_lock);
	slots_attached = true;
	failures_attached = true;
	demand_detach_all();
	withdrawn = false;
	mutex_unlock(&demand_lock);
}

/**
 * hooks_withdraw() - attach and detach nothing from now on
 *
 * Context: module init or exit.
 */
void hooks_withdraw(void)
{
	mutex_lock(&demand_lock);
	withdrawn = true;
	mutex_unlock(&demand_lock);
	cancel_delayed_work_sync(&demand_work);
}
