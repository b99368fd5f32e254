/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * private/ has the private memory of confidential VMs (SEV-SNP, TDX) come from the nodes that the
 * VMM has asked for.
 *
 * That memory is in guest_memfds of KVM's own, which remain KVM's: it clears the pages, makes
 * them the guest's and takes them back. The module does one thing. Before KVM looks for a page,
 * a page that the file does not have yet is allocated by the policy that holds at the same place
 * of the slot's userspace_addr, which is the shared half of the guest's memory, and is put into
 * the file. KVM finds it there, sees that it is not uptodate, and goes on as with a page that it
 * has just allocated itself.
 *
 *	policy.c	the policy of the shared half
 *	place.c		the page in the file
 *	file.c		which files there are, and whose
 *	count.c		how often a page was placed, or why not
 *
 * Locks. No lock of ours is held while KVM's code runs. kvm->srcu or kvm->slots_lock keeps the
 * slot; fallocate() comes with neither, and private_place_range() takes the former. The caller
 * may hold the file's invalidate_lock (TDX, until 6.18), which is therefore never taken here.
 * The mmap_lock is taken and dropped inside all of these, as KVM does itself when it copies from
 * user space.
 *
 * Races. A page that the VMM punches out of the file in the moment between its placement and
 * KVM's look at the file is allocated again by KVM, wherever that may be. KVM then retries the
 * fault, because the hole invalidates it, and the VMM has a page that it did not want in any
 * case. A lock against that was rejected: it would have faults wait for holes elsewhere in the
 * file.
 */
#ifndef _GMEM_PRIVATE_H
#define _GMEM_PRIVATE_H

#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/mempolicy.h>
#include <linux/percpu.h>

/**
 * enum private_count - what is counted, in pages
 * @PRIVATE_PLACED: allocated by the VMM's policy
 * @PRIVATE_REFUSED: not allocated, because the nodes that the policy confines it to are full, or
 *	the memory cgroup is. KVM gets -ENOMEM, which SEV-SNP's launch turns into -EIO
 * @PRIVATE_UNMAPPED: left to KVM, because nothing is mapped at its place of userspace_addr
 * @PRIVATE_FOREIGN: left to KVM, because a process other than the VM's asked for it
 * @PRIVATE_MOVABLE: left to KVM, because the policy names only nodes whose memory is all movable
 * @PRIVATE_COUNTS: how many counts there are
 */
enum private_count {
	PRIVATE_PLACED,
	PRIVATE_REFUSED,
	PRIVATE_UNMAPPED,
	PRIVATE_FOREIGN,
	PRIVATE_MOVABLE,
	PRIVATE_COUNTS,
};

/**
 * struct private_policy - what decides where a private page comes from
 * @mpol: the policy, with a reference; or NULL, and KVM allocates the page
 * @ilx: index for interleaving
 */
struct private_policy {
	struct mempolicy *mpol;
	pgoff_t ilx;
};

/* policy.c */
int private_symbols_resolve(void);
struct private_policy private_policy_get(const struct kvm *kvm, unsigned long addr);
bool __private_policy_is_none(const struct kvm *kvm, unsigned long addr);

/* The CPU has asked for a policy last where there was none. */
DECLARE_PER_CPU(bool, private_policy_was_none);

/**
 * private_policy_is_none() - is it certain that private_policy_get() finds no policy?
 * @kvm: the VM
 * @addr: address of the page's shared half in the VMM
 *
 * For redirects' wanted(): does not sleep, also with preemption off, and calls nothing that
 * leads to a redirected function. The answer is no, perhaps wrongly, unless there was no policy
 * either when the CPU asked last. So guests whose memory has a policy do not pay for the
 * question, and for the others it is all that they pay.
 */
static __always_inline bool private_policy_is_none(const struct kvm *kvm, unsigned long addr)
{
	return this_cpu_read(private_policy_was_none) && __private_policy_is_none(kvm, addr);
}

/* place.c */
int private_place_by(struct private_policy policy, const struct kvm_memory_slot *slot, gfn_t gfn);
int private_place_range(struct file *file, pgoff_t start, pgoff_t end, pgoff_t *done);

/**
 * private_place() - have a page that KVM is about to look for come from the VMM's nodes
 * @kvm: the VM
 * @slot: a slot with a guest_memfd of KVM's own
 * @gfn: the page, in @slot
 *
 * Nothing is done if the file has the page, or if the VMM has set no policy for it. Inline,
 * because the latter has to cost next to nothing.
 *
 * Context: kvm->srcu or kvm->slots_lock held, perhaps also the file's invalidate_lock. May sleep.
 * Return: 0, and KVM's own code goes on: it finds the page, or allocates it. -ENOMEM if the nodes
 *	   that the policy confines the page to are full, or the memory cgroup is at its limit.
 */
static inline int private_place(const struct kvm *kvm, const struct kvm_memory_slot *slot,
				gfn_t gfn)
{
	struct private_policy policy = private_policy_get(kvm, __gfn_to_hva_memslot(slot, gfn));

	return policy.mpol ? private_place_by(policy, slot, gfn) : 0;
}

/* file.c */
int private_file_add(struct file *file, struct kvm *kvm);
bool private_file_remove(struct file *file);
struct kvm *private_file_vm(struct file *file);
void private_files_forget(void);

/* count.c */
unsigned long private_counted(enum private_count what);

/* For each CPU, so that guests do not share a cache line. */
DECLARE_PER_CPU(unsigned long [PRIVATE_COUNTS], private_counts);

/**
 * private_count() - count one page
 * @what: what became of it
 */
static inline void private_count(enum private_count what)
{
	this_cpu_inc(private_counts[what]);
}

#endif /* _GMEM_PRIVATE_H */
