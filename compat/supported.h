/* SPDX-License-Identifier: GPL-2.0-only */
/* Which kernels this source is for. Nothing outside compat/ asks. */
#ifndef _GMEM_COMPAT_SUPPORTED_H
#define _GMEM_COMPAT_SUPPORTED_H

#include <linux/kconfig.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#error kvm-gmem-numa: this kernel is not supported, only 6.12 is
#endif

#if !IS_ENABLED(CONFIG_X86_64) || !IS_ENABLED(CONFIG_KVM)
#error kvm-gmem-numa: this kernel has no KVM for x86-64
#endif

#if !IS_ENABLED(CONFIG_NUMA) || !IS_ENABLED(CONFIG_KVM_PRIVATE_MEM)
#error kvm-gmem-numa: this kernel lacks CONFIG_NUMA or CONFIG_KVM_PRIVATE_MEM
#endif

#if !IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) || !IS_ENABLED(CONFIG_KPROBES)
#error kvm-gmem-numa: this kernel lacks CONFIG_DYNAMIC_FTRACE_WITH_ARGS or CONFIG_KPROBES
#endif

#endif /* _GMEM_COMPAT_SUPPORTED_H */
