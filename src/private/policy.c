// SPDX-License-Identifier: GPL-2.0-only
/* The policy of the shared half of a guest's memory, at the place of a private page. */
#include <linux/hugetlb.h>
#include <linux/mm.h>

#include "../features.h"
#include "../mempolicy.h"
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
static struct mempolicy *vma_policy_get(struct vm_area_struct *vma, unsigned long addr,
					pgoff_t *ilx)
{
	struct mempolicy *mpol = kernel_call(__get_vma_policy)(vma, addr, ilx);
	unsigned int order = 0;

	if (!mpol)
		return NULL;

	if (is_vm_hugetlb_page(vma))
		order = huge_page_order(hstate_vma(vma));
	*ilx += linear_page_index(vma, addr) >> order;

	/* A shared policy comes with a reference. */
	if (!mpol_needs_cond_ref(mpol))
		mpol_get(mpol);
	return mpol;
}

/**
 * private_policy_get() - the policy that the VMM has set for a page
 * @kvm: the VM
 * @addr: address of the page's shared half in the VMM
 * @ilx: set to the index for interleaving
 *
 * It is looked up for each page, and not taken over when the slot is created. So there is nothing
 * to keep up to date, and a later mbind() holds for pages that are allocated from then on. What
 * is mapped there is not touched.
 *
 * Context: takes the mmap_lock. A task that is being killed does not wait for it.
 * Return: the policy with a reference, to be dropped with __mpol_put(); or NULL, and KVM
 *	   allocates the page.
 */
struct mempolicy *private_policy_get(const struct kvm *kvm, unsigned long addr, pgoff_t *ilx)
{
	struct mempolicy *mpol = NULL;
	struct vm_area_struct *vma;

	if (kvm->mm != current->mm) {
		private_count(PRIVATE_FOREIGN);
		return NULL;
	}

	if (mmap_read_lock_killable(current->mm))
		return NULL;

	vma = vma_lookup(current->mm, addr);
	if (vma)
		mpol = vma_policy_get(vma, addr, ilx);
	mmap_read_unlock(current->mm);

	if (!vma)
		private_count(PRIVATE_UNMAPPED);
	return mpol;
}
