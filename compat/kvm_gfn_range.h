/* SPDX-License-Identifier: GPL-2.0-only */
/* Which mappings of a range of gfns to zap. */
#ifndef _GMEM_COMPAT_KVM_GFN_RANGE_H
#define _GMEM_COMPAT_KVM_GFN_RANGE_H

#include <linux/kvm_host.h>

#include "compat/have.h"

/*
 * attr_filter selects private or shared mappings (dca6c8853232, 6.14, backported to
 * 6.12-stable). VMs without private memory have only shared ones.
 */
static inline void compat_gfn_range_set_shared(struct kvm_gfn_range *range)
{
#ifdef HAVE_KVM_GFN_RANGE_ATTR_FILTER
	range->attr_filter = KVM_FILTER_SHARED;
#endif
}

#endif /* _GMEM_COMPAT_KVM_GFN_RANGE_H */
