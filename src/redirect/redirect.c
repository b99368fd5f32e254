// SPDX-License-Identifier: GPL-2.0-only
/* Attaching, proving and detaching redirects. */
#include <linux/preempt.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>

#include <asm/cpufeature.h>
#include <asm/nops.h>

#include "../log.h"
#include "../symbol/symbol.h"
#include "redirect.h"

DEFINE_SRCU(redirect_srcu);

static bool redirect_fired;

/*
 * Stands in for a redirected function while the redirect is proven. It takes no arguments, and
 * its caller ignores the result, which is sound for any prototype.
 */
noinline long redirect_proof_stub(void)
{
	WRITE_ONCE(redirect_fired, true);
	return 0;
}

/*
 * Free the filter of an ftrace_ops, so that the ftrace_ops can be used again. Nothing is freed
 * if the ftrace_ops still counts as registered, which is so if ftrace switched itself off during
 * the registration. ftrace_set_filter() with reset would do the same, but allocates memory
 * first, and an unload that gets none would leak the filter. ftrace_free_filter() leaves
 * dangling pointers in the ftrace_ops, and does not wait for tracers that found the ftrace_ops
 * in ftrace's list before it was taken off.
 */
static void redirects_forget(struct ftrace_ops *ops)
{
	if (redirects_attached(ops))
		return;

	synchronize_rcu();
	ftrace_free_filter(ops);
	RCU_INIT_POINTER(ops->local_hash.filter_hash, NULL);
	RCU_INIT_POINTER(ops->local_hash.notrace_hash, NULL);
}

/*
 * Not a test for a call instruction: the first byte is a breakpoint for a moment whenever another
 * tracer is attached or detached.
 */
static bool redirect_is_patched(const struct redirect *r)
{
	static const u8 nop[] = { BYTES_NOP5 };

	return READ_ONCE(*(u8 *)r->site) != nop[0];
}

/*
 * Try to attach to one function, with a callback of ours and the given flags: 0, or ftrace's
 * error.
 */
static int redirect_trial(const struct redirect *r, ftrace_func_t callback, unsigned long flags)
{
	static struct ftrace_ops trial;
	int err;

	trial.func = callback;
	trial.flags = flags;
	err = ftrace_set_filter_ip(&trial, r->site, 0, 1);
	if (err)
		return err;

	err = register_ftrace_function(&trial);
	if (!err)
		unregister_ftrace_function(&trial);
	redirects_forget(&trial);
	return err;
}

/*
 * Try each function by itself: when ftrace refuses several functions, it does not say which of
 * them is the reason.
 */
static int redirects_try_each(const struct ftrace_ops *ops, const struct redirect_list *list,
			      const char *what)
{
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		const struct redirect *r = list->redirect[i];
		int err = redirect_trial(r, ops->func, FTRACE_OPS_FL_IPMODIFY);

		if (err == -EBUSY)
			log_refused(what,
				    "%s is held by a live patch, BPF or module; remove that\n",
				    r->symbol);
		else if (err)
			log_refused(what, "%s cannot be redirected (%d)\n", r->symbol, err);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Trials are slow, and any VMM can cause them while a live patch holds one of the functions. So
 * they are made only as often as a line is logged.
 */
static DEFINE_RATELIMIT_STATE(redirect_trials, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);

/*
 * Where somebody else traces one of the functions, each function is tried before all of them are
 * registered together. While ftrace registers several functions, it tells the other users of each
 * that they share it. If it then refuses a later function, it does not take that back, and a BPF
 * trampoline would go on calling the address that it expects our callback to have set.
 */
static int redirects_ask(const struct ftrace_ops *ops, const struct redirect_list *list,
			 const char *what)
{
	bool alone = true;
	unsigned int i;

	for (i = 0; i < list->n; i++)
		alone &= !redirect_is_patched(list->redirect[i]);
	if (alone)
		return 0;
	return __ratelimit(&redirect_trials) ? redirects_try_each(ops, list, what) : -EBUSY;
}

/*
 * ftrace returns -EBUSY for two causes that need different remedies. An ftrace_ops without
 * IPMODIFY is never refused for sharing a function, and one with PERMANENT is refused while
 * ftrace is switched off, so trying the latter alone tells the two causes apart.
 */
static void redirects_explain(const struct ftrace_ops *ops, const struct redirect_list *list,
			      int err, const char *what)
{
	if (!__ratelimit(&redirect_trials))
		return;

	if (err == -EBUSY &&
	    redirect_trial(list->redirect[0], ops->func, FTRACE_OPS_FL_PERMANENT) == -EBUSY)
		log_refused(what, "ftrace is switched off; set kernel.ftrace_enabled=1\n");
	else if (err == -ENOMEM || !redirects_try_each(ops, list, what))
		log_refused(what, "ftrace cannot redirect %s (%d)\n", list->redirect[0]->symbol,
			    err);
}

/**
 * redirects_traced() - is any of the functions traced by BPF, on a CPU with IBT?
 * @list: redirects that were found
 *
 * A BPF program that looks at how a function returns (fexit) has a trampoline on it. When ftrace
 * registers our ftrace_ops beside such a trampoline, it changes the trampoline before our
 * callback is in place; when it unregisters the ftrace_ops, the trampoline stays changed until a
 * grace period after our callback has gone. In between, the trampoline makes an indirect call to
 * the instruction behind the fentry call, where there is no ENDBR, and a CPU with IBT panics.
 * Live patches have the same window, but are not attached and detached automatically. Without
 * IBT the call does no harm.
 *
 * A trampoline that is attached at this very moment is not seen.
 *
 * Return: the name of a function in the list that has a trampoline of somebody else, whatever its
 *	   type, if the CPU enforces IBT; otherwise NULL.
 */
const char *redirects_traced(const struct redirect_list *list)
{
	const char *traced = NULL;
	unsigned int i;

	if (!cpu_feature_enabled(X86_FEATURE_IBT))
		return NULL;

	/* ftrace frees the table that the function reads after a grace period. */
	preempt_disable();
	for (i = 0; i < list->n; i++) {
		const struct redirect *r = list->redirect[i];
		unsigned long trampoline = kernel_call(ftrace_find_rec_direct)(r->site);

		traced = trampoline ? r->symbol : traced;
	}
	preempt_enable();
	return traced;
}

REDIRECT_SYMBOLS(DEFINE_SYMBOL)

static const struct symbol redirect_symbols[] = {
	REDIRECT_SYMBOLS(SYMBOL_ENTRY)
};

/* Does KVM reach each function, so that a redirect of it is met? */
static int redirects_reached(const struct redirect_list *list, const struct symbol_address *at,
			     const char *what)
{
	unsigned long called = redirect_called(at, list->n);
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		const struct redirect *r = list->redirect[i];

		if (r->by_address || (called & BIT(i)))
			continue;
		log_refused(what,
			    "nothing in kvm calls %s, perhaps because of full LTO; use another kernel build\n",
			    r->symbol);
		return -ENXIO;
	}
	return 0;
}

