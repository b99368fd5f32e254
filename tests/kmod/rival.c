// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a function the way a live patch does. With direct=Y, holds it the way a BPF program does
 * that cannot share the function with a live patch; with direct=Y agrees=Y, like a BPF program
 * that can, if it is asked to. The tests use this module to see that kvm-gmem-numa reports such a
 * holder instead of loading, does not lose the function once it is loaded, and tells the holder
 * when it no longer needs the function.
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

/*
 * How often ftrace asked, for another user of the function, whether that user may change where the
 * function's calls go, and how often ftrace said that it no longer does: a BPF trampoline goes by
 * what it was told last.
 */
static int asked, released;
module_param(asked, int, 0444);
module_param(released, int, 0444);

/*
 * Where the last call had to continue: a BPF trampoline that shares the function calls this
 * address from a register, so a CPU with IBT needs an ENDBR there. "none" before the first call.
 */
unsigned long rival_landing;

static int landing_get(char *buf, const struct kernel_param *kp)
{
	static const u8 endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	const u8 *at = (const u8 *)READ_ONCE(rival_landing);

	if (!at)
		return sysfs_emit(buf, "none\n");
	return sysfs_emit(buf, "%s %pS\n", memcmp(at, endbr, sizeof(endbr)) ? "elsewhere" : "endbr", at);
}

/* Whether the kernel was built to enforce that. */
static bool ibt = IS_ENABLED(CONFIG_X86_KERNEL_IBT);
module_param(ibt, bool, 0444);

static const struct kernel_param_ops landing_ops = { .get = landing_get };
module_param_cb(landing, &landing_ops, NULL, 0444);

static void notrace rival_callback(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

/* A trampoline is called in place of fentry; this one only records its return address. */
void rival_trampoline(void);
asm("	.pushsection .text, \"ax\", @progbits\n"
    "	.type rival_trampoline, @function\n"
    "	.globl rival_trampoline\n"
    "rival_trampoline:\n"
	ASM_ENDBR
    "	push %rax\n"
    "	mov 8(%rsp), %rax\n"
    "	mov %rax, rival_landing(%rip)\n"
    "	pop %rax\n"
	ASM_RET
    "	.size rival_trampoline, . - rival_trampoline\n"
    "	.popsection\n");

static int rival_asked(struct ftrace_ops *ops, enum ftrace_ops_cmd cmd)
{
	if (cmd == FTRACE_OPS_CMD_ENABLE_SHARE_IPMODIFY_PEER)
		asked++;
	if (cmd == FTRACE_OPS_CMD_DISABLE_SHARE_IPMODIFY_PEER)
		released++;
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
