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
 * free: a VM's faults are followed only once one of its pages was poisoned or
 * one of its faults has failed. The first failure comes before that. It ends
 * KVM_RUN with -EINTR, which tells the VMM to call again, and now it is told.
 */
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "gmem.h"

static LIST_HEAD(fault_scopes);
static DEFINE_SPINLOCK(fault_scopes_lock);

/*
 * The VMs whose faults are followed, one bit for each value of a hash of their
 * address. Bits are never cleared: a VM that shares one is followed needlessly.
 */
static unsigned long followed_vms;

static unsigned long vm_bit(const struct kvm *kvm)
{
	return BIT(hash_ptr(kvm, ilog2(BITS_PER_LONG)));
}

/**
 * gmem_fault_scope_wanted() - are the faults of this VM followed?
 * @kvm: the VM
 *
 * Context: any.
 */
bool gmem_fault_scope_wanted(const struct kvm *kvm)
{
	return READ_ONCE(followed_vms) & vm_bit(kvm);
}

/**
 * gmem_fault_scope_open() - follow the faults of a VM from now on
 * @kvm: the VM
 *
 * Context: any.
 */
void gmem_fault_scope_open(const struct kvm *kvm)
{
	set_bit(hash_ptr(kvm, ilog2(BITS_PER_LONG)), &followed_vms);
}

/**
 * gmem_fault_scope_begin() - a fault is about to be handled
 * @scope: uninitialised; lives until gmem_fault_scope_end()
 *
 * Context: the vCPU's task; scopes of one task may nest.
 */
void gmem_fault_scope_begin(struct gmem_fault_scope *scope)
{
	scope->task = current;
	scope->err = 0;

	spin_lock(&fault_scopes_lock);
	list_add(&scope->entry, &fault_scopes);
	spin_unlock(&fault_scopes_lock);
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
	spin_lock(&fault_scopes_lock);
	list_del(&scope->entry);
	spin_unlock(&fault_scopes_lock);

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
	kvm_pfn_t pfn = KVM_PFN_ERR_SIGPENDING;
	struct gmem_fault_scope *scope;

	/* What KVM makes of an error pfn anyway. */
	if (err == -EFAULT)
		return KVM_PFN_ERR_FAULT;

	gmem_fault_scope_open(kvm);

	spin_lock(&fault_scopes_lock);
	list_for_each_entry(scope, &fault_scopes, entry) {
		if (scope->task == current) {
			scope->err = err;
			pfn = KVM_PFN_ERR_FAULT;
			break;
		}
	}
	spin_unlock(&fault_scopes_lock);
	return pfn;
}
