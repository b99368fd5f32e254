/* SPDX-License-Identifier: GPL-2.0-only */
/* Ioctls of the architecture. */
#ifndef _GMEM_COMPAT_KVM_IOCTL_H
#define _GMEM_COMPAT_KVM_IOCTL_H

#include <linux/kvm_host.h>

/* long in 6.1, int in 6.8. The register is the same, the prototype is not. */
#define COMPAT_ARCH_VM_IOCTL_TYPE typeof(kvm_arch_vm_ioctl(NULL, 0, 0))

#endif /* _GMEM_COMPAT_KVM_IOCTL_H */
