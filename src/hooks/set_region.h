/* SPDX-License-Identifier: GPL-2.0-only */
/* Asking KVM for a memslot. */
#ifndef _GMEM_SET_REGION_H
#define _GMEM_SET_REGION_H

#include <linux/fs.h>
#include <uapi/kvm_gmem_numa.h>

long hook_set_region(struct file *filp, const struct kvm_userspace_memory_region2 *mem);

#endif /* _GMEM_SET_REGION_H */
