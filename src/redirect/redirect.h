/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * redirect/ sends calls of a function of kvm.ko to a replacement in this module, by ftrace, and
 * proves that it does.
 *
 * Redirects that are attached and detached together share one ftrace_ops with IPMODIFY. Its
 * callback looks at the call's arguments. Calls that the module wants go to the replacement. All
 * others continue in the original's body, with no frame of this module on their stack, so that
 * they do not delay an unload.
 *
 * Life of a redirect:
 *	find	The function's address is known, KVM calls it, and nothing is attached.
 *	attach	The function's text is patched, and every call passes through.
 *	prove	The task that attaches calls the function, and the call must arrive in a stub of
 *		ours. A redirect that is attached need not fire: there are kernels with duplicate
 *		__mcount_loc entries, for example.
 *	arm	Calls that the redirect's wanted() accepts go to the replacement.
 *	disarm	As after attach.
 *	remove	The text is as it was before; see redirects_quiesce() for calls in flight. The
 *		redirect can be attached again.
 *	strand	ftrace has switched itself off, so the text leads here for ever, and the unload
 *		never ends.
 *
 * An ftrace_ops is registered with all its functions and unregistered as a whole; its set of
 * functions never changes in between. ftrace asks other users of a function only when it
 * registers an ftrace_ops, and tells them only when it unregisters one. If only the set changed,
 * a BPF trampoline on the function would bypass a redirect that was added, and would keep making
 * way for one that was removed.
 */
#ifndef _GMEM_REDIRECT_H
#define _GMEM_REDIRECT_H

#include <linux/ftrace.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <linux/static_call.h>

#include <asm/ibt.h>

#include "../symbol/symbol.h"
#include "compat/ftrace_regs.h"

/**
 * struct redirect - one redirected function
 * @symbol: name of the function
 * @entry: static call of the function, see redirect_entry()
 * @entry_tramp: trampoline of @entry
 * @body: static call of the code behind the function's fentry call, see redirect_original()
 * @body_tramp: trampoline of @body
 * @by_address: KVM calls the function by its address, see DEFINE_REDIRECT_BY_ADDRESS()
 * @site: address of the function's fentry call; 0 until redirects_find() has found it
 * @armed: the replacement is in force
 * @prover: the task whose next call must land in the stub, or NULL
 */
struct redirect {
	const char *symbol;
	struct static_call_key *entry, *body;
	void *entry_tramp, *body_tramp;
	bool by_address;
	unsigned long site;
	bool armed;
	struct task_struct *prover;
};

/* No kernel needs more than this. */
#define REDIRECTS_MAX 16

/**
 * struct redirect_list - redirects that are attached and detached together
 * @n: how many there are
 * @redirect: the redirects
 */
struct redirect_list {
	unsigned int n;
	struct redirect *redirect[REDIRECTS_MAX];
};

/* Tells which text is KVM's, see callers.c. */
#if IS_MODULE(CONFIG_KVM)
#define REDIRECT_TEXT_SYMBOL __module_text_address
#else
#define REDIRECT_TEXT_SYMBOL core_kernel_text
#endif

/* The other one tells whether a BPF trampoline is on a function, see redirects_traced(). */
#define REDIRECT_SYMBOLS(X)				\
	X(SYMBOL_KERNEL, REDIRECT_TEXT_SYMBOL)		\
	X(SYMBOL_KERNEL, ftrace_find_rec_direct)
REDIRECT_SYMBOLS(DECLARE_SYMBOL)

long redirect_proof_stub(void);

/**
 * redirect_argument() - an argument of the intercepted call
 * @fregs: the callback's registers
 * @n: 0 to 5, the arguments that travel in registers
 */
#define redirect_argument(fregs, n) ftrace_regs_get_argument(fregs, n)

/**
 * DECLARE_REDIRECT() - declare a redirect that another file defines
 * @name: as given to DEFINE_REDIRECT()
 */
#define DECLARE_REDIRECT(name)							\
	extern struct redirect redirect_##name;					\
	void redirect_intercept_##name(struct ftrace_regs *fregs);

/*
 * redirect_original_*() is the original without its fentry call, as a function of its own. Unlike
 * the instruction behind the fentry call, it begins with an ENDBR. Where a BPF program traces the
 * same function, the BPF trampoline makes an indirect call to the address that our callback has
 * set, and the kernel panics on a CPU with IBT if there is no ENDBR at that address.
 *
 * objtool takes the jump for a call site of the static call, so the kernel patches it into a
 * direct jump to the body. The padding in front is where retbleed=stuff counts calls, as in
 * front of any function.
 */
#ifdef CONFIG_CALL_PADDING
#define REDIRECT_PADDING	".skip " __stringify(CONFIG_FUNCTION_PADDING_BYTES) ", 0x90\n"
#else
#define REDIRECT_PADDING	""
#endif

#define DECLARE_REDIRECT_ORIGINAL(name, prototype)				\
	extern typeof(prototype) redirect_original_##name

