/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers that an ftrace callback can read and change. */
#ifndef _GMEM_COMPAT_FTRACE_REGS_H
#define _GMEM_COMPAT_FTRACE_REGS_H

#include <linux/ftrace.h>

#include "compat/have.h"

/* The accessors came with 6.2. Before, struct ftrace_regs contains a struct pt_regs. */
#ifndef HAVE_FTRACE_REGS_ACCESSORS
#define ftrace_regs_get_argument(fregs, n) regs_get_kernel_argument(&(fregs)->regs, n)
#define ftrace_regs_set_instruction_pointer(fregs, ip) ftrace_instruction_pointer_set(fregs, ip)
#endif

#endif /* _GMEM_COMPAT_FTRACE_REGS_H */
