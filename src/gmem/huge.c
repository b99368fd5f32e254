// SPDX-License-Identifier: GPL-2.0-only
/*
 * Folios of 2 MiB: which files have them, for which of their pages, and how large a guest's
 * mapping of a page may be.
 *
 * The parameter says what is asked for, in the words of shmem's mount option, and counts when a
 * file is created. Whether 2 MiB are worth having is asked again for each 2 MiB, by what
 * madvise() has said about the mappings that are there. Whatever speaks against it, small folios
 * are what remains; nothing fails.
 *
 * A folio is added with the invalidate_lock held, shared. So while a hole is punched, with the
 * lock held for write, no folio appears that lies across one of the hole's ends.
 */
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/string.h>

#include "../log.h"
#include "../mempolicy.h"
#include "compat/mm_huge.h"
#include "gmem.h"
#include "symbols.h"

/*
 * Not by default: QEMU asks for huge pages for all memory of all guests, which would then
 * interleave by 2 MiB instead of by 4 KiB, and a balloon would free memory only by 2 MiB or by
 * splitting them. It is for the administrator to say that this is worth it. shmem is the same.
 */
static enum gmem_huge gmem_huge = GMEM_HUGE_NEVER;

/* A file never changes its size, so nothing is ever outside of it. */
static const char *const huge_words[] = {
	[GMEM_HUGE_NEVER] = "never",
	[GMEM_HUGE_ADVISE] = "advise",
	[GMEM_HUGE_WITHIN_SIZE] = "within_size",
	[GMEM_HUGE_ALWAYS] = "always",
};

static int huge_param_set(const char *val, const struct kernel_param *kp)
{
	int huge = sysfs_match_string(huge_words, val);

	if (huge < 0)
		return huge;

	if (huge != GMEM_HUGE_NEVER && !IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE)) {
		log_refused("parameter not set",
			    "this kernel has no huge pages for files (CONFIG_TRANSPARENT_HUGEPAGE); use huge=never\n");
		return -EOPNOTSUPP;
	}

	WRITE_ONCE(gmem_huge, huge);
	return 0;
}

static int huge_param_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", huge_words[READ_ONCE(gmem_huge)]);
}

static const struct kernel_param_ops huge_param_ops = {
	.set = huge_param_set,
	.get = huge_param_get,
};

module_param_cb(huge, &huge_param_ops, NULL, 0644);
__MODULE_PARM_TYPE(huge, "charp");
MODULE_PARM_DESC(huge,
		 "Allocate 2 MiB at a time for files that are created from now on: never, advise (by madvise()), within_size or always (default never)");

/**
 * gmem_huge_of_new_file() - what the parameter huge says
 */
enum gmem_huge gmem_huge_of_new_file(void)
{
	return READ_ONCE(gmem_huge);
}

/*
 * Is a folio for a range asked for, and does nothing speak against it? A mapping that wants small
 * pages for any of it does, and so does a process that wants none at all. With huge=advise, one
 * mapping of all of it must have asked. The mappings of all processes count, because the guest,
 * which has none, must get what the VMM has asked for.
 */
static bool gmem_huge_wanted(struct inode *inode, pgoff_t start)
{
	bool wanted = GMEM_I(inode)->huge != GMEM_HUGE_ADVISE;
	struct address_space *mapping = inode->i_mapping;
	pgoff_t last = start + GMEM_HUGE_PAGES - 1;
	struct vm_area_struct *vma;

	i_mmap_lock_read(mapping);
	vma = kernel_call(vma_interval_tree_iter_first)(&mapping->i_mmap, start, last);
	while (vma) {
		if (compat_thp_disabled(vma)) {
			wanted = false;
			break;
		}
		if (vma->vm_flags & VM_HUGEPAGE && vma->vm_pgoff <= start &&
		    last < vma->vm_pgoff + vma_pages(vma))
			wanted = true;
		vma = kernel_call(vma_interval_tree_iter_next)(vma, start, last);
	}
	i_mmap_unlock_read(mapping);
	return wanted;
}

/*
 * Memory is taken if it is there. Compaction and reclaim would stall the guest, and memory
 * cgroups at their limit would have to push out what they use.
 */
static struct folio *gmem_add_huge_folio(struct inode *inode, pgoff_t start)
{
	struct address_space *mapping = inode->i_mapping;
	gfp_t gfp = (mapping_gfp_mask(mapping) & ~__GFP_RECLAIM) | __GFP_NOWARN;
	struct folio *folio = gmem_alloc_huge_folio(inode, start, gfp);

