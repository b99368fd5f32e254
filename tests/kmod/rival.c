// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a function the way a live patch does; with direct=Y, the way a BPF program does that
 * cannot live with one, and with direct=Y agrees=Y, one that can, when it is told. To see
 * that the module says so instead of loading, is not robbed of the function once loaded, and
 * tells.
 */
#include <linux/ftrace.h>
#include <linux/linkage.h>
#include <linux/module.h>

#ifdef RIVAL_DIRECT_IS_MULTI
#define register_ftrace_direct register_ftrace_direct_multi
#define unregister_ftrace_direct(ops, addr, free) \
	((void)(free), unregister_ftrace_direct_multi(ops, addr))
#endif

static char *function;
module_param(function, charp, 0444);

static bool direct;
module_param(direct, bool, 0444);

static bool agrees;
module_param(agrees, bool, 0444);

/* How often somebody asked whether he may change where this function's calls go. */
static int asked;
module_param(asked, int, 0444);

static void notrace rival_callback(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

/* A trampoline is called in place of fentry; this one has nothing to do. */
void rival_trampoline(void);
asm("	.pushsection .text, \"ax\", @progbits\n"
    "	.type rival_trampoline, @function\n"
    "	.globl rival_trampoline\n"
    "rival_trampoline:\n"
	ASM_ENDBR
	ASM_RET
    "	.size rival_trampoline, . - rival_trampoline\n"
    "	.popsection\n");

static int rival_asked(struct ftrace_ops *ops, enum ftrace_ops_cmd cmd)
{
	if (cmd == FTRACE_OPS_CMD_ENABLE_SHARE_IPMODIFY_PEER)
		asked++;
	return 0;
}

static struct ftrace_ops rival_ops;

static int rival_register(void)
{
	if (direct) {
		rival_ops.ops_func = agrees ? rival_asked : NULL;
		return register_ftrace_direct(&rival_ops, (unsigned long)rival_trampoline);
	}
	rival_ops.func = rival_callback;
	rival_ops.flags = FTRACE_OPS_FL_IPMODIFY;
	return register_ftrace_function(&rival_ops);
}

static int __init rival_init(void)
{
	int err = ftrace_set_filter(&rival_ops, function, strlen(function), 1);

	err = err ?: rival_register();
	if (err)
		ftrace_free_filter(&rival_ops);
	return err;
}

static void __exit rival_exit(void)
{
	if (direct)
		unregister_ftrace_direct(&rival_ops, (unsigned long)rival_trampoline, false);
	else
		unregister_ftrace_function(&rival_ops);
	ftrace_free_filter(&rival_ops);
}

module_init(rival_init);
module_exit(rival_exit);
MODULE_DESCRIPTION("Test: what a live patch does");
MODULE_LICENSE("GPL");
