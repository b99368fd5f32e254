// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file system behind guest_memfd files, and its inodes.
 *
 * It is mounted when the first file is created and goes with the last one.
 * That is what makes unloading sound: __fput() drops file_operations before
 * it drops the inode, the mount and the super block, and all of these still
 * call this module. A super block pins its file system type, hence the
 * module, until the VFS has made its last call. A mount kept for the life of
 * the module would pin it for ever; one without .owner would not pin it long
 * enough.
 */
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>

#include "../symbol/symbol.h"
#include "gmem.h"

static struct kmem_cache *gmem_inode_cache;
static struct vfsmount *gmem_mnt;
static int gmem_mnt_users;

static int gmem_migrate_folio(struct address_space *mapping, struct folio *dst,
			      struct folio *src, enum migrate_mode mode)
{
	/* The mapping is unmovable, so mm never comes here. */
	WARN_ON_ONCE(1);
	return -EINVAL;
}

static const struct address_space_operations gmem_address_space_operations = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = gmem_migrate_folio,
	.error_remove_folio = gmem_error_remove_folio,
};

static int gmem_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
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
	gi->flags = 0;
	return &gi->vfs_inode;
}

static void gmem_destroy_inode(struct inode *inode)
{
	kernel_call(mpol_free_shared_policy)(&GMEM_I(inode)->policy);
}

/* Runs after a grace period: RCU path walks may still look at the inode. */
static void gmem_free_inode(struct inode *inode)
{
	kmem_cache_free(gmem_inode_cache, GMEM_I(inode));
}

static const struct super_operations gmem_super_operations = {
	.statfs = simple_statfs,
	.alloc_inode = gmem_alloc_inode,
	.destroy_inode = gmem_destroy_inode,
	.free_inode = gmem_free_inode,
};

static int gmem_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, GUEST_MEMFD_MAGIC);

	if (!ctx)
		return -ENOMEM;

	ctx->ops = &gmem_super_operations;
	/*
	 * Whoever creates the first file mounts for all: the super block must
	 * not belong to that task's user namespace.
	 */
	fc->global = true;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type gmem_fs_type = {
	.owner = THIS_MODULE,
	.name = "guest_memfd",
	.init_fs_context = gmem_init_fs_context,
	.kill_sb = kill_anon_super,
};

/*
 * alloc_anon_inode() marks the inode private to the kernel, which hides it
 * from the LSM; undo that and have it labelled with the class that SELinux
 * policies know.
 */
static struct inode *gmem_new_inode(struct super_block *sb, loff_t size, u64 flags)
{
	struct inode *inode = alloc_anon_inode(sb);
	int err;

	if (IS_ERR(inode))
		return inode;

	inode->i_flags &= ~S_PRIVATE;
	err = kernel_call(security_inode_init_security_anon)(inode, &QSTR(GMEM_NAME), NULL);
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}

	inode->i_mode |= S_IFREG;
	inode->i_op = &gmem_inode_operations;
	inode->i_size = size;
	inode->i_mapping->a_ops = &gmem_address_space_operations;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	/* Neither migrated nor reclaimed: guest mappings have no rmap. */
	mapping_set_inaccessible(inode->i_mapping);
	GMEM_I(inode)->flags = flags;

	/*
	 * khugepaged and MADV_COLLAPSE take any regular file that nobody has
	 * open for writing, and would build a large folio here. A writer who
	 * never leaves keeps them out; the count goes with the inode.
	 */
	err = get_write_access(inode);
	WARN_ON_ONCE(err);
	return inode;
}

/**
 * gmem_open() - a new inode, and the file that holds it
 * @size: in bytes, a multiple of the page size; it never changes
 * @flags: GUEST_MEMFD_FLAG_*
 *
 * Stands for the file system half of __kvm_gmem_create().
 *
 * Context: may sleep. The caller holds a reference on the module.
 * Return: a file without private_data, whose release must call gmem_close();
 *	   or an ERR_PTR.
 */
struct file *gmem_open(loff_t size, u64 flags)
{
	struct inode *inode;
	struct file *file;
	int err;

	err = simple_pin_fs(&gmem_fs_type, &gmem_mnt, &gmem_mnt_users);
	if (err)
		return ERR_PTR(err);

	inode = gmem_new_inode(gmem_mnt->mnt_sb, size, flags);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto err_fs;
	}

	file = alloc_file_pseudo(inode, gmem_mnt, GMEM_NAME, O_RDWR, &gmem_file_operations);
	if (IS_ERR(file))
		goto err_inode;

	file->f_flags |= O_LARGEFILE;
	return file;

err_inode:
	iput(inode);
err_fs:
	gmem_close();
	return file;
}

/**
 * gmem_close() - undo what gmem_open() did to the mount
 *
 * The file holds the mount by itself until __fput() is through with it.
 */
void gmem_close(void)
{
	simple_release_fs(&gmem_mnt, &gmem_mnt_users);
}

/* Runs once for each slab object, so: only what every use leaves as it was. */
static void gmem_init_inode_once(void *object)
{
	struct gmem_inode *gi = object;

	inode_init_once(&gi->vfs_inode);
}

/**
 * gmem_inode_cache_create() - create the slab cache of inodes
 *
 * Return: 0 or -ENOMEM.
 */
int gmem_inode_cache_create(void)
{
	gmem_inode_cache = kmem_cache_create("kvm_gmem_numa_inode", sizeof(struct gmem_inode), 0,
					     SLAB_ACCOUNT, gmem_init_inode_once);
	return gmem_inode_cache ? 0 : -ENOMEM;
}

/**
 * gmem_inode_cache_destroy() - destroy the slab cache of inodes
 *
 * All files are closed; their inodes may still wait for RCU.
 */
void gmem_inode_cache_destroy(void)
{
	rcu_barrier();
	kmem_cache_destroy(gmem_inode_cache);
}
