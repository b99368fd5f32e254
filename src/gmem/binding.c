// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of bindings, by memslot.
 *
 * KVM has a field in the memslot for the same purpose, but not on every kernel: it
 * goes with the configuration, and has changed its type twice. A table of our own
 * is the same everywhere.
 */
#include <linux/hashtable.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "gmem.h"

/* Enough for a host with a thousand VMs; others walk a longer list. */
static DEFINE_HASHTABLE(bindings, 10);
static DEFINE_SPINLOCK(bindings_lock);

/**
 * gmem_binding_add() - enter a slot's binding into the table
 * @slot: a new slot, which no vCPU can see yet
 * @file: the file
 * @pgoff: the slot's first page in it
 *
 * Return: the binding, or NULL if there is no memory.
 */
struct gmem_binding *gmem_binding_add(struct kvm_memory_slot *slot, struct file *file,
				      pgoff_t pgoff)
{
	struct gmem_binding *b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);

	if (!b)
		return NULL;

	b->slot = slot;
	b->file = file;
	b->pgoff = pgoff;

	spin_lock(&bindings_lock);
	hash_add_rcu(bindings, &b->entry, (unsigned long)slot);
	spin_unlock(&bindings_lock);
	return b;
}

/**
 * gmem_binding_del() - remove a binding from the table, and free it
 * @binding: the binding of a slot that no vCPU can see any longer
 */
void gmem_binding_del(struct gmem_binding *binding)
{
	spin_lock(&bindings_lock);
	hash_del_rcu(&binding->entry);
	spin_unlock(&bindings_lock);
	kfree_rcu(binding, rcu);
}

/**
 * gmem_binding_of() - the binding of a slot
 * @slot: a bound slot
 *
 * Context: RCU protects the walk; what keeps the binding afterwards is what keeps
 *	    the slot: kvm->srcu or kvm->slots_lock.
 * Return: the binding, or NULL if there is none.
 */
struct gmem_binding *gmem_binding_of(const struct kvm_memory_slot *slot)
{
	struct gmem_binding *b;

	rcu_read_lock();
	hash_for_each_possible_rcu(bindings, b, entry, (unsigned long)slot) {
		if (b->slot == slot)
			break;
	}
	rcu_read_unlock();
	return b;
}
