// SPDX-License-Identifier: GPL-2.0-only
/* how idmapped mounts are described (struct mnt_idmap from 6.3 on) */
#include <linux/fs.h>

#ifdef PROBE_NEW
static_assert(__same_type(((const struct inode_operations *)0)->setattr,
			  int (*)(struct mnt_idmap *, struct dentry *, struct iattr *)));
#endif

#ifdef PROBE_OLD
static_assert(__same_type(((const struct inode_operations *)0)->setattr,
			  int (*)(struct user_namespace *, struct dentry *, struct iattr *)));
#endif
