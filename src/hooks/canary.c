// SPDX-License-Identifier: GPL-2.0-only
/* Arguments for the calls that prove the redirects. */
#include <linux/mutex.h>
#include <linux/slab.h>

#include "hooks.h"

/**
 * canary_create() - allocate the arguments
 *
 * The structs are KVM's own, and large.
 *
 * Context: may sleep.
 * Return: the canary, or NULL.
 */
struct canary *canary_create(void)
{
	struct canary *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return NULL;

	c->kvm = kvzalloc(sizeof(*c->kvm), GFP_KERNEL);
	c->vcpu = kvzalloc(sizeof(*c->vcpu), GFP_KERNEL);
	c->mmu = kvzalloc(sizeof(*c->mmu), GFP_KERNEL);
	c->slot = kvzalloc(sizeof(*c->slot), GFP_KERNEL);
	c->filp = kvzalloc(sizeof(*c->filp), GFP_KERNEL);
	if (!c->kvm || !c->vcpu || !c->mmu || !c->slot || !c->filp) {
		canary_destroy(c);
		return NULL;
	}

	mutex_init(&c->kvm->lock);
	mutex_init(&c->kvm->slots_lock);
	mutex_init(&c->kvm->slots_arch_lock);
	rwlock_init(&c->kvm->mmu_lock);
	c->vcpu->kvm = c->kvm;
	c->vcpu->arch.mmu = c->mmu;
	c->filp->private_data = c->kvm;
	return c;
}

/**
 * canary_destroy() - free a canary
 * @c: the canary, perhaps allocated only in part
 */
void canary_destroy(struct canary *c)
{
	kvfree(c->filp);
	kvfree(c->slot);
	kvfree(c->mmu);
	kvfree(c->vcpu);
	kvfree(c->kvm);
	kfree(c);
}
