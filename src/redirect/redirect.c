// SPDX-License-Identifier: GPL-2.0-only
/* Attaching, proving and detaching redirects. */
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>

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

static void notrace trial_callback(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
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
	if (ops->flags & FTRACE_OPS_FL_ENABLED)
		return;

	synchronize_rcu();
	ftrace_free_filter(ops);
	RCU_INIT_POINTER(ops->local_hash.filter_hash, NULL);
	RCU_INIT_POINTER(ops->local_hash.notrace_hash, NULL);
}

/* What ftrace says to an attempt on one function with the given flags. */
static int redirect_trial(unsigned long site, unsigned long flags)
{
	static struct ftrace_ops trial = { .func = trial_callback };
	int err;

	trial.flags = flags;
	err = ftrace_set_filter_ip(&trial, site, 0, 1);
	if (err)
		return err;

	err = register_ftrace_function(&trial);
	if (!err)
		unregister_ftrace_function(&trial);
	redirects_forget(&trial);
	return err;
}

/*
 * ftrace says -EBUSY for two causes that need different remedies, and not for which
 * function. A second observer is never refused, a permanent one is refused while
 * ftrace is switched off. Slow, and any VMM can have it done while a live patch is there: as
 * often as a line is logged, not as often as somebody asks.
 */
static void redirects_explain(const struct redirect_list *list, int err)
{
	static DEFINE_RATELIMIT_STATE(often, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	unsigned int i;

	if (!__ratelimit(&often))
		return;

	if (err == -EBUSY &&
	    redirect_trial(list->redirect[0]->site, FTRACE_OPS_FL_PERMANENT) == -EBUSY) {
		feature_refused("ftrace is switched off; set kernel.ftrace_enabled=1\n");
		return;
	}

	for (i = 0; i < list->n && err != -ENOMEM; i++) {
		const struct redirect *r = list->redirect[i];
		int why = redirect_trial(r->site, FTRACE_OPS_FL_IPMODIFY);

		if (why == -EBUSY)
			feature_refused("%s is held by a live patch, BPF or module; remove that\n",
					r->symbol);
		else if (why)
			feature_refused("%s cannot be redirected (%d)\n", r->symbol, why);
		if (why)
			return;
	}
	feature_refused("ftrace cannot redirect %s (%d)\n", list->redirect[0]->symbol, err);
}

/**
 * redirects_find() - find the functions; until they are proven, redirect_original() is they
 * @list: the redirects
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

	err = symbols_find(at, list->n);
	if (err)
		return err;

	for (i = 0; i < list->n && !err; i++) {
		struct redirect *r = list->redirect[i];

		if (at[i].address) {
			r->site = at[i].address;
			__static_call_update(r->key, r->tramp, (void *)r->site);
			continue;
		}
		feature_refused("kvm has no function %s; this kernel build is not supported\n",
				r->symbol);
		err = -ENOENT;
	}
	return err;
}

static int redirects_filter(struct ftrace_ops *ops, const struct redirect_list *list, int remove)
{
	unsigned long sites[REDIRECTS_MAX];
	unsigned int i;

	for (i = 0; i < list->n; i++)
		sites[i] = list->redirect[i]->site;
	return ftrace_set_filter_ips(ops, sites, list->n, remove, 0);
}

/*
 * Registering is what makes ftrace come to terms with BPF programs on the same functions: a
 * trampoline of fexit returns past what a callback has decided, unless it was asked not to. A
 * change to the set of functions asks nobody. -EAGAIN: one of them is just being changed.
 *
 * An ftrace_ops is refused as a whole, with all its functions.
 */
static int redirects_register(struct ftrace_ops *ops)
{
	int tries = 100, err;

	if (ops->flags & FTRACE_OPS_FL_ENABLED)
		return 0;

	do {
		err = register_ftrace_function(ops);
	} while (err == -EAGAIN && --tries);
	if (err)
		redirects_forget(ops);
	return err;
}

static void redirects_set_attached(const struct redirect_list *list, bool attached)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		WRITE_ONCE(list->redirect[i]->attached, attached);
}

/**
 * redirects_attach() - attach redirects; they pass every call through
 * @ops: what is to hold them. Should it hold others already, then for these, whoever
 *	 else traces them is not asked, see redirects_register()
 * @list: redirects that were found; at least one
 *
 * Context: process context, may sleep; one call at a time for @ops.
 * Return: 0, or an error after one line that names its cause, with none attached: -EBUSY
 *	   where a live patch or another module has redirected one of them.
 */
