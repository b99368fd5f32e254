// SPDX-License-Identifier: GPL-2.0-only
/* taking a reference to a file that may be released (get_file_active() from 6.7 on) */
#include <linux/fs.h>

#ifdef PROBE_NEW
static_assert(__same_type(get_file_active, struct file *(struct file **)));
#endif

#ifdef PROBE_ODD
void *probe = get_file_active;
#endif
