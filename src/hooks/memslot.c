// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot that is to be bound to a guest_memfd, on its way through KVM.
 *
 *	vm_ioctl.c: KVM_SET_USER_MEMORY_REGION2 with KVM_MEM_GUEST_MEMFD
 *	  memslot_set(): checks the request; attaches the redirects for slots, if this is the
 *	  host's first; remembers which file the slot is for
 *	    KVM sets an ordinary slot
 *	      prepare_memory_region.c
 *	        memslot_file(): looks up the file and checks it, by gmem/bind.c
 *	        KVM allocates the new slot's metadata
 *	        memslot_bind(): binds the slot to the file, by gmem/bind.c
 *
 * KVM before 6.18 refuses the flag for a VM without private memory, and its own guest_memfd code
 * would take our files for its own. So KVM is asked for the slot without the flag, and the slot
 * is bound when its metadata exists and nobody can see the slot yet. All of this happens on one
 * task, by which the request is found again.
 */
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "../gmem/gmem.h"
#include "hooks.h"

/**
 * struct memslot_request - a memslot that a task has asked KVM for, to be bound
 * @kvm: the VM
 * @mem: the request, as user space made it
 * @huge: the redirect for mappings of 2 MiB is attached for the slot
 * @bound: memslot_bind() has bound the slot
 */
struct memslot_request {
	struct kvm *kvm;
	const struct kvm_userspace_memory_region2 *mem;
	bool huge;
	bool bound;
};

/*
 * Requests, indexed by task. A lookup takes a bounded number of steps, however many tasks bind
 * slots at the same time. While no task does, a single test finds that out.
 */
DEFINE_XARRAY(memslot_requests);

static struct memslot_request *this_request(void)
{
	return xa_load(&memslot_requests, (unsigned long)current);
}

/* The slot that @mem would change; NULL if it would create or delete one. */
static struct kvm_memory_slot *region_changes(struct kvm *kvm,
					      const struct kvm_userspace_memory_region2 *mem)
{
	u16 as_id = mem->slot >> 16, id = mem->slot;

	if (!mem->memory_size || as_id >= kvm_arch_nr_memslot_as_ids(kvm) ||
	    id >= KVM_MEM_SLOTS_NUM)
		return NULL;
	return id_to_memslot(__kvm_memslots(kvm, as_id), id);
}

/**
 * memslot_changes_bound() - would this change a bound slot, which can only be deleted?
 * @kvm: a VM without private memory
 * @mem: the request, as user space made it
 *
 * Context: no locks held; the answer may be out of date at once.
 */
bool memslot_changes_bound(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	bool bound;

	mutex_lock(&kvm->slots_lock);
	bound = gmem_slot_is_bound(region_changes(kvm, mem));
	mutex_unlock(&kvm->slots_lock);
	return bound;
}

/*
 * The checks of kvm_set_memory_region() that depend on KVM_MEM_GUEST_MEMFD, which KVM does not
 * see. KVM makes all the others afterwards. Where both would refuse, both return -EINVAL.
 */
static int check_request(struct kvm *kvm, const struct kvm_userspace_memory_region2 *mem)
{
	bool change;

	/* Read-only memory and dirty logging are not for guest_memfd. */
	if (mem->flags & ~KVM_MEM_GUEST_MEMFD)
		return -EINVAL;
	if (!PAGE_ALIGNED(mem->guest_memfd_offset) ||
	    mem->guest_memfd_offset + mem->memory_size < mem->guest_memfd_offset)
		return -EINVAL;

	/* A slot that exists can only be deleted. This may be out of date at once. */
	mutex_lock(&kvm->slots_lock);
	change = !!region_changes(kvm, mem);
	mutex_unlock(&kvm->slots_lock);
	return change ? -EINVAL : 0;
}

/* Ask KVM for the same slot as an ordinary one, or for its deletion. */
static long set_ordinary(struct file *filp, const struct kvm_userspace_memory_region2 *mem)
{
	const struct kvm_userspace_memory_region2 ordinary = {
		.slot = mem->slot,
		.guest_phys_addr = mem->guest_phys_addr,
		.memory_size = mem->memory_size,
		.userspace_addr = mem->userspace_addr,
	};

	return hook_set_region(filp, &ordinary);
}

