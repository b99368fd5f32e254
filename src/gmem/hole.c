// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holes.
 *
 * A hole takes whole folios out of the file. A folio of 2 MiB that it covers in part is cleared
 * there and split, and then gives up the pages of the hole like any others. It cannot be split
 * while somebody else holds a reference to it, as a device has that writes to guest memory. Such
 * a hole reads as zeroes like any other, but its pages are still there. They are remembered, and
 * given up when the folio can be split, unless somebody has written to them by then, or has
 * allocated them by fallocate().
 *
 * gmem_inode.holes has a struct gmem_hole for each 2 MiB of which pages are remembered. The
 * invalidate_lock, held for write, protects it. It also keeps folios of 2 MiB from being added,
 * so that once a folio has been looked at, none can lie across an end of the hole.
 */
#include <linux/bitmap.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat/mm_huge.h"
#include "gmem.h"
#include "symbols.h"

/* The first attempt comes soon, for a reference that was a matter of moments. */
#define HOLES_DELAY_MIN	(HZ / 10)
#define HOLES_DELAY_MAX	(60 * HZ)

/**
 * struct gmem_hole - pages of 2 MiB that are in a hole and could not be given up
 * @pages: one bit for each page
 * @failed: those of them whose memory had failed before, and which the hole must replace
 */
struct gmem_hole {
	DECLARE_BITMAP(pages, GMEM_HUGE_PAGES);
	DECLARE_BITMAP(failed, GMEM_HUGE_PAGES);
};

static bool folio_is_large(struct inode *inode, pgoff_t index)
{
	return xa_get_order(&inode->i_mapping->i_pages, index);
}

static void hole_free_if_empty(struct inode *inode, unsigned long n)
{
	struct gmem_inode *gi = GMEM_I(inode);
	struct gmem_hole *hole = xa_load(&gi->holes, n);

	if (hole && bitmap_empty(hole->pages, GMEM_HUGE_PAGES))
		kfree(xa_erase(&gi->holes, n));
}

/* Have a struct gmem_hole for the 2 MiB around an end of the hole, if a folio lies across it. */
static int hole_prepare(struct inode *inode, pgoff_t index)
{
	unsigned long n = index / GMEM_HUGE_PAGES;
	struct gmem_inode *gi = GMEM_I(inode);
	struct gmem_hole *hole;
	int err;

	if (index % GMEM_HUGE_PAGES == 0 || !folio_is_large(inode, index) || xa_load(&gi->holes, n))
		return 0;

	hole = kzalloc(sizeof(*hole), GFP_KERNEL_ACCOUNT);
	if (!hole)
		return -ENOMEM;

	err = xa_err(xa_store(&gi->holes, n, hole, GFP_KERNEL_ACCOUNT));
	if (err)
		kfree(hole);
	return err;
}

/* Not pages whose memory has failed, which must not be touched. */
static void clear_pages_of(struct folio *folio, pgoff_t from, pgoff_t to)
{
	for (; from < to; from++) {
		struct page *page = folio_file_page(folio, from);

		if (!PageHWPoison(page))
			clear_highpage(page);
	}
}

/*
 * Clear the part of a folio that is in the hole, and split the folio. If it cannot be split, it is
 * taken out of the range, whose rest can then be truncated folio by folio. Truncation would try to
 * split it as well, but from 6.15 on not into single pages, and could remove more than the hole.
 */
static void hole_cut(struct inode *inode, pgoff_t *start, pgoff_t *end, pgoff_t index)
{
	struct folio *folio = filemap_lock_folio(inode->i_mapping, index);
	pgoff_t from, to;

	if (IS_ERR_OR_NULL(folio))
		return;

	from = max(*start, folio->index);
	to = min(*end, folio_next_index(folio));
	if (to - from < folio_nr_pages(folio)) {
		clear_pages_of(folio, from, to);
		if (compat_split_folio(folio)) {
			if (from == *start)
				*start = to;
			else
				*end = from;
		}
	}
	folio_unlock(folio);
	folio_put(folio);
}

/* Take the pages out of the file, but for folios that lie across an end and cannot be split. */
static void hole_remove(struct inode *inode, pgoff_t start, pgoff_t end)
{
	if (GMEM_I(inode)->huge) {
		hole_cut(inode, &start, &end, start);
		if (start < end)
			hole_cut(inode, &start, &end, end - 1);
	}
	if (start < end)
		truncate_inode_pages_range(inode->i_mapping, (loff_t)start << PAGE_SHIFT,
					   ((loff_t)end << PAGE_SHIFT) - 1);
}

/* Has the memory of a page failed that is there, and that nobody removes? */
static bool page_has_failed(struct inode *inode, pgoff_t index)
{
	struct folio *folio;
	bool failed;

	rcu_read_lock();
	folio = xa_load(&inode->i_mapping->i_pages, index);
	failed = folio && PageHWPoison(folio_file_page(folio, index));
	rcu_read_unlock();
	return failed;
}

