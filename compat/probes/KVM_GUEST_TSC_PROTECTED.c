// SPDX-License-Identifier: GPL-2.0-only
/* vCPUs whose TSC is protected (adafea110600, 6.16) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
static_assert(__same_type(((struct kvm_vcpu *)0)->arch.guest_tsc_protected, bool));
#endif

#ifdef PROBE_ODD
static_assert(sizeof_field(struct kvm_vcpu, arch.guest_tsc_protected));
#endif
