// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file system of guest_memfd files, and its inodes.
 *
 * Every inode of a file pins the module. Nothing that lives shorter would do: the VFS drops the
 * file's operations before it drops the inode, and an inotify watch or memory_failure() can hold
 * the inode long after the file and its reference to the mount are gone. The mount itself lasts
 * as long as the module and must not pin it, so the file system has no .owner.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../mempolicy.h"
#include "compat/fs_file.h"
#include "compat/mm_mapping.h"
#include "gmem.h"
#include "symbols.h"

static struct kmem_cache *gmem_inode_cache;
static struct vfsmount *gmem_mnt;

/*
 * Folios cannot be migrated, because guest mappings have no rmap. Where the kernel knows
 * unmovable mappings, it does not even call this.
 */
static int gmem_migrate_folio(struct address_space *mapping, struct folio *dst,
			      struct folio *src, enum migrate_mode mode)
{
	return -EINVAL;
}

COMPAT_DEFINE_ERROR_REMOVE(gmem_error_remove_folio)

static const struct address_space_operations gmem_address_space_operations = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = gmem_migrate_folio,
	COMPAT_ERROR_REMOVE(gmem_error_remove_folio),
};

static int gmem_setattr(COMPAT_MNT_IDMAP *idmap, struct dentry *dentry, struct iattr *attr)
{
	return -EINVAL;
}

static const struct inode_operations gmem_inode_operations = {
	.setattr = gmem_setattr,
};

static struct inode *gmem_alloc_inode(struct super_block *sb)
{
	struct gmem_inode *gi = alloc_inode_sb(sb, gmem_inode_cache, GFP_KERNEL);

	if (!gi)
		return NULL;

	kernel_call(mpol_shared_policy_init)(&gi->policy, NULL);
	INIT_LIST_HEAD(&gi->files);
	gmem_holes_init(gi);
	gi->flags = 0;
	gi->huge = GMEM_HUGE_NEVER;
	gi->pins_module = false;
	return &gi->vfs_inode;
}

static void gmem_evict_inode(struct inode *inode)
{
	gmem_holes_forget(GMEM_I(inode));
	truncate_inode_pages_final(inode->i_mapping);
	clear_inode(inode);
}

/* The root of the file system has an inode as well, which does not pin the module. */
static void gmem_destroy_inode(struct inode *inode)
{
	kernel_call(mpol_free_shared_policy)(&GMEM_I(inode)->policy);
	if (GMEM_I(inode)->pins_module)
		module_put(THIS_MODULE);
}

/* Runs after a grace period, because RCU path walks may still look at the inode. */
static void gmem_free_inode(struct inode *inode)
{
	kmem_cache_free(gmem_inode_cache, GMEM_I(inode));
}

static const struct super_operations gmem_super_operations = {
	.statfs = simple_statfs,
	.alloc_inode = gmem_alloc_inode,
	.evict_inode = gmem_evict_inode,
	.destroy_inode = gmem_destroy_inode,
	.free_inode = gmem_free_inode,
};

static int gmem_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, GUEST_MEMFD_MAGIC);

	if (!ctx)
		return -ENOMEM;

	ctx->ops = &gmem_super_operations;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type gmem_fs_type = {
	.name = "guest_memfd",
	.init_fs_context = gmem_init_fs_context,
	.kill_sb = kill_anon_super,
};

/*
 * alloc_anon_inode() marks the inode as private to the kernel, which hides it from the LSM. This
 * is undone here, and the LSM labels the inode by the class name that SELinux policies know.
 */
static struct inode *gmem_new_inode(struct super_block *sb, loff_t size, u64 flags)
{
	static const struct qstr name = QSTR_INIT(GMEM_NAME, sizeof(GMEM_NAME) - 1);
	struct inode *inode = alloc_anon_inode(sb);
	int err;

	if (IS_ERR(inode))
		return inode;

	__module_get(THIS_MODULE);
	GMEM_I(inode)->pins_module = true;