/**
 * redirects_find() - find the functions that are to be redirected
 * @list: the redirects
 * @what: for log_refused(), what is not done if a function is missing
 *
 * Afterwards, redirect_entry() and redirect_original() can be called.
 *
 * Context: process context, may sleep.
 * Return: 0; -ENOMEM; or after one line in the log that names the function, -ENOENT if one is
 *	   missing, and -ENXIO if KVM does not call it.
 */
int redirects_find(const struct redirect_list *list, const char *what)
{
	struct symbol_address at[REDIRECTS_MAX];
	unsigned int i;
	int err;

	for (i = 0; i < list->n; i++)
		at[i] = (struct symbol_address){ SYMBOL_KVM, list->redirect[i]->symbol };

	err = symbols_resolve(redirect_symbols, ARRAY_SIZE(redirect_symbols), what) ?:
	      symbols_find(at, list->n);
	if (err)
		return err;

	for (i = 0; i < list->n && !err; i++) {
		struct redirect *r = list->redirect[i];

		if (at[i].start) {
			r->site = at[i].site;
			__static_call_update(r->entry, r->entry_tramp, (void *)at[i].start);
			__static_call_update(r->body, r->body_tramp,
					     (void *)(r->site + MCOUNT_INSN_SIZE));
			continue;
		}
		log_refused(what, "kvm has no function %s; this kernel build is not supported\n",
			    r->symbol);
		err = -ENOENT;
	}
	return err ?: redirects_reached(list, at, what);
}

static int redirects_filter(struct ftrace_ops *ops, const struct redirect_list *list)
{
	unsigned long sites[REDIRECTS_MAX];
	unsigned int i;

	for (i = 0; i < list->n; i++)
		sites[i] = list->redirect[i]->site;
	return ftrace_set_filter_ips(ops, sites, list->n, 0, 1);
}

/* -EAGAIN: a BPF program is being attached to or detached from one of the functions. */
static int redirects_register(struct ftrace_ops *ops)
{
	int tries = 100, err;

	do {
		err = register_ftrace_function(ops);
	} while (err == -EAGAIN && --tries);
	return err;
}

/**
 * redirects_attach() - attach redirects; those that are not armed pass every call through
 * @ops: the ftrace_ops to attach them with; not registered
 * @list: redirects that were found; at least one
 * @what: for log_refused(), what is not done if this fails
 *
 * Context: process context, may sleep; calls for the same @ops are serialised by the caller.
 * Return: 0, or an error after one line in the log that names its cause, and none of them is
 *	   attached: -EBUSY where a live patch or another module has redirected one of the
 *	   functions, or if redirects_traced() returns one.
 */
int redirects_attach(struct ftrace_ops *ops, const struct redirect_list *list, const char *what)
{
	const char *traced = redirects_traced(list);
	int err;

	if (traced) {
		log_refused(what, "%s is traced by BPF, and this CPU has IBT; detach that first\n",
			    traced);
		return -EBUSY;
	}

	err = redirects_ask(ops, list, what);
	if (err)
		return err;

	err = redirects_filter(ops, list) ?: redirects_register(ops);
	if (err) {
		redirects_forget(ops);
		redirects_explain(ops, list, err, what);
	}
	return err;
}

