/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions for ioctls of the architecture. */
#ifndef _GMEM_COMPAT_KVM_IOCTL_H
#define _GMEM_COMPAT_KVM_IOCTL_H

#include <linux/kvm_host.h>

/*
 * The function returns a long in 6.1 and an int in 6.8: a replacement must have the same
 * prototype.
 */
#define COMPAT_ARCH_VM_IOCTL_TYPE typeof(kvm_arch_vm_ioctl(NULL, 0, 0))

#endif /* _GMEM_COMPAT_KVM_IOCTL_H */
