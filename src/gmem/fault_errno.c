// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a guest fault failed.
 *
 * From 6.18 on, KVM_RUN and KVM_PRE_FAULT_MEMORY fail with the error that guest_memfd
 * reported. Earlier, an error pfn is all that can be returned from the place where we serve the
 * fault, and KVM makes -EFAULT of it. So the error is put in place of that where the ioctl
 * returns to user space, by work that the task does on its way there.
 *
 * The functions around the fault could be redirected instead, as was done once. That costs the
 * faults of every VM on the host, and something has to find the fault's error again by its task.
 * Here only the task that failed does anything. What shows of it: audit and the sys_exit
 * tracepoint, which come before that work is done, still see EFAULT. strace does not: a task that
 * stops for its tracer does such work first.
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
 * The system call may have ended otherwise: KVM_PRE_FAULT_MEMORY with what it had done before the
 * failure, which is a success. Or it goes on, if KVM found a use for the error: then there is no
 * result yet.
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
 * gmem_fault_errno() - let the ioctl that faults fail with this error
 * @err: the error
 *
 * Where there is no memory to remember it, or the task is exiting, EFAULT it stays.
 *
 * Context: the vCPU's task, in its ioctl; kvm->srcu held, in which a slot is bound.
 */
void gmem_fault_errno(int err)
{
	struct fault_errno *e;

	if (err == -EFAULT)
		return;

	/* Not accounted: the memory cgroup may be the one whose limit is to be reported. */
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
