// SPDX-License-Identifier: GPL-2.0-only
/* keeping folios from being moved (mapping_set_inaccessible() from 6.12 on) */
#include <linux/pagemap.h>

#ifdef PROBE_NEW
static_assert(__same_type(mapping_set_inaccessible, void (struct address_space *)));
#endif

#ifdef PROBE_ODD
void *probe = mapping_set_inaccessible;
#endif