/**
 * redirects_attached() - are the redirects of an ftrace_ops attached?
 * @ops: the ftrace_ops
 */
bool redirects_attached(const struct ftrace_ops *ops)
{
	return READ_ONCE(ops->flags) & FTRACE_OPS_FL_ENABLED;
}

static int redirect_silent(const struct redirect *r, const char *what)
{
	log_refused(what, "the redirect of %s is attached but does not fire\n", r->symbol);
	return -ENXIO;
}

/**
 * redirects_check() - is the text of each function patched?
 * @list: redirects that were proven once and have been attached again
 * @what: as for redirects_attach()
 *
 * Return: 0, or -ENXIO after one line in the log that names a function whose text is not patched.
 */
int redirects_check(const struct redirect_list *list, const char *what)
{
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		if (!redirect_is_patched(list->redirect[i]))
			return redirect_silent(list->redirect[i], what);
	}
	return 0;
}

/**
 * redirect_prove_begin() - send the current task's next redirect_entry() to the stub
 * @r: a redirect that is attached and not armed
 */
void redirect_prove_begin(struct redirect *r)
{
	WRITE_ONCE(redirect_fired, false);
	WRITE_ONCE(r->prover, current);
}

/**
 * redirect_prove_by_text() - take patched text for a proof, instead of a call
 * @r: a redirect between redirect_prove_begin() and redirect_prove_end()
 *
 * For a function that cannot be called with made-up arguments. This shows that ftrace has
 * patched this function, but not that our callback runs. That callbacks run on this kernel is
 * shown by the other redirects.
 */
void redirect_prove_by_text(const struct redirect *r)
{
	if (redirect_is_patched(r))
		WRITE_ONCE(redirect_fired, true);
}

/**
 * redirect_prove_end() - has the call landed in the stub?
 * @r: the redirect
 * @what: as for redirects_attach()
 *
 * Return: 0, or -ENXIO after one line in the log that names the function.
 */
int redirect_prove_end(struct redirect *r, const char *what)
{
	WRITE_ONCE(r->prover, NULL);
	return READ_ONCE(redirect_fired) ? 0 : redirect_silent(r, what);
}

/**
 * redirect_arm() - put a replacement into force
 * @r: a redirect that was proven
 */
void redirect_arm(struct redirect *r)
{
	/* Pairs with the callback's READ_ONCE(): the callback sees what init has set up. */
	smp_store_release(&r->armed, true);
}

/**
 * redirect_disarm() - let every new call pass through
 * @r: the redirect
 */
void redirect_disarm(struct redirect *r)
{
	WRITE_ONCE(r->armed, false);
}

/**
 * redirects_remove() - detach the redirects of an ftrace_ops
 * @ops: the ftrace_ops; nothing is done if it is not registered
 * @list: its redirects
 *
 * When this returns, no task is on its way from the function to the place that the callback sent
 * it to. Calls of the replacements may still be in flight, see redirects_quiesce().
 *
 * Context: process context, sleeps for an RCU tasks grace period.
 * Return: 0; or an error, and the redirects stay attached: -EBUSY if redirects_traced() returns a
 *	   function; -ENODEV if ftrace has switched itself off because of an internal error.
 */
int redirects_remove(struct ftrace_ops *ops, const struct redirect_list *list)
{
	int err;

	if (!redirects_attached(ops))
		return 0;
	if (redirects_traced(list))
		return -EBUSY;

	err = unregister_ftrace_function(ops);
	if (!err)
		redirects_forget(ops);
	return err;
}

/**
 * redirects_strand() - keep the module in memory for ever
 * @ops: an ftrace_ops that ftrace cannot unregister any more
 *
 * For the case that ftrace has switched itself off: KVM's text then leads to this module for as
 * long as the host is up, so the module's text has to stay. A module's exit function cannot
 * fail, so it must not return.
 */
void redirects_strand(const struct ftrace_ops *ops)
{
	pr_crit("ftrace has switched itself off, see above; this unload never ends; reboot the host\n");
	while (redirects_attached(ops)) {
		set_current_state(TASK_IDLE);
		schedule();
	}
}

/**
 * redirects_quiesce() - wait until no task is in a replacement
 *
 * Must be called after redirects_remove() and before the module's text is freed. A task can be
 *
 * (a) between the callback and the replacement's srcu_read_lock(), or the jump in
 *     redirect_original_*();
 * (b) between srcu_read_lock() and srcu_read_unlock(), perhaps asleep in the original;
 * (c) between srcu_read_unlock() and the replacement's return.
 *
 * Tasks in (a) and (c) never sleep, so an RCU tasks grace period waits for them; SRCU waits for
 * (b). The grace period for (a) is part of redirects_remove(), because ftrace needs one itself
 * before it frees the trampoline from which tasks come here. The programs that a BPF trampoline
 * runs in between do not sleep either: sleepable programs attach only to functions that are open
 * to error injection.
 */
void redirects_quiesce(void)
{
	synchronize_srcu(&redirect_srcu);
	synchronize_rcu_tasks();
}
