// SPDX-License-Identifier: GPL-2.0-only
/* how an ftrace callback reads arguments and redirects the call (ftrace_regs_*() from 6.2 on) */
#include <linux/ftrace.h>

#ifdef PROBE_NEW
unsigned long probe(struct ftrace_regs *fregs);

unsigned long probe(struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, 0);
	return ftrace_regs_get_argument(fregs, 0);
}
#endif

#ifdef PROBE_OLD
unsigned long probe(struct ftrace_regs *fregs);

unsigned long probe(struct ftrace_regs *fregs)
{
	ftrace_instruction_pointer_set(fregs, 0);
	return regs_get_kernel_argument(&fregs->regs, 0);
}
#endif
