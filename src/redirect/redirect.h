/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Redirecting functions of kvm.ko to replacements in this module.
 *
 * What comes and goes together shares one ftrace_ops with IPMODIFY. For each, there is a piece of
 * its callback that looks at the call's arguments and sets the instruction pointer to the
 * replacement only for calls that are ours. Every other call runs the original with
 * no frame of this module on its stack, so it does not hold up its unload.
 *
 * Life of a redirect:
 *	find	nothing is attached; the function can be called as it is
 *	attach	the function's text is patched, every call passes through
 *	prove	the installing task calls the function; the call must arrive in
 *		a stub of ours. A hook that is attached is not yet a hook that
 *		fires (duplicate __mcount_loc entries, for one)
 *	arm	calls that redirect's wanted() accepts go to the replacement
 *	detach	the text is as it was; a redirect can be attached again
 *	disarm	as after attach
 *	remove	no redirect is attached; see redirects_quiesce() for calls in flight
 *
 * Unregistering an ftrace_ops waits for a grace period of RCU tasks, a change to the set of its
 * functions does not; but only registering it makes ftrace ask those who trace the same
 * functions. So all are attached at once when they are to be proven, some are detached without
 * waiting, and what comes back is registered.
 */
#ifndef _GMEM_REDIRECT_H
#define _GMEM_REDIRECT_H

#include <linux/ftrace.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <linux/static_call.h>

#include "compat/ftrace_regs.h"

/**
 * struct redirect - one redirected function
 * @symbol: name of the function
 * @key: static call of the original body, see redirect_original()
 * @tramp: trampoline of @key
 * @site: address of the function's fentry call; 0 until it was looked for
 * @attached: ftrace has it
 * @armed: the replacement is in force
 * @prover: task whose next call is to land in the stub, or NULL
 */
struct redirect {
	const char *symbol;
	struct static_call_key *key;
	void *tramp;
	unsigned long site;
	bool attached;
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
	DEFINE_STATIC_CALL_NULL(name##_original, replacement);			\
										\
	void notrace redirect_intercept_##name(struct ftrace_regs *fregs)	\
	{									\
		struct redirect *r = &redirect_##name;				\
										\
		if (likely(READ_ONCE(r->armed))) {				\
			if (wanted(fregs))					\
				ftrace_regs_set_instruction_pointer(fregs,	\
					(unsigned long)(replacement));		\
		} else if (unlikely(READ_ONCE(r->prover) == current)) {		\
			ftrace_regs_set_instruction_pointer(fregs,		\
				(unsigned long)redirect_proof_stub);		\
		}								\
	}									\
										\
	struct redirect redirect_##name = {					\
		.symbol = function,						\
		.key = &STATIC_CALL_KEY(name##_original),			\
		.tramp = STATIC_CALL_TRAMP_ADDR(name##_original),		\
	}

/**
 * REDIRECT_PROTOTYPE() - the replacement has the prototype of the function
 * @function: a function that a header of this kernel declares
 * @replacement: what runs instead
 */
#define REDIRECT_PROTOTYPE(function, replacement)				\
	static_assert(__same_type(function, replacement),			\
		      "kvm-gmem-numa: this kernel is not supported: prototype of " #function)

/**
 * redirect_original() - run the function that a replacement stands for
 * @name: as given to DEFINE_REDIRECT()
 *
 * Enters the body behind the fentry call. Going through the front door would
 * meet the redirect again; telling such calls apart by the caller's address
 * loops for ever where the compiler makes the call a tail jump.
 */
#define redirect_original(name) static_call(name##_original)

/**
 * DEFINE_REDIRECT_OPS() - what ftrace holds
 * @name: its name
 * @callback: calls the redirect_intercept_*() of the redirect whose site the first
 *	      argument is
 *
 * FTRACE_OPS_FL_PERMANENT makes kernel.ftrace_enabled=0 fail while any redirect is
 * attached, instead of silently disarming it.
 */
#define DEFINE_REDIRECT_OPS(name, callback)					\
	struct ftrace_ops name = {						\
		.func = callback,						\
		.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,	\
	}

int redirects_find(const struct redirect_list *list);
int redirects_attach(struct ftrace_ops *ops, const struct redirect_list *list);
int redirects_attach_again(struct ftrace_ops *ops, const struct redirect_list *list);
int redirects_detach(struct ftrace_ops *ops, const struct redirect_list *list);
int redirects_remove(struct ftrace_ops *ops, const struct redirect_list *list);
void __noreturn redirects_strand(void);
void redirects_quiesce(void);

void redirect_arm(struct redirect *r);
void redirect_disarm(struct redirect *r);
void redirect_prove_begin(struct redirect *r);
void redirect_prove_by_text(const struct redirect *r);
int redirect_prove_end(struct redirect *r);

/*
 * A replacement brackets its whole body with these two, see
 * redirects_quiesce(). They may nest, and sleep in between.
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
