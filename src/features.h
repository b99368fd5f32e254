/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _GMEM_FEATURES_H
#define _GMEM_FEATURES_H

int features_publish(void);
void features_withdraw(void);
void features_log(void);

#endif /* _GMEM_FEATURES_H */
