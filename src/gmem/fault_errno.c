// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a guest fault failed.
 *
 * From 6.18 on, KVM_RUN and KVM_PRE_FAULT_MEMORY fail with the error that
 * guest_memfd reported. Earlier, an error pfn is all that can be returned from
 * the place where we serve the fault, and it becomes -EFAULT, or a SIGBUS for
 * a poisoned page. So the functions around that place are redirected as well,
 * and put the error in.
 *
 * Faults that fail are rare, and a redirect on every fault of every VM is not
 * free: those functions are redirected, and a VM's faults followed, only once one of its
 * pages was poisoned or one of its faults has failed. The first failure comes before that. It ends
 * KVM_RUN with -EINTR, which tells the VMM to call again, and now it is told.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "../hooks/demand.h"
#include "compat/kvm_gfn_to_pfn.h"
#include "gmem.h"

/*
 * The VMs whose faults are followed, one bit for each value of a hash of their
 * address: a VM that shares one is followed needlessly. All are cleared when the
 * last bound slot of the host is gone.
 */
unsigned long gmem_followed_vms;

#define SCOPE_BITS 6

/* Scopes by task, so that vCPUs do not wait for each other. */
static struct scope_bucket {
	spinlock_t lock; /* for the list, and err of what is in it */
	struct hlist_head scopes;
} ____cacheline_aligned_in_smp scope_buckets[1 << SCOPE_BITS] = {
	[0 ... (1 << SCOPE_BITS) - 1] = { .lock = __SPIN_LOCK_UNLOCKED(scope_buckets.lock) },
};

static struct scope_bucket *bucket_of(const struct task_struct *task)
{
	return &scope_buckets[hash_ptr(task, SCOPE_BITS)];
}

/**
 * gmem_fault_scope_open() - follow the faults of a VM from now on
 * @kvm: the VM
 *
 * Context: may sleep.
 * Return: 0, or an error if the functions around a fault cannot be redirected.
 */
int gmem_fault_scope_open(const struct kvm *kvm)
{
	set_bit(gmem_followed_bit(kvm), &gmem_followed_vms);
	return hooks_get_failures();
}

/**
 * gmem_fault_scope_close_all() - no VM has a bound slot any longer
 *
 * Context: any. One that is bound meanwhile and fails at once is told with its
 *	    second failure, which is all that is lost.
 */
void gmem_fault_scope_close_all(void)
{
	WRITE_ONCE(gmem_followed_vms, 0);
}

/**
 * gmem_fault_scope_begin() - a fault is about to be handled
 * @scope: uninitialised; lives until gmem_fault_scope_end()
 *
 * Holds the module: the fault may be one of other memory, for which user space can keep it
 * waiting, when the last bound slot is gone.
 *
 * Context: the vCPU's task; scopes of one task may nest.
 * Return: false if the module is on its way out; then there is no scope to end, and the fault
 *	   is not to be handled here, but taken again.
 */
bool gmem_fault_scope_begin(struct gmem_fault_scope *scope)
{
	struct scope_bucket *bucket = bucket_of(current);

	if (!try_module_get(THIS_MODULE))
		return false;

	scope->task = current;
	scope->err = 0;

	spin_lock(&bucket->lock);
	hlist_add_head(&scope->entry, &bucket->scopes);
	spin_unlock(&bucket->lock);
	return true;
}

/**
 * gmem_fault_scope_end() - the fault was handled
 * @scope: as given to gmem_fault_scope_begin()
 * @r: what KVM made of it
 *
 * Return: @r, or what gmem_fault_errno() was told if the fault failed for it.
 */
int gmem_fault_scope_end(struct gmem_fault_scope *scope, int r)
{
	struct scope_bucket *bucket = bucket_of(current);

	spin_lock(&bucket->lock);
	hlist_del(&scope->entry);
	spin_unlock(&bucket->lock);
	module_put(THIS_MODULE);

	return r == -EFAULT && scope->err ? scope->err : r;
}

/**
 * gmem_fault_errno() - let the fault under way fail
 * @kvm: the VM
 * @err: why
 *
 * Context: the vCPU's task.
 * Return: the error pfn to hand to KVM.
 */
kvm_pfn_t gmem_fault_errno(const struct kvm *kvm, int err)
{
	struct scope_bucket *bucket = bucket_of(current);
	kvm_pfn_t pfn = COMPAT_PFN_ERR_AGAIN;
	struct gmem_fault_scope *scope;

	/* What KVM makes of an error pfn anyway; or nobody will be told. */
	if (err == -EFAULT || fatal_signal_pending(current) || gmem_fault_scope_open(kvm))
		return KVM_PFN_ERR_FAULT;

	spin_lock(&bucket->lock);
	hlist_for_each_entry(scope, &bucket->scopes, entry) {
		if (scope->task == current) {
			scope->err = err;
			pfn = KVM_PFN_ERR_FAULT;
			break;
		}
	}
	spin_unlock(&bucket->lock);
	return pfn;
}
