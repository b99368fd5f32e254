/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest faults before 6.13. */
#ifndef _GMEM_COMPAT_KVM_GFN_TO_PFN_H
#define _GMEM_COMPAT_KVM_GFN_TO_PFN_H

#include <linux/kvm_host.h>

#include "compat/have.h"

/*
 * Since 6.2 a fault can be interruptible, and end as if it had been. Before, a
 * failure cannot be put off until somebody listens, so faults are followed from the
 * first bound slot on, see gmem/fault_errno.c.
 */
#ifdef HAVE_KVM_PFN_ERR_SIGPENDING
#define COMPAT_INTERRUPTIBLE_PARAMETER bool interruptible,
#define COMPAT_INTERRUPTIBLE interruptible,
#define COMPAT_INTERRUPTIBLE_FALSE false,
#define COMPAT_FOLLOW_ALL_FAULTS false
#define COMPAT_PFN_ERR_AGAIN KVM_PFN_ERR_SIGPENDING
#else
#define COMPAT_INTERRUPTIBLE_PARAMETER
#define COMPAT_INTERRUPTIBLE
#define COMPAT_INTERRUPTIBLE_FALSE
#define COMPAT_FOLLOW_ALL_FAULTS true
#define COMPAT_PFN_ERR_AGAIN KVM_PFN_ERR_FAULT
#endif

#endif /* _GMEM_COMPAT_KVM_GFN_TO_PFN_H */
