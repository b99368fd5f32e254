/* SPDX-License-Identifier: GPL-2.0-only */
/* What every supported kernel has. Included ahead of every file. */
#ifndef _GMEM_COMPAT_SUPPORTED_H
#define _GMEM_COMPAT_SUPPORTED_H

#include <linux/kconfig.h>

#if !IS_ENABLED(CONFIG_X86_64) || !IS_ENABLED(CONFIG_KVM)
#error kvm-gmem-numa: this kernel has no KVM for x86-64
#endif

#if !IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) || !IS_ENABLED(CONFIG_KPROBES)
#error kvm-gmem-numa: this kernel lacks CONFIG_DYNAMIC_FTRACE_WITH_ARGS or CONFIG_KPROBES
#endif

#if !IS_ENABLED(CONFIG_HAVE_STATIC_CALL_INLINE)
#error kvm-gmem-numa: this kernel has no inline static calls (CONFIG_HAVE_STATIC_CALL_INLINE)
#endif

#endif /* _GMEM_COMPAT_SUPPORTED_H */
