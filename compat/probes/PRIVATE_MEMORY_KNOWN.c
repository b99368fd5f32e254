// SPDX-License-Identifier: GPL-2.0-only
/* what a page in a guest_memfd's page cache means to KVM (as up to 7.3) */
#include <linux/version.h>

/*
 * No header shows this, and the module adds pages there. So a version that nobody has read decides,
 * and no newer one is taken for known. GMEM_FORCE=1 does not override it.
 */
#ifdef PROBE_NEW
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0)
#error newer
#endif
#endif