#define DEFINE_REDIRECT_ORIGINAL(name, prototype)				\
	DEFINE_STATIC_CALL_NULL(name##_body, prototype);			\
	DECLARE_REDIRECT_ORIGINAL(name, prototype);				\
	asm("	.pushsection .text, \"ax\", @progbits\n"			\
	    "	.balign 16\n"							\
	    "	" REDIRECT_PADDING						\
	    "	.globl redirect_original_" #name "\n"				\
	    "	.type redirect_original_" #name ", @function\n"			\
	    "redirect_original_" #name ":\n"					\
	    "	" ASM_ENDBR "\n"						\
	    "	jmp " STATIC_CALL_TRAMP_STR(name##_body) "\n"			\
	    "	.size redirect_original_" #name ", . - redirect_original_" #name "\n" \
	    "	.popsection\n")

/**
 * DEFINE_REDIRECT() - define a redirect and its piece of the ftrace callback
 * @name: the redirect is called redirect_@name
 * @function: name of the function in kvm.ko
 * @replacement: the function that runs instead; its type must be that of @function
 * @wanted: bool (struct ftrace_regs *): does the module want this call? Inline; sleeps nowhere,
 *	    also with preemption off; and calls nothing that leads to a redirected function
 *
 * The macro generates one piece for each redirect, so that @wanted is inlined and there is no
 * indirect call on a path that every VM of the host may take.
 */
#define DEFINE_REDIRECT(name, function, replacement, wanted)			\
	__DEFINE_REDIRECT(name, function, replacement, wanted, false)

/**
 * DEFINE_REDIRECT_BY_ADDRESS() - the same for a function that has no callers in KVM's text
 * @name: as for DEFINE_REDIRECT()
 * @function: as for DEFINE_REDIRECT()
 * @replacement: as for DEFINE_REDIRECT()
 * @wanted: as for DEFINE_REDIRECT()
 *
 * KVM puts the function into a table of operations, or exports it to the vendor modules. Either
 * is the address of the function itself, whatever compilers do to its callers. All other
 * functions must be called directly, see callers.c.
 */
#define DEFINE_REDIRECT_BY_ADDRESS(name, function, replacement, wanted)		\
	__DEFINE_REDIRECT(name, function, replacement, wanted, true)

#define __DEFINE_REDIRECT(name, function, replacement, wanted, address)		\
	DEFINE_STATIC_CALL_NULL(name##_entry, replacement);			\
	DEFINE_REDIRECT_ORIGINAL(name, replacement);				\
										\
	void notrace redirect_intercept_##name(struct ftrace_regs *fregs)	\
	{									\
		unsigned long to = (unsigned long)redirect_original_##name;	\
		struct redirect *r = &redirect_##name;				\
										\
		if (likely(READ_ONCE(r->armed))) {				\
			if (wanted(fregs))					\
				to = (unsigned long)(replacement);		\
		} else if (unlikely(READ_ONCE(r->prover) == current)) {		\
			to = (unsigned long)redirect_proof_stub;		\
		}								\
		ftrace_regs_set_instruction_pointer(fregs, to);			\
	}									\
										\
	struct redirect redirect_##name = {					\
		.symbol = function,						\
		.entry = &STATIC_CALL_KEY(name##_entry),			\
		.entry_tramp = STATIC_CALL_TRAMP_ADDR(name##_entry),		\
		.body = &STATIC_CALL_KEY(name##_body),				\
		.body_tramp = STATIC_CALL_TRAMP_ADDR(name##_body),		\
		.by_address = address,						\
	}

/**
 * REDIRECT_PROTOTYPE() - check that the replacement has the function's prototype
 * @function: a function that a header of this kernel declares, or an expression of its type
 * @replacement: the function that runs instead
 */
#define REDIRECT_PROTOTYPE(function, replacement)				\
	static_assert(__same_type(function, replacement),			\
		      "kvm-gmem-numa: this kernel is not supported: prototype of " #function)

/**
 * redirect_entry() - call the function as KVM calls it
 * @name: as given to DEFINE_REDIRECT()
 *
 * Such a call meets the redirect if the redirect is attached. It serves to prove a redirect, and
 * to ask KVM a question before any redirect is attached.
 */
#define redirect_entry(name) static_call(name##_entry)

/**
 * redirect_original() - run the original function
 * @name: as given to DEFINE_REDIRECT()
 *
 * Enters the body behind the fentry call. A call of the function itself would meet the redirect
 * again. Recognising such a call by its caller's address is no way out: it loops for ever where
 * the compiler turns the call into a tail jump.
 */
#define redirect_original(name) redirect_original_##name

/**
 * REDIRECT_OPS() - initialiser of the ftrace_ops that a list of redirects shares
 * @callback: calls the redirect_intercept_*() of the redirect whose site is the callback's first
 *	      argument
 *
 * With FTRACE_OPS_FL_PERMANENT, kernel.ftrace_enabled=0 fails while any redirect is attached.
 * Without it, the sysctl would silently disarm the redirects.
 */
#define REDIRECT_OPS(callback)							\
	{									\
		.func = callback,						\
		.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,	\
	}

/* callers.c */
unsigned long redirect_called(const struct symbol_address *at, unsigned int n);

/* redirect.c */
int redirects_find(const struct redirect_list *list, const char *what);
int redirects_attach(struct ftrace_ops *ops, const struct redirect_list *list, const char *what);
bool redirects_attached(const struct ftrace_ops *ops);
int redirects_check(const struct redirect_list *list, const char *what);
const char *redirects_traced(const struct redirect_list *list);
int redirects_remove(struct ftrace_ops *ops, const struct redirect_list *list);
void redirects_strand(const struct ftrace_ops *ops);
void redirects_quiesce(void);

void redirect_arm(struct redirect *r);
void redirect_disarm(struct redirect *r);
void redirect_prove_begin(struct redirect *r);
void redirect_prove_by_text(const struct redirect *r);
int redirect_prove_end(struct redirect *r, const char *what);

/*
 * A replacement that may sleep calls redirect_enter() first and redirect_exit() last, see
 * redirects_quiesce(). The pairs may nest.
 */
extern struct srcu_struct redirect_srcu;

static inline int redirect_enter(void)
{
	return srcu_read_lock(&redirect_srcu);
}

static inline void redirect_exit(int idx)
{
	srcu_read_unlock(&redirect_srcu, idx);
}

#endif /* _GMEM_REDIRECT_H */