/* Without the redirect, the slot has mappings of 4 KiB. */
static bool get_huge_mappings(const struct kvm_userspace_memory_region2 *mem)
{
	return feature_is_ours(FEATURE_HUGE_MAPPINGS) && gmem_fd_is_huge(mem->guest_memfd) &&
	       !demand_get(HOOKS_FOR_HUGE_SLOTS, "memslot gets no mappings of 2 MiB");
}

/* The request is registered only while KVM handles it. */
static long set_and_bind(struct file *filp, const struct kvm_userspace_memory_region2 *mem)
{
	struct memslot_request req = { .kvm = filp->private_data, .mem = mem };
	unsigned long task = (unsigned long)current;
	long r;

	r = demand_get(HOOKS_FOR_SLOTS, "memslot refused");
	if (r)
		return r;
	req.huge = get_huge_mappings(mem);

	r = xa_err(xa_store(&memslot_requests, task, &req, GFP_KERNEL_ACCOUNT));
	if (!r)
		r = set_ordinary(filp, mem);
	xa_erase(&memslot_requests, task);

	/* For a bound slot, free_memslot.c calls these when the slot is freed. */
	if (!req.bound && req.huge)
		demand_put(HOOKS_FOR_HUGE_SLOTS);
	if (!req.bound)
		demand_put(HOOKS_FOR_SLOTS);

	/* KVM succeeded without creating a slot: another task has just created the same one. */
	if (!r && !req.bound)
		r = -EINVAL;
	return r;
}

/**
 * memslot_set() - KVM_SET_USER_MEMORY_REGION2 with KVM_MEM_GUEST_MEMFD
 * @filp: file of a VM without private memory
 * @mem: the request, as user space made it; constant until this returns
 *
 * Creates a slot that is bound to a file of ours, or deletes a slot.
 *
 * Context: process of the VM, no locks held, the module held.
 * Return: 0; an error of KVM's; -EINVAL if the flags, the slot or the file do not allow a
 *	   binding; -EBADF; -EEXIST if part of the file's range is bound already; -ENOMEM; or as
 *	   demand_get().
 */
long memslot_set(struct file *filp, const struct kvm_userspace_memory_region2 *mem)
{
	int err = check_request(filp->private_data, mem);

	if (err)
		return err;
	return mem->memory_size ? set_and_bind(filp, mem) : set_ordinary(filp, mem);
}

/**
 * memslot_requested() - is KVM handling a request that this task has made in memslot_set()?
 */
bool memslot_requested(void)
{
	return !!this_request();
}

/*
 * Is this the slot that was asked for? With set_region_by_ioctl.c, KVM reads its arguments from
 * user space, where other threads can change them.
 */
static bool is_as_requested(const struct memslot_request *req, struct kvm *kvm,
			    const struct kvm_memory_slot *slot)
{
	return req->kvm == kvm && req->mem->slot == ((u32)slot->as_id << 16 | (u16)slot->id) &&
	       !slot->flags;
}

/**
 * memslot_file() - get the file for the slot that this task has asked for
 * @kvm: the VM
 * @slot: the new slot
 *
 * Context: the task is in memslot_set(); kvm->slots_lock and slots_arch_lock held.
 * Return: as gmem_file_for_slot(); also ERR_PTR(-EINVAL) if this is not the slot that was asked
 *	   for.
 */
struct file *memslot_file(struct kvm *kvm, const struct kvm_memory_slot *slot)
{
	const struct memslot_request *req = this_request();

	if (!is_as_requested(req, kvm, slot))
		return ERR_PTR(-EINVAL);
	return gmem_file_for_slot(kvm, slot, req->mem->guest_memfd, req->mem->guest_memfd_offset);
}

/**
 * memslot_bind() - bind the slot that this task has asked for
 * @slot: the new slot: KVM has allocated its metadata, and has not yet shown it to anybody
 * @file: from memslot_file()
 *
 * Context: as memslot_file().
 * Return: as gmem_bind().
 */
int memslot_bind(struct kvm_memory_slot *slot, struct file *file)
{
	struct memslot_request *req = this_request();
	int err = gmem_bind(slot, file, req->mem->guest_memfd_offset >> PAGE_SHIFT, req->huge);

	req->bound = !err;
	return err;
}