	if (!folio)
		return NULL;

	if (filemap_add_folio(mapping, folio, start, gfp)) {
		folio_put(folio);
		return NULL;
	}
	return folio;
}

static bool gmem_range_is_empty(struct address_space *mapping, pgoff_t start)
{
	pgoff_t i = start;

	return !xa_find(&mapping->i_pages, &i, start + GMEM_HUGE_PAGES - 1, XA_PRESENT);
}

/**
 * gmem_get_huge_folio() - allocate the folio of 2 MiB that contains a page
 * @inode: inode of a guest_memfd
 * @index: page offset of the page, which the file lacks
 * @first: page offset of the start of the range that may become resident
 * @end: its end, exclusive; may lie behind the end of the file
 *
 * Context: may sleep, and waits while a hole is punched anywhere in the file, so it must not be
 *	    called with the invalidate_lock held.
 * Return: as gmem_get_folio(), or NULL: allocate a small folio.
 */
struct folio *gmem_get_huge_folio(struct inode *inode, pgoff_t index, pgoff_t first, pgoff_t end)
{
	pgoff_t start = round_down(index, GMEM_HUGE_PAGES);
	struct address_space *mapping = inode->i_mapping;
	pgoff_t size = i_size_read(inode) >> PAGE_SHIFT;
	struct folio *folio = NULL;

	/* Without the lock first: most pages that come here have small ones around them. */
	if (start < first || min(end, size) - start < GMEM_HUGE_PAGES ||
	    !gmem_range_is_empty(mapping, start))
		return NULL;

	if (down_read_killable(&mapping->invalidate_lock))
		return NULL;
	if (gmem_range_is_empty(mapping, start) && gmem_huge_wanted(inode, start))
		folio = gmem_add_huge_folio(inode, start);
	up_read(&mapping->invalidate_lock);
	return folio;
}

/**
 * gmem_huge_folios() - how many folios of 2 MiB a file has
 * @inode: inode of a guest_memfd
 *
 * Looks at each 2 MiB of the file: some milliseconds for a file of 1 TiB.
 *
 * Context: may sleep.
 */
unsigned long gmem_huge_folios(struct inode *inode)
{
	pgoff_t index, end = i_size_read(inode) >> PAGE_SHIFT;
	unsigned long n = 0;

	if (!GMEM_I(inode)->huge)
		return 0;

	for (index = 0; index + GMEM_HUGE_PAGES <= end; index += GMEM_HUGE_PAGES) {
		n += xa_get_order(&inode->i_mapping->i_pages, index) == HUGE_FOLIO_ORDER;
		cond_resched();
	}
	return n;
}

/**
 * gmem_mapping_level() - how large a guest's mapping of a page may be
 * @slot: a bound slot
 * @gfn: a gfn of it, whose page is in the file or was when the fault began
 * @max_level: PG_LEVEL_* that KVM would use at most
 *
 * KVM itself would walk the page tables at userspace_addr, where anything may be mapped.
 *
 * The folio may be split while this looks at it. Its pages stay where they are, and whoever removes
 * one of them unmaps all of the 2 MiB before that, under mmu_lock.
 *
 * Context: kvm->mmu_lock held, so that the file is not released and nothing that a guest may have
 *	    mapped leaves it.
 * Return: PG_LEVEL_2M or PG_LEVEL_4K.
 */
int gmem_mapping_level(const struct kvm_memory_slot *slot, gfn_t gfn, int max_level)
{
	struct gmem_binding *binding = gmem_binding_of(slot);
	struct file *file = READ_ONCE(binding->file);
	int level = PG_LEVEL_4K;
	struct folio *folio;

	if (!file || max_level < PG_LEVEL_2M || !gmem_slot_allows_huge(slot, gfn))
		return PG_LEVEL_4K;

	rcu_read_lock();
	folio = xa_load(&file->f_mapping->i_pages, gfn - slot->base_gfn + binding->pgoff);
	/* Poison that could not be split off must not be mapped together with good pages. */
	if (folio && folio_test_large(folio) && folio_order(folio) == HUGE_FOLIO_ORDER &&
	    !folio_test_has_hwpoisoned(folio))
		level = PG_LEVEL_2M;
	rcu_read_unlock();
	return level;
}
