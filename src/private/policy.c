// SPDX-License-Identifier: GPL-2.0-only
/* The policy of the shared half of a guest's memory, at the place of a private page. */
#include <linux/hugetlb.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>

#include "../features.h"
#include "../mempolicy.h"
#include "compat/mm_lock.h"
#include "private.h"

#define PRIVATE_SYMBOLS(X) X(SYMBOL_KERNEL, __get_vma_policy)

PRIVATE_SYMBOLS(DECLARE_SYMBOL)
PRIVATE_SYMBOLS(DEFINE_SYMBOL)

static const struct symbol private_symbols[] = {
	PRIVATE_SYMBOLS(SYMBOL_ENTRY)
};

/**
 * private_symbols_resolve() - make the unexported functions callable that private memory needs
 *
 * Context: module init.
 * Return: as symbols_resolve().
 */
int private_symbols_resolve(void)
{
	return mempolicy_symbols_resolve() ?:
	       symbols_resolve(private_symbols, ARRAY_SIZE(private_symbols), LOAD_REFUSED);
}

/*
 * Stands for get_vma_policy(), which would answer with the task's policy where the VMM has set
 * none. The index is that of a page as large as the mapping's own. So a private page is on the
 * node of the huge page of hugetlbfs that is its shared half. Of transparent huge pages nobody
 * knows beforehand whether there will be one, so they do not count.
 */
static __always_inline struct private_policy vma_policy_get(struct vm_area_struct *vma,
							    unsigned long addr)
{
	struct private_policy policy;
	unsigned int order = 0;

	policy.mpol = kernel_call(__get_vma_policy)(vma, addr, &policy.ilx);
	if (!policy.mpol)
		return policy;

	if (is_vm_hugetlb_page(vma))
		order = huge_page_order(hstate_vma(vma));
	policy.ilx += linear_page_index(vma, addr) >> order;

	/* A shared policy comes with a reference. */
	if (!mpol_needs_cond_ref(policy.mpol))
		mpol_get(policy.mpol);
	return policy;
}

/**
 * struct found_vma - the mapping that was found last on a CPU
 * @ctx_id: names the mm; never used again for another one
 * @seq: the mm's mm_lock_seq at that time
 * @until: in jiffies; before @seq can have come round
 * @start: first address
 * @end: end of the addresses, exclusive
 * @vma: the mapping
 *
 * A guest touches page after page, and the search for the mapping would be the largest part of
 * what a page costs. A mapping changes, and is freed, only after the mmap_lock was held for write,
 * which mm_lock_seq counts. So with the mmap_lock held for read, and the same count, it is still
 * there, and the same.
 */
struct found_vma {
	u64 ctx_id;
	unsigned int seq;
	unsigned long until, start, end;
	struct vm_area_struct *vma;
};

static DEFINE_PER_CPU(struct found_vma, found_vma);
DEFINE_PER_CPU(bool, private_policy_was_none);

static __always_inline struct vm_area_struct *vma_found(struct mm_struct *mm, unsigned long addr,
							unsigned int seq)
{
	const struct found_vma *f = get_cpu_ptr(&found_vma);
	struct vm_area_struct *vma = NULL;

	if (f->ctx_id == mm->context.ctx_id && f->seq == seq && addr >= f->start &&
	    addr < f->end && time_before(jiffies, f->until))
		vma = f->vma;
	put_cpu_ptr(&found_vma);
	return vma;
}

static void vma_remember(struct mm_struct *mm, struct vm_area_struct *vma, unsigned int seq)
{
	struct found_vma *f = get_cpu_ptr(&found_vma);

	*f = (struct found_vma){
		.ctx_id = mm->context.ctx_id,
		.seq = seq,
		.until = jiffies + HZ,
		.start = vma->vm_start,
		.end = vma->vm_end,
		.vma = vma,
	};
	put_cpu_ptr(&found_vma);
}

/* The mmap_lock is held. */
static struct vm_area_struct *mapping_at(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	unsigned int seq;

	if (!compat_mm_lock_seq(mm, &seq))
		return vma_lookup(mm, addr);

	vma = vma_found(mm, addr, seq);
	if (!vma) {
		vma = vma_lookup(mm, addr);
		if (vma)
			vma_remember(mm, vma, seq);
	}
	return vma;
}

/*
 * The VMM can hold its mmap_lock for as long as it likes, and no reference holds the module
 * where KVM asks for a page. So one is taken, and an unload is refused meanwhile instead of
 * hanging. If an unload has begun, there is no waiting, and KVM allocates the page, as it is
 * about to do anyway.
 */
static bool lock_mappings(struct mm_struct *mm)
{
	bool locked;

	if (mmap_read_trylock(mm))
		return true;
	if (!try_module_get(THIS_MODULE))
		return false;

	locked = !mmap_read_lock_killable(mm);
	module_put(THIS_MODULE);
	return locked;
}

/**
 * private_policy_get() - the policy that the VMM has set for a page
 * @kvm: the VM
 * @addr: address of the page's shared half in the VMM
 *
 * It is looked up for each page, and not taken over when the slot is created. So there is nothing
 * to keep up to date, and a later mbind() holds for pages that are allocated from then on. What
 * is mapped there is not touched.
 *
 * Context: takes the mmap_lock.
 * Return: the policy with a reference, to be dropped with __mpol_put(); or none, also if the task
 *	   is being killed while it waits for the mmap_lock.
 */
struct private_policy private_policy_get(const struct kvm *kvm, unsigned long addr)
{
	struct private_policy policy = {};
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (kvm->mm != mm) {
		private_count(PRIVATE_FOREIGN);
		return policy;
	}

	if (!lock_mappings(mm))
		return policy;

	vma = mapping_at(mm, addr);
	if (vma)
		policy = vma_policy_get(vma, addr);
	mmap_read_unlock(mm);

	if (!vma)
		private_count(PRIVATE_UNMAPPED);
	this_cpu_write(private_policy_was_none, vma && !policy.mpol);
	return policy;
}

/* private_policy_is_none(), where that was so last time. */
notrace bool __private_policy_is_none(const struct kvm *kvm, unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	struct private_policy policy = {};
	struct vm_area_struct *vma = NULL;
	unsigned int seq;

	/* With PREEMPT_RT, the policies of a file are guarded by a lock that sleeps. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || kvm->mm != mm || !mmap_read_trylock(mm))
		return false;

	if (compat_mm_lock_seq(mm, &seq))
		vma = vma_found(mm, addr, seq);
	if (vma)
		policy = vma_policy_get(vma, addr);
	mmap_read_unlock(mm);

	if (policy.mpol)
		kernel_call(__mpol_put)(policy.mpol);
	return vma && !policy.mpol;
}
