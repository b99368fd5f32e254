// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a function the way a live patch does, to see that the module says so
 * instead of loading, and is not robbed of it once loaded.
 */
#include <linux/ftrace.h>
#include <linux/module.h>

static char *function;
module_param(function, charp, 0444);

static void notrace rival_callback(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops rival_ops = {
	.func = rival_callback,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int __init rival_init(void)
{
	int err = ftrace_set_filter(&rival_ops, function, strlen(function), 1);

	err = err ?: register_ftrace_function(&rival_ops);
	if (err)
		ftrace_free_filter(&rival_ops);
	return err;
}

static void __exit rival_exit(void)
{
	unregister_ftrace_function(&rival_ops);
	ftrace_free_filter(&rival_ops);
}

module_init(rival_init);
module_exit(rival_exit);
MODULE_DESCRIPTION("Test: what a live patch does");
MODULE_LICENSE("GPL");
