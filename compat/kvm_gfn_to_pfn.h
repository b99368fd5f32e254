/* SPDX-License-Identifier: GPL-2.0-only */
/* The arguments of a guest fault before 6.13. */
#ifndef _GMEM_COMPAT_KVM_GFN_TO_PFN_H
#define _GMEM_COMPAT_KVM_GFN_TO_PFN_H

#include <linux/kvm_host.h>

#include "compat/have.h"

/* Since 6.2, a fault can be interruptible. */
#ifdef HAVE_KVM_PFN_ERR_SIGPENDING
#define COMPAT_INTERRUPTIBLE_PARAMETER bool interruptible,
#define COMPAT_INTERRUPTIBLE interruptible,
#define COMPAT_INTERRUPTIBLE_FALSE false,
#else
#define COMPAT_INTERRUPTIBLE_PARAMETER
#define COMPAT_INTERRUPTIBLE
#define COMPAT_INTERRUPTIBLE_FALSE
#endif

#endif /* _GMEM_COMPAT_KVM_GFN_TO_PFN_H */
