// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does KVM call the functions that are to be redirected? A compiler that optimises the whole
 * kernel at once can inline a function into all of its callers and leave the function itself
 * behind: it can be found and redirected, and a call of ours meets the redirect, but no call of
 * KVM's ever does.
 *
 * So KVM's text is searched for direct calls of each function. What is read need not be the
 * beginning of an instruction, but four bytes that by chance lead to the beginning of one
 * function in the whole address space are not to be expected.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>

#include <asm/text-patching.h>

#include "../symbol/symbol.h"
#include "redirect.h"

/* Where KVM is built in, its text is somewhere in the kernel's. */
static bool is_kvm_text(unsigned long at)
{
#if IS_MODULE(CONFIG_KVM)
	const struct module *owner;
	bool is;

	/* Which lock protects the list of modules depends on the kernel. */
	rcu_read_lock();
	preempt_disable();
	owner = kernel_call(__module_text_address)(at);
	is = owner && !strcmp(owner->name, "kvm");
	preempt_enable();
	rcu_read_unlock();
	return is;
#else
	return kernel_call(core_kernel_text)(at);
#endif
}

/* Is @rel the operand of a call, or of a jump as at the end of a function? */
static bool is_branch(const u8 *rel)
{
	u8 opcode = rel[-1];

	return opcode == CALL_INSN_OPCODE || opcode == JMP32_INSN_OPCODE ||
	       (rel[-2] == 0x0f && (opcode & 0xf0) == 0x80);
}

/* With retbleed=stuff, the kernel has made calls lead to the padding in front of a function. */
static bool is_entry(const struct symbol_address *at, unsigned long target)
{
	unsigned long padding = 0;

#ifdef CONFIG_CALL_PADDING
	padding = CONFIG_FUNCTION_PADDING_BYTES;
#endif
	return target >= at->start - padding && target <= at->site;
}

/* Add the functions that branches with an operand in [@from, @to) lead to. */
static unsigned long called_by(const u8 *from, const u8 *to, const struct symbol_address *at,
			       unsigned int n)
{
	unsigned long called = 0;
	unsigned int i;

	for (; from < to; from++) {
		unsigned long target;
		s32 rel;

		memcpy(&rel, from, sizeof(rel));
		target = (unsigned long)from + sizeof(rel) + rel;
		for (i = 0; i < n; i++) {
			if (is_entry(&at[i], target) && is_branch(from))
				called |= BIT(i);
		}
	}
	return called;
}

/**
 * redirect_called() - find the functions that KVM calls directly
 * @at: functions of KVM's that were found
 * @n: how many; at most REDIRECTS_MAX
 *
 * Context: process context, may sleep; the symbols of REDIRECT_SYMBOLS() are resolved.
 * Return: a bit for each function that is called.
 */
unsigned long redirect_called(const struct symbol_address *at, unsigned int n)
{
	unsigned long first = at[0].site & PAGE_MASK, page, called = 0;

	while (is_kvm_text(first - PAGE_SIZE))
		first -= PAGE_SIZE;

	/* What stands on the border of two pages is read with the first of them. */
	for (page = first; is_kvm_text(page) && called != BIT(n) - 1; page += PAGE_SIZE) {
		bool last = !is_kvm_text(page + PAGE_SIZE);
		const u8 *from = (const u8 *)page + (page == first ? 2 : 0);

		called |= called_by(from, (u8 *)page + PAGE_SIZE - (last ? sizeof(s32) - 1 : 0),
				    at, n);
		cond_resched();
	}
	return called;
}
