// SPDX-License-Identifier: GPL-2.0-only
/* Attaching, proving and detaching redirects. */
#include <linux/rcupdate.h>

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

static void notrace permanence_callback(unsigned long ip, unsigned long parent_ip,
					struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

/*
 * register_ftrace_function() says -EBUSY for two causes that need different
 * remedies. A second observer is never refused, a permanent one is refused
 * while ftrace is switched off: so this tells them apart.
 */
static bool ftrace_is_off(unsigned long site)
{
	static struct ftrace_ops observer = {
		.func = permanence_callback,
		.flags = FTRACE_OPS_FL_PERMANENT,
	};
	bool off;

	if (ftrace_set_filter_ip(&observer, site, 0, 0))
		return false;
	off = register_ftrace_function(&observer) == -EBUSY;
	if (!off)
		unregister_ftrace_function(&observer);
	ftrace_free_filter(&observer);
	return off;
}

static void redirect_explain(const struct redirect *r, unsigned long site, int err)
{
	if (err == -EBUSY && ftrace_is_off(site))
		pr_err("not loaded: ftrace is switched off; set kernel.ftrace_enabled=1\n");
	else if (err == -EBUSY)
		pr_err("not loaded: %s is held by a live patch or another module; remove that first\n",
		       r->symbol);
	else
		pr_err("not loaded: %s cannot be redirected (%d)\n", r->symbol, err);
}

/**
 * redirect_install() - attach a redirect; it passes every call through
 * @r: the redirect
 *
 * FTRACE_OPS_FL_PERMANENT makes kernel.ftrace_enabled=0 fail while this is
 * attached, instead of silently disarming it.
 *
 * Context: process context, may sleep.
 * Return: 0, or an error after one line that names its cause: -ENOENT where
 *	   kvm.ko has no such function, -EBUSY where a live patch or another
 *	   module has redirected it.
 */
int redirect_install(struct redirect *r)
{
	unsigned long site = symbol_address(SYMBOL_KVM, r->symbol);
	int err;

	if (!site) {
		pr_err("not loaded: kvm has no function %s; this kernel build is not supported\n",
		       r->symbol);
		return -ENOENT;
	}

	err = ftrace_set_filter_ip(&r->ops, site, 0, 0);
	if (err) {
		pr_err("not loaded: %s cannot be redirected, it is not traceable (%d)\n",
		       r->symbol, err);
		return err;
	}

	err = register_ftrace_function(&r->ops);
	if (err) {
		redirect_explain(r, site, err);
		ftrace_free_filter(&r->ops);
		return err;
	}

	r->site = site;
	return 0;
}

/**
 * redirect_prove_begin() - the current task's next call lands in the stub
 * @r: an installed redirect that is not armed
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

	pr_err("not loaded: the redirect of %s is attached but does not fire\n", r->symbol);
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
 * redirect_remove() - detach a redirect
 * @r: the redirect, disarmed; one that was never installed is left alone
 *
 * Calls may still be in flight, see redirects_quiesce().
 */
void redirect_remove(struct redirect *r)
{
	if (!r->site)
		return;

	WARN_ON(unregister_ftrace_function(&r->ops));
	ftrace_free_filter(&r->ops);
	r->site = 0;
}

/**
 * redirects_quiesce() - wait until no task is in a replacement
 *
 * To be called when all redirects are removed, before the module's text goes.
 * A task can be (a) on its way from the callback to the replacement's
 * srcu_read_lock(), (b) between lock and unlock, perhaps asleep in the
 * original, (c) between unlock and return. (a) and (c) never sleep, so a grace
 * period of RCU tasks waits for them; SRCU waits for (b).
 */
void redirects_quiesce(void)
{
	synchronize_rcu_tasks();
	synchronize_srcu(&redirect_srcu);
	synchronize_rcu_tasks();
}
