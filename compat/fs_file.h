/* SPDX-License-Identifier: GPL-2.0-only */
/* Files and inodes. */
#ifndef _GMEM_COMPAT_FS_FILE_H
#define _GMEM_COMPAT_FS_FILE_H

#include <linux/fs.h>
#include <linux/pagemap.h>

#include "compat/have.h"

/*
 * get_file_active() came with 6.7, since which a freed struct file can be reused at once. Before,
 * RCU keeps a file that was found.
 */
#ifdef HAVE_GET_FILE_ACTIVE
#define compat_get_file_active get_file_active
#else
static inline struct file *compat_get_file_active(struct file **p)
{
	struct file *file;

	rcu_read_lock();
	file = READ_ONCE(*p);
	if (file && !get_file_rcu(file))
		file = NULL;
	rcu_read_unlock();
	return file;
}
#endif

/* Until 6.2, a user namespace described an idmapped mount. */
#ifdef HAVE_MNT_IDMAP
#define COMPAT_MNT_IDMAP struct mnt_idmap
#else
#define COMPAT_MNT_IDMAP struct user_namespace
#endif

/* Until 6.7, the callback was error_remove_page(), with a page as its argument. */
#ifdef HAVE_ERROR_REMOVE_FOLIO
#define COMPAT_DEFINE_ERROR_REMOVE(fn)
#define COMPAT_ERROR_REMOVE(fn) .error_remove_folio = fn
#else
#define COMPAT_DEFINE_ERROR_REMOVE(fn)							\
	static int fn##_page(struct address_space *mapping, struct page *page)		\
	{										\
		return fn(mapping, page_folio(page));					\
	}
#define COMPAT_ERROR_REMOVE(fn) .error_remove_page = fn##_page
#endif

#endif /* _GMEM_COMPAT_FS_FILE_H */
