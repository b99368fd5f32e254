/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Redirecting functions of kvm.ko to replacements in this module.
 *
 * What comes and goes together shares one ftrace_ops with IPMODIFY. For each, there is a piece of
 * its callback that looks at the call's arguments and sends the calls that are ours to the
 * replacement. Every other call goes on in the original's body, with no frame of this module on
 * its stack, so it does not hold up our unload.
 *
 * Life of a redirect:
 *	find	nothing is attached; the function can be called as it is
 *	attach	the function's text is patched, every call passes through
 *	prove	the installing task calls the function; the call must arrive in
 *		a stub of ours. A hook that is attached is not yet a hook that
 *		fires (duplicate __mcount_loc entries, for one)
 *	arm	calls that redirect's wanted() accepts go to the replacement
 *	disarm	as after attach
 *	remove	the text is as it was; see redirects_quiesce() for calls in flight. A redirect
 *		can be attached again
 *
 * An ftrace_ops is registered with all its functions and unregistered as a whole; its set of
 * functions never changes in between. ftrace asks those who trace the same functions only when
 * an ftrace_ops is registered, and tells them only when it is unregistered: after a mere change
 * of the set, a BPF trampoline would go past the redirect, or stay as if it were still there.
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
 * @body: static call of what follows its fentry call, see redirect_original()
 * @body_tramp: trampoline of @body
 * @site: address of the function's fentry call; 0 until it was looked for
 * @armed: the replacement is in force
 * @prover: task whose next call is to land in the stub, or NULL
 */
struct redirect {
	const char *symbol;
	struct static_call_key *entry, *body;
	void *entry_tramp, *body_tramp;
	unsigned long site;
	bool armed;
	struct task_struct *prover;
};

/* No kernel needs more. */
#define REDIRECTS_MAX 16

/**
 * struct redirect_list - redirects that come and go together
 * @n: how many
 * @redirect: they
 */
struct redirect_list {
	unsigned int n;
	struct redirect *redirect[REDIRECTS_MAX];
};

#define REDIRECT_SYMBOLS(X) X(SYMBOL_KERNEL, ftrace_find_rec_direct)
REDIRECT_SYMBOLS(DECLARE_SYMBOL)

long redirect_proof_stub(void);

/**
 * redirect_argument() - an argument of the intercepted call
 * @fregs: the callback's registers
 * @n: 0 to 5, the arguments that travel in registers
 */
#define redirect_argument(fregs, n) ftrace_regs_get_argument(fregs, n)

/**
 * DECLARE_REDIRECT() - what DEFINE_REDIRECT() defines
 * @name: the redirect is called redirect_@name
 */
#define DECLARE_REDIRECT(name)							\
	extern struct redirect redirect_##name;					\
	void redirect_intercept_##name(struct ftrace_regs *fregs);

/*
 * The original without its fentry call, as a function: it begins with an ENDBR, which the place
 * behind the fentry call does not. Where a BPF program traces the function as well, its
 * trampoline calls whatever address our callback has left, and a CPU with IBT panics at an
 * indirect call that does not land on one.
 *
 * objtool takes the jump for a call site of the static call, so the kernel patches it to the
 * body itself. The padding is where retbleed=stuff counts calls, as in front of any function.
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
 * @replacement: what runs instead; its type must be that of @function
 * @wanted: bool (struct ftrace_regs *), inline and calling nothing traceable:
 *	    is this call ours?
 *
 * The piece is generated for each redirect, so that @wanted is inlined: no indirect
 * call on a path that every VM of the host may take.
 */
#define DEFINE_REDIRECT(name, function, replacement, wanted)			\
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
	}

/**
 * REDIRECT_PROTOTYPE() - the replacement has the prototype of the function
 * @function: a function that a header of this kernel declares, or something of its type
 * @replacement: what runs instead
 */
#define REDIRECT_PROTOTYPE(function, replacement)				\
	static_assert(__same_type(function, replacement),			\
		      "kvm-gmem-numa: this kernel is not supported: prototype of " #function)

/**
 * redirect_entry() - call the function as everybody calls it
 * @name: as given to DEFINE_REDIRECT()
 *
 * Meets the redirect, if it is attached. To prove it, and to ask KVM before anything is.
 */
#define redirect_entry(name) static_call(name##_entry)

/**
 * redirect_original() - run the function that a replacement stands for
 * @name: as given to DEFINE_REDIRECT()
 *
 * Enters the body behind the fentry call. Going through the front door would
 * meet the redirect again; telling such calls apart by the caller's address
 * loops for ever where the compiler makes the call a tail jump.
 */
#define redirect_original(name) redirect_original_##name

/**
 * REDIRECT_OPS() - what ftrace holds, as an initialiser
 * @callback: calls the redirect_intercept_*() of the redirect whose site the first
 *	      argument is
 *
 * FTRACE_OPS_FL_PERMANENT makes kernel.ftrace_enabled=0 fail while any redirect is
 * attached, instead of silently disarming it.
 */
#define REDIRECT_OPS(callback)							\
	{									\
		.func = callback,						\
		.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,	\
	}

int redirects_find(const struct redirect_list *list);
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
 * A replacement that may sleep brackets its whole body with these two, see
 * redirects_quiesce(). They may nest.
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