	inode->i_flags &= ~S_PRIVATE;
	err = kernel_call(security_inode_init_security_anon)(inode, &name, NULL);
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}

	inode->i_mode |= S_IFREG;
	inode->i_op = &gmem_inode_operations;
	inode->i_size = size;
	inode->i_mapping->a_ops = &gmem_address_space_operations;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	/* Folios are neither migrated nor reclaimed, because guest mappings have no rmap. */
	compat_mapping_pin(inode->i_mapping);
	GMEM_I(inode)->flags = flags;
	GMEM_I(inode)->huge = gmem_huge_of_new_file();
	/* Core mm counts folios of 2 MiB in another way where a mapping is not said to have any. */
	if (GMEM_I(inode)->huge)
		mapping_set_large_folios(inode->i_mapping);

	/*
	 * khugepaged and MADV_COLLAPSE work on any regular file that is not open for writing,
	 * and would build a large folio here. An inode that always counts as open for writing
	 * keeps them out. The count is freed together with the inode.
	 */
	err = get_write_access(inode);
	WARN_ON_ONCE(err);
	return inode;
}

/**
 * gmem_open() - create an inode, and a file of it
 * @size: in bytes, a multiple of the page size; it never changes
 * @flags: GUEST_MEMFD_FLAG_*
 *
 * Stands for the part of __kvm_gmem_create() that is about the file system.
 *
 * Context: may sleep. The caller holds a reference to the module; the inode takes its own.
 * Return: a file without private_data, or an ERR_PTR.
 */
struct file *gmem_open(loff_t size, u64 flags)
{
	struct inode *inode = gmem_new_inode(gmem_mnt->mnt_sb, size, flags);
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);

	file = alloc_file_pseudo(inode, gmem_mnt, GMEM_NAME, O_RDWR, &gmem_file_operations);
	if (IS_ERR(file)) {
		iput(inode);
		return file;
	}

	file->f_flags |= O_LARGEFILE;
	return file;
}

/* Runs once for each slab object, so it initialises only what every use leaves as it found it. */
static void gmem_init_inode_once(void *object)
{
	struct gmem_inode *gi = object;

	inode_init_once(&gi->vfs_inode);
}

/**
 * gmem_start() - find the functions that the kernel does not export, and mount the file system
 *
 * Context: module init.
 * Return: 0, -ENOMEM, -ENOENT after one line in the log that names a missing function, or an
 *	   error from kern_mount().
 */
int gmem_start(void)
{
	int err = mempolicy_symbols_resolve() ?: gmem_symbols_resolve();

	if (err)
		return err;

	gmem_inode_cache = kmem_cache_create("kvm_gmem_numa_inode", sizeof(struct gmem_inode), 0,
					     SLAB_ACCOUNT, gmem_init_inode_once);
	if (!gmem_inode_cache)
		return -ENOMEM;

	gmem_mnt = kern_mount(&gmem_fs_type);
	if (IS_ERR(gmem_mnt)) {
		err = PTR_ERR(gmem_mnt);
		gmem_mnt = NULL;
		/* The root's inode, if it was allocated, is freed after a grace period. */
		rcu_barrier();
		kmem_cache_destroy(gmem_inode_cache);
	}
	return err;
}

/**
 * gmem_stop() - unmount the file system, and destroy the slab cache
 *
 * Does nothing if gmem_start() was not called or has failed.
 *
 * No inode pins the module any longer. But a task that closed the last file may still be about
 * to drop its reference to the mount. It must not be the last one to do so, because the file
 * system type would be gone by then. may_umount() allows for two references.
 *
 * Context: module init or exit, after redirects_quiesce(), which has also waited for tasks in
 *	    gmem_destroy_inode().
 */
void gmem_stop(void)
{
	if (!gmem_mnt)
		return;

	mntget(gmem_mnt);
	while (!may_umount(gmem_mnt))
		schedule_timeout_uninterruptible(1);
	mntput(gmem_mnt);

	kern_unmount(gmem_mnt);
	rcu_barrier();
	kmem_cache_destroy(gmem_inode_cache);
}
