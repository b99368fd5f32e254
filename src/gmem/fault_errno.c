// SPDX-License-Identifier: GPL-2.0-only
/*
 * The errno of a failed guest fault.
 *
 * From 6.18 on, KVM_RUN and KVM_PRE_FAULT_MEMORY fail with the error that guest_memfd reported.
 * Earlier, the function that we replace can only return an error pfn, which KVM turns into
 * -EFAULT. So the task replaces that result by the error when the ioctl returns to user space,
 * in task work.
 *
 * An earlier version redirected the functions around the fault instead. That makes the faults of
 * every VM on the host more expensive, and the error has to be looked up by its task. With task
 * work, only the task whose fault failed does anything. One difference is visible: audit and the
 * sys_exit tracepoint run before task work, and still see EFAULT. strace sees the error, because
 * a task does its task work before it stops for its tracer.
 */
#include <linux/module.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include <asm/syscall.h>

#include "gmem.h"
#include "symbols.h"

struct fault_errno {
	struct callback_head work;
	int err;
};

/*
 * The system call need not have failed with EFAULT. KVM_PRE_FAULT_MEMORY succeeds if it had
 * mapped anything before the failure. And if KVM has handled the error pfn in another way, the
 * call is still in progress, and has no result yet.
 */
static void fault_errno_tell(struct callback_head *work)
{
	struct fault_errno *e = container_of(work, struct fault_errno, work);
	struct pt_regs *regs = task_pt_regs(current);

	if (syscall_get_error(current, regs) == -EFAULT)
		syscall_set_return_value(current, regs, e->err, 0);
	kfree(e);
	module_put(THIS_MODULE);
}

/**
 * gmem_fault_errno() - make the ioctl in which a guest fault failed return this error
 * @err: the error
 *
 * The ioctl still returns EFAULT if there is no memory to remember the error, or the task is
 * exiting.
 *
 * Context: the vCPU's task, in its ioctl; kvm->srcu held, so the bound slot, and with it this
 *	    module, stays.
 */
void gmem_fault_errno(int err)
{
	struct fault_errno *e;

	if (err == -EFAULT)
		return;

	/* Not charged to the memory cgroup, whose limit may be the very error to be reported. */
	e = kmalloc(sizeof(*e), GFP_KERNEL | __GFP_NOWARN);
	if (!e)
		return;

	init_task_work(&e->work, fault_errno_tell);
	e->err = err;
	__module_get(THIS_MODULE);
	if (kernel_call(task_work_add)(current, &e->work, TWA_RESUME)) {
		module_put(THIS_MODULE);
		kfree(e);
	}
}