int redirects_attach(struct ftrace_ops *ops, const struct redirect_list *list)
{
	int err = redirects_filter(ops, list, 0) ?: redirects_register(ops);

	if (err) {
		redirects_explain(list, err);
		return err;
	}
	redirects_set_attached(list, true);
	return 0;
}

/* Not "is a call": while another tracer comes or goes, it is a breakpoint for a moment. */
static bool redirect_is_patched(const struct redirect *r)
{
	static const u8 nop[] = { BYTES_NOP5 };

	return READ_ONCE(*(u8 *)r->site) != nop[0];
}

/**
 * redirects_attach_again() - attach redirects that were proven and detached
 * @ops: what is to hold them, and holds nothing
 * @list: the redirects; armed, so from the return of this on, they are in force
 *
 * Context: as redirects_attach().
 * Return: as redirects_attach(); -ENXIO if their text was not patched.
 */
int redirects_attach_again(struct ftrace_ops *ops, const struct redirect_list *list)
{
	int err = list->n ? redirects_attach(ops, list) : 0;
	unsigned int i;

	for (i = 0; i < list->n && !err; i++) {
		if (redirect_is_patched(list->redirect[i]))
			continue;
		feature_refused("the redirect of %s is attached but does not fire\n",
				list->redirect[i]->symbol);
		redirects_remove(ops, list);
		err = -ENXIO;
	}
	return err;
}

/**
 * redirects_detach() - detach some of many
 * @ops: what holds them, and at least one more: an ftrace_ops without functions is one
 *	 with all
 * @list: the redirects; calls may still be in flight in them
 *
 * Waits for nothing.
 *
 * Context: process context, may sleep; one call at a time for @ops.
 * Return: 0, or -ENOMEM and they stay attached.
 */
int redirects_detach(struct ftrace_ops *ops, const struct redirect_list *list)
{
	int err = list->n ? redirects_filter(ops, list, 1) : 0;

	if (!err)
		redirects_set_attached(list, false);
	return err;
}

/**
 * redirect_prove_begin() - the current task's next call lands in the stub
 * @r: an attached redirect that is not armed
 *
 * Until redirect_prove_end(), redirect_original() enters at the front door.
 */
void redirect_prove_begin(struct redirect *r)
{
	__static_call_update(r->key, r->tramp, (void *)r->site);
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
 *
 * Return: 0, or -ENXIO after one line that names the function.
 */
int redirect_prove_end(struct redirect *r)
{
	WRITE_ONCE(r->prover, NULL);
	__static_call_update(r->key, r->tramp, (void *)(r->site + MCOUNT_INSN_SIZE));

	if (READ_ONCE(redirect_fired))
		return 0;

	feature_refused("the redirect of %s is attached but does not fire\n", r->symbol);
	return -ENXIO;
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
 * @list: the redirects that it holds
 *
 * Waits until no task is between the function and the replacement. In replacements, calls
 * may still be in flight, see redirects_quiesce().
 *
 * Context: process context, sleeps for a grace period of RCU tasks.
 * Return: 0, or -ENODEV and they stay attached: ftrace has switched itself off, for a
 *	   fault of its own.
 */
int redirects_remove(struct ftrace_ops *ops, const struct redirect_list *list)
{
	int err;

	if (!(ops->flags & FTRACE_OPS_FL_ENABLED))
		return 0;

	err = unregister_ftrace_function(ops);
	if (err)
		return err;

	redirects_forget(ops);
	redirects_set_attached(list, false);
	return 0;
}

/**
 * redirects_strand() - text cannot be patched any longer, and leads to us
 *
 * Calls come as long as the host is up, so what they meet has to stay. Nothing else can
 * keep it: an exit cannot fail.
 */
void __noreturn redirects_strand(void)
{
	pr_crit("ftrace has switched itself off, see above; this unload never ends; reboot the host\n");
	for (;;) {
		set_current_state(TASK_IDLE);
		schedule();
	}
}

/**
 * redirects_quiesce() - wait until no task is in a replacement
 *
 * To be called after redirects_remove(), before the module's text goes. A task can be
 * (a) on its way from the callback to the replacement's srcu_read_lock(), (b)
 * between lock and unlock, perhaps asleep in the original, (c) between unlock and
 * return. (a) and (c) never sleep, so a grace period of RCU tasks waits for them; SRCU
 * waits for (b). That for (a) was part of redirects_remove(): ftrace needs it itself,
 * to free the trampoline from which tasks come here.
 */
void redirects_quiesce(void)
{
	synchronize_srcu(&redirect_srcu);
	synchronize_rcu_tasks();
}