/* Remember those pages of the hole that are still there, because their folio could not be split. */
static bool hole_remember(struct inode *inode, struct gmem_hole *hole, pgoff_t base,
			  pgoff_t start, pgoff_t end)
{
	bool any = false;
	pgoff_t index;

	for (index = max(start, base); index < min(end, base + GMEM_HUGE_PAGES); index++) {
		bool there = folio_is_large(inode, index);

		__assign_bit(index - base, hole->pages, there);
		__assign_bit(index - base, hole->failed,
			     there && page_has_failed(inode, index));
		any |= there;
	}
	return any;
}

static void holes_retry_in(struct gmem_inode *gi, unsigned long delay)
{
	gi->holes_delay = delay;
	/* Not mod_delayed_work(), which wants the name of a workqueue: kernels differ in that. */
	cancel_delayed_work(&gi->holes_work);
	schedule_delayed_work(&gi->holes_work, delay);
}

static void hole_settle(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct gmem_inode *gi = GMEM_I(inode);
	struct gmem_hole *hole;
	bool any = false;
	unsigned long n;

	xa_for_each_range(&gi->holes, n, hole, start / GMEM_HUGE_PAGES,
			  (end - 1) / GMEM_HUGE_PAGES) {
		any |= hole_remember(inode, hole, n * GMEM_HUGE_PAGES, start, end);
		hole_free_if_empty(inode, n);
	}
	if (any)
		holes_retry_in(gi, HOLES_DELAY_MIN);
}

/*
 * From now on, faults in the range wait until the hole is punched, see folio.c. A fault on another
 * page of a folio would hold a reference to it while it waits for its lock, and the folio could
 * not be split.
 */
static void gmem_announce_hole(struct inode *inode, pgoff_t start, pgoff_t end)
{
	gmem_round_to_folios(inode, &start, &end);
	WRITE_ONCE(GMEM_I(inode)->hole_start, start);
	WRITE_ONCE(GMEM_I(inode)->hole_end, end);
}

/**
 * gmem_punch_hole() - free a range of the file
 * @inode: inode of a guest_memfd
 * @offset: in bytes, page aligned
 * @len: in bytes, page aligned, not 0
 *
 * Stands for kvm_gmem_punch_hole().
 *
 * The invalidate_lock covers zap and truncation, so that gmem_zap_begin() and gmem_zap_end()
 * walk the same bindings.
 *
 * Return: 0, or -ENOMEM before anything has changed, because a folio that may have to be split
 *	   cannot be remembered.
 */
long gmem_punch_hole(struct inode *inode, loff_t offset, loff_t len)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t start = offset >> PAGE_SHIFT;
	pgoff_t end = (offset + len) >> PAGE_SHIFT;
	int err;

	filemap_invalidate_lock(mapping);
	err = hole_prepare(inode, start) ?: hole_prepare(inode, end);
	if (err) {
		hole_free_if_empty(inode, start / GMEM_HUGE_PAGES);
		goto out;
	}

	gmem_announce_hole(inode, start, end);
	gmem_zap_begin(inode, start, end);
	hole_remove(inode, start, end);
	gmem_zap_end(inode, start, end);
	gmem_announce_hole(inode, 0, 0);
	hole_settle(inode, start, end);
out:
	filemap_invalidate_unlock(mapping);
	return err;
}

/* Can a page of a hole be given up, because it holds nothing that was written since? */
static bool page_is_unused(const struct gmem_hole *hole, struct folio *folio, pgoff_t index)
{
	struct page *page = folio_file_page(folio, index);
	void *kaddr;
	bool zero;

	if (PageHWPoison(page))
		return test_bit(index % GMEM_HUGE_PAGES, hole->failed);

	kaddr = kmap_local_page(page);
	zero = !memchr_inv(kaddr, 0, PAGE_SIZE);
	kunmap_local(kaddr);
	return zero;
}

/*
 * Give up a page of a hole, after its folio was split. No guest has the page mapped, and with the
 * folio locked and unmapped, nobody in the host can reach it. Whoever has a reference may write
 * to it.
 *
 * Returns false if this must be tried again.
 */
static bool hole_give_up_page(const struct gmem_hole *hole, struct address_space *mapping,
			      pgoff_t index)
{
	struct folio *folio = filemap_lock_folio(mapping, index);
	bool idle = true;

	if (IS_ERR_OR_NULL(folio))
		return true;

	if (!folio_test_large(folio)) {
		unmap_mapping_range(mapping, (loff_t)index << PAGE_SHIFT, PAGE_SIZE, 0);
		/* The page cache's and ours. Nobody writes to memory that has failed. */
		idle = folio_test_hwpoison(folio) || folio_ref_count(folio) == 2;
		if (idle && page_is_unused(hole, folio, index))
			compat_remove_folio(mapping, folio);
	}
	folio_unlock(folio);
	folio_put(folio);
	return idle;
}

