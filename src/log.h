/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines in the kernel's log that ask a person to act. */
#ifndef _GMEM_LOG_H
#define _GMEM_LOG_H

#include <linux/printk.h>

/**
 * log_refused() - say why something that was asked for was not done
 * @what: what was asked for, and that it was not done
 * @fmt: as for printk(): the cause and, where there is one, the remedy
 *
 * One line, rate-limited.
 */
#define log_refused(what, fmt, ...) pr_err_ratelimited("%s: " fmt, what, ##__VA_ARGS__)

#endif /* _GMEM_LOG_H */
