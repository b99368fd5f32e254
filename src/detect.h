/* SPDX-License-Identifier: GPL-2.0-only */
/* What the running kernel provides itself. */
#ifndef _GMEM_DETECT_H
#define _GMEM_DETECT_H

int features_detect(void);

#endif /* _GMEM_DETECT_H */
