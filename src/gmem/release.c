// SPDX-License-Identifier: GPL-2.0-only
/* The last reference to a file is dropped. */
#include <linux/fs.h>
#include <linux/kvm_host.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "gmem.h"

/**
 * gmem_release() - file_operations.release
 * @inode: its inode
 * @file: a guest_memfd
 *
 * Stands for kvm_gmem_release(). Slots that are still bound stay marked as bound and lose the
 * file, so that guest faults fail and do not fall back to the memory at userspace_addr.
 * slots_lock keeps gmem_unbind() from freeing their bindings at the same time. The pages are
 * freed with the inode.
 *
 * Return: 0.
 */
int gmem_release(struct inode *inode, struct file *file)
{
	struct gmem_file *f = file->private_data;
	struct gmem_binding *binding;
	struct kvm *kvm = f->kvm;
	unsigned long index;

	mutex_lock(&kvm->slots_lock);
	filemap_invalidate_lock(inode->i_mapping);

	xa_for_each(&f->bindings, index, binding)
		WRITE_ONCE(binding->file, NULL);

	gmem_file_zap_begin(f, 0, ULONG_MAX);
	gmem_file_zap_end(f, 0, ULONG_MAX);
	list_del(&f->entry);

	filemap_invalidate_unlock(inode->i_mapping);
	mutex_unlock(&kvm->slots_lock);

	xa_destroy(&f->bindings);
	kfree(f);
	kvm_put_kvm(kvm);
	return 0;
}
