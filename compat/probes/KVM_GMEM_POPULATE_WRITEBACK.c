// SPDX-License-Identifier: GPL-2.0-only
/* filling private memory from pages that may be written to (kvm_gmem_populate() of 7.3) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
static_assert(__same_type(kvm_gmem_populate,
			  long (struct kvm *, gfn_t, void __user *, long, bool,
				kvm_gmem_populate_cb, void *)));
#endif

#ifdef PROBE_ODD
static_assert(!__same_type(kvm_gmem_populate,
			   long (struct kvm *, gfn_t, void __user *, long, kvm_gmem_populate_cb,
				 void *)));
#endif
