/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module tells user space about itself. */
#ifndef _GMEM_STATUS_H
#define _GMEM_STATUS_H

int status_publish(void);
void status_withdraw(void);
void status_log(void);

#endif /* _GMEM_STATUS_H */