/* Forget the pages that have been written to, and split the folio if there are others. */
static bool hole_split(struct inode *inode, struct gmem_hole *hole, pgoff_t base)
{
	pgoff_t index = base + find_first_bit(hole->pages, GMEM_HUGE_PAGES);
	struct folio *folio = filemap_lock_folio(inode->i_mapping, index);
	int err = 0;

	if (IS_ERR_OR_NULL(folio))
		return true;

	if (folio_test_large(folio)) {
		for (index = max(base, folio->index);
		     index < min(base + GMEM_HUGE_PAGES, folio_next_index(folio)); index++) {
			if (test_bit(index - base, hole->pages) &&
			    !page_is_unused(hole, folio, index))
				__clear_bit(index - base, hole->pages);
		}
		if (!bitmap_empty(hole->pages, GMEM_HUGE_PAGES))
			err = compat_split_folio(folio);
	}
	folio_unlock(folio);
	folio_put(folio);
	return !err;
}

/* Splitting leaves the pages where they are, so guests keep their mappings until it is done. */
static void hole_retry(struct inode *inode, struct gmem_hole *hole, unsigned long n)
{
	pgoff_t base = n * GMEM_HUGE_PAGES;
	unsigned long i;

	gmem_announce_hole(inode, base, base + GMEM_HUGE_PAGES);
	if (hole_split(inode, hole, base) && !bitmap_empty(hole->pages, GMEM_HUGE_PAGES)) {
		gmem_zap_begin(inode, base, base + GMEM_HUGE_PAGES);
		for_each_set_bit(i, hole->pages, GMEM_HUGE_PAGES) {
			if (hole_give_up_page(hole, inode->i_mapping, base + i))
				__clear_bit(i, hole->pages);
		}
		gmem_zap_end(inode, base, base + GMEM_HUGE_PAGES);
	}
	gmem_announce_hole(inode, 0, 0);
	hole_free_if_empty(inode, n);
}

/* A device can hold memory for as long as the guest runs, so attempts become rare. */
static void holes_retry(struct work_struct *work)
{
	struct gmem_inode *gi = container_of(work, struct gmem_inode, holes_work.work);
	struct inode *inode = &gi->vfs_inode;
	struct gmem_hole *hole;
	unsigned long n;

	filemap_invalidate_lock(inode->i_mapping);
	xa_for_each(&gi->holes, n, hole) {
		hole_retry(inode, hole, n);
		cond_resched();
	}
	if (!xa_empty(&gi->holes))
		holes_retry_in(gi, min_t(unsigned long, 2 * gi->holes_delay, HOLES_DELAY_MAX));
	filemap_invalidate_unlock(inode->i_mapping);
}

/**
 * gmem_holes_keep() - keep pages that were in a hole, because they are wanted again
 * @inode: inode of a guest_memfd
 * @start: page offset of the start
 * @end: page offset of the end, exclusive
 *
 * Context: may sleep. Takes the invalidate_lock if any page of the file is remembered.
 */
void gmem_holes_keep(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct gmem_inode *gi = GMEM_I(inode);
	struct gmem_hole *hole;
	unsigned long n;

	if (likely(xa_empty(&gi->holes)))
		return;

	filemap_invalidate_lock(inode->i_mapping);
	xa_for_each_range(&gi->holes, n, hole, start / GMEM_HUGE_PAGES,
			  (end - 1) / GMEM_HUGE_PAGES) {
		pgoff_t base = n * GMEM_HUGE_PAGES;
		pgoff_t from = max(start, base), to = min(end, base + GMEM_HUGE_PAGES);

		bitmap_clear(hole->pages, from - base, to - from);
		hole_free_if_empty(inode, n);
	}
	filemap_invalidate_unlock(inode->i_mapping);
}

/**
 * gmem_holes_init() - prepare an inode for holes
 * @gi: the inode, which nobody else can see yet
 */
void gmem_holes_init(struct gmem_inode *gi)
{
	gi->hole_start = 0;
	gi->hole_end = 0;
	xa_init(&gi->holes);
	INIT_DELAYED_WORK(&gi->holes_work, holes_retry);
}

/**
 * gmem_holes_forget() - undo gmem_holes_init() before the inode's folios are freed
 * @gi: an inode that is being evicted: it has no file
 *
 * Context: may sleep, until attempts to split folios have come to an end.
 */
void gmem_holes_forget(struct gmem_inode *gi)
{
	struct gmem_hole *hole;
	unsigned long n;

	/* No other file has folios that cannot be split. */
	if (!gi->huge)
		return;

	cancel_delayed_work_sync(&gi->holes_work);
	xa_for_each(&gi->holes, n, hole)
		kfree(hole);
	xa_destroy(&gi->holes);
}
