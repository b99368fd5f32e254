/* SPDX-License-Identifier: GPL-2.0-only */
/* Which mappings of a gfn range to zap. */
#ifndef _GMEM_COMPAT_KVM_GFN_RANGE_H
#define _GMEM_COMPAT_KVM_GFN_RANGE_H

#include <linux/kvm_host.h>

/*
 * attr_filter tells private from shared mappings (dca6c8853232, 6.14, in
 * 6.12-stable since). VMs without private memory have shared ones only.
 */
#define GMEM_GFN_RANGE_SHARED .attr_filter = KVM_FILTER_SHARED

#endif /* _GMEM_COMPAT_KVM_GFN_RANGE_H */
