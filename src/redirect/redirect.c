// SPDX-License-Identifier: GPL-2.0-only
/* Attaching, proving and detaching redirects. */
#include <linux/preempt.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>

#include <asm/cpufeature.h>
#include <asm/nops.h>

#include "../features.h"
#include "../symbol/symbol.h"
#include "redirect.h"

DEFINE_SRCU(redirect_srcu);

static bool redirect_fired;

/*
 * Stands in for the redirected function during its proof. It takes and
 * returns nothing, which is sound for any prototype: the caller discards the
 * result.
 */
noinline long redirect_proof_stub(void)
{
	WRITE_ONCE(redirect_fired, true);
	return 0;
}

/*
 * Frees what an ftrace_ops holds, so that it can be used again; but not of one that counts as
 * registered, because ftrace has switched itself off while it came. Resetting its filter would
 * do the same, but for the memory it asks for first: an unload that gets none would leave it
 * behind. ftrace_free_filter() leaves pointers to what it frees, and does not wait for tracers
 * that found the ops in the list before it went.
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

/* Not "is a call": while another tracer comes or goes, it is a breakpoint for a moment. */
static bool redirect_is_patched(const struct redirect *r)
{
	static const u8 nop[] = { BYTES_NOP5 };

	return READ_ONCE(*(u8 *)r->site) != nop[0];
}

/* What ftrace says to an attempt on one function, with a callback of ours and the given flags. */
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

