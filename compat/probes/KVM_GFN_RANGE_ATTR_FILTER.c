// SPDX-License-Identifier: GPL-2.0-only
/* struct kvm_gfn_range: which mappings to zap (dca6c8853232, 6.14, in 6.12-stable since) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
struct kvm_gfn_range probe = { .attr_filter = KVM_FILTER_SHARED, .may_block = true };
#endif

#ifdef PROBE_ODD
static_assert(sizeof_field(struct kvm_gfn_range, attr_filter));
#endif
