// SPDX-License-Identifier: GPL-2.0-only
/* filling private memory before the guest starts (kvm_gmem_populate() from 6.11 on) */
#include <linux/kvm_host.h>

#ifdef PROBE_NEW
void *probe = kvm_gmem_populate;
#endif