/* Each function by itself; ftrace does not say for which one it refuses many. */
static int redirects_try_each(const struct ftrace_ops *ops, const struct redirect_list *list,
			      const char *what)
{
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		const struct redirect *r = list->redirect[i];
		int err = redirect_trial(r, ops->func, FTRACE_OPS_FL_IPMODIFY);

		if (err == -EBUSY)
			refused(what, "%s is held by a live patch, BPF or module; remove that\n",
				r->symbol);
		else if (err)
			refused(what, "%s cannot be redirected (%d)\n", r->symbol, err);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Trials are slow, and any VMM can have them made while a live patch is there: as often as a
 * line is logged, not as often as somebody asks.
 */
static DEFINE_RATELIMIT_STATE(redirect_trials, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);

/*
 * Where others trace the functions, each is tried before all are registered: of many, ftrace tells
 * those who share one that they do, and where it then refuses another, it does not take that
 * back. A BPF trampoline would go on calling the address that a callback is taken to have left.
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
 * ftrace says -EBUSY for two causes that need different remedies. A second observer is never
 * refused, a permanent one is refused while ftrace is switched off.
 */
static void redirects_explain(const struct ftrace_ops *ops, const struct redirect_list *list,
			      int err, const char *what)
{
	if (!__ratelimit(&redirect_trials))
		return;

	if (err == -EBUSY &&
	    redirect_trial(list->redirect[0], ops->func, FTRACE_OPS_FL_PERMANENT) == -EBUSY)
		refused(what, "ftrace is switched off; set kernel.ftrace_enabled=1\n");
	else if (err == -ENOMEM || !redirects_try_each(ops, list, what))
		refused(what, "ftrace cannot redirect %s (%d)\n", list->redirect[0]->symbol, err);
}

/**
 * redirects_traced() - what ftrace cannot be told of without danger
 * @list: redirects that were found
 *
 * While ftrace registers or unregisters us beside a BPF program that looks at how a function
 * returns, the program's trampoline is made to go by our callback before that is there, and
 * until a grace period after it has gone. Meanwhile it calls what is behind the fentry call,
 * where there is no ENDBR. So it is for live patches as well; but those do not come and go by
 * themselves. Without IBT it does no harm. Who attaches one just now is not seen.
 *
 * Return: the name of a function of the list that has a trampoline of somebody else, if the CPU
 *	   enforces IBT; or NULL.
 */
const char *redirects_traced(const struct redirect_list *list)
{
	const char *traced = NULL;
	unsigned int i;

	if (!cpu_feature_enabled(X86_FEATURE_IBT))
		return NULL;

	/* The table that it looks into is freed after a grace period. */
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

/**
 * redirects_find() - find the functions
 * @list: the redirects
 *
 * From then on, redirect_entry() and redirect_original() can be called.
 *
 * Context: process context, may sleep.
 * Return: 0, -ENOMEM, or -ENOENT after one line that names a function that is missing.
 */
int redirects_find(const struct redirect_list *list)
{
	struct symbol_address at[REDIRECTS_MAX];
	unsigned int i;
	int err;

	for (i = 0; i < list->n; i++)
		at[i] = (struct symbol_address){ SYMBOL_KVM, list->redirect[i]->symbol };

	err = symbols_resolve(redirect_symbols, ARRAY_SIZE(redirect_symbols)) ?:
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
		feature_refused("kvm has no function %s; this kernel build is not supported\n",
				r->symbol);
		err = -ENOENT;
	}
	return err;
}

static int redirects_filter(struct ftrace_ops *ops, const struct redirect_list *list)
{
	unsigned long sites[REDIRECTS_MAX];
	unsigned int i;

	for (i = 0; i < list->n; i++)
		sites[i] = list->redirect[i]->site;
	return ftrace_set_filter_ips(ops, sites, list->n, 0, 1);
}

/* -EAGAIN: a BPF program on one of the functions is just being attached or detached. */
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
 * @ops: what is to hold them, and holds nothing
 * @list: redirects that were found; at least one
 * @what: what cannot be done if this fails, for refused()
 *
 * Context: process context, may sleep; one call at a time for @ops.
 * Return: 0, or an error after one line that names its cause, with none attached: -EBUSY
 *	   where a live patch or another module has redirected one of them.
 */
int redirects_attach(struct ftrace_ops *ops, const struct redirect_list *list, const char *what)
{
	const char *traced = redirects_traced(list);
	int err;

	if (traced) {
		refused(what, "%s is traced by BPF, and this CPU has IBT; detach that first\n",
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
 * redirects_attached() - does ftrace hold them?
 * @ops: what is to hold them
 */
bool redirects_attached(const struct ftrace_ops *ops)
{
	return READ_ONCE(ops->flags) & FTRACE_OPS_FL_ENABLED;
}

static int redirect_silent(const struct redirect *r, const char *what)
{
	refused(what, "the redirect of %s is attached but does not fire\n", r->symbol);
	return -ENXIO;
}

/**
 * redirects_check() - do redirects that were proven once and are attached again have their text?
 * @list: the redirects
 * @what: as for redirects_attach()
 *
 * Return: 0, or -ENXIO after one line that names one that has not.
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
 * redirect_prove_begin() - the current task's next redirect_entry() lands in the stub
 * @r: an attached redirect that is not armed
 */
void redirect_prove_begin(struct redirect *r)
{
	WRITE_ONCE(redirect_fired, false);
	WRITE_ONCE(r->prover, current);
}

/**
 * redirect_prove_by_text() - instead of a call: the function no longer begins with a nop
 * @r: a redirect between redirect_prove_begin() and redirect_prove_end()
 *
 * For a function that cannot be called with made-up arguments. It shows that
 * ftrace has patched this very function, and not that our callback comes; that it
 * comes on this kernel, the other redirects show.
 */
void redirect_prove_by_text(const struct redirect *r)
{
	if (redirect_is_patched(r))
		WRITE_ONCE(redirect_fired, true);
}

/**
 * redirect_prove_end() - did it?
 * @r: the redirect
 * @what: as for redirects_attach()
 *
 * Return: 0, or -ENXIO after one line that names the function.
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
	/* Pairs with the callback's READ_ONCE(): what init set up comes first. */
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
 * redirects_remove() - detach all that an ftrace_ops holds
 * @ops: it; if it is not registered, nothing is done
 * @list: the redirects
 *
 * Waits until no task is between the function and where the callback sent it. In replacements,
 * calls may still be in flight, see redirects_quiesce().
 *
 * Context: process context, sleeps for a grace period of RCU tasks.
 * Return: 0, or they stay attached: -EBUSY as long as redirects_traced(); -ENODEV if ftrace has
 *	   switched itself off, for a fault of its own.
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
 * redirects_strand() - text cannot be patched any longer, and leads to us
 * @ops: what ftrace holds, and does not let go
 *
 * Calls come as long as the host is up, so what they meet has to stay. Nothing else can
 * keep it: an exit cannot fail.
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
 * To be called after redirects_remove(), before the module's text goes. A task can be
 * (a) on its way from the callback to the replacement's srcu_read_lock(), or to the jump of
 * redirect_original(), (b) between lock and unlock, perhaps asleep in the original, (c)
 * between unlock and return. (a) and (c) never sleep, so a grace period of RCU tasks waits for
 * them; SRCU waits for (b). That for (a) was part of redirects_remove(): ftrace needs it itself,
 * to free the trampoline from which tasks come here. The programs that a BPF trampoline runs on
 * the way do not sleep either: those that may are for functions that error injection lists.
 */
void redirects_quiesce(void)
{
	synchronize_srcu(&redirect_srcu);
	synchronize_rcu_tasks();
}
