// SPDX-License-Identifier: GPL-2.0-only
/* Attaching, proving and detaching redirects. */
#include <linux/rcupdate.h>

#include <asm/text-patching.h>

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
		feature_refused("ftrace is switched off; set kernel.ftrace_enabled=1\n");
	else if (err == -EBUSY)
		feature_refused("%s is held by a live patch or another module; remove that first\n",
				r->symbol);
	else
		feature_refused("%s cannot be redirected (%d)\n", r->symbol, err);
}

/**
 * redirect_find() - find the function; until it is proven, redirect_original() is it
 * @r: the redirect
 *
 * Context: process context, may sleep.
 * Return: 0, or -ENOENT after one line that names the function.
 */
int redirect_find(struct redirect *r)
{
	unsigned long site = symbol_address(SYMBOL_KVM, r->symbol);

	if (!site) {
		feature_refused("kvm has no function %s; this kernel build is not supported\n",
				r->symbol);
		return -ENOENT;
	}

	r->site = site;
	__static_call_update(r->key, r->tramp, (void *)site);
	return 0;
}

/**
 * redirect_install() - attach a redirect; it passes every call through
 * @r: the redirect; one that is attached is left alone
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
	int err;

	if (r->attached)
		return 0;

	err = redirect_find(r);
	if (err)
		return err;

	err = ftrace_set_filter_ip(&r->ops, r->site, 0, 0);
	if (err) {
		feature_refused("%s cannot be redirected, it is not traceable (%d)\n",
				r->symbol, err);
		return err;
	}

	err = register_ftrace_function(&r->ops);
	if (err) {
		redirect_explain(r, r->site, err);
		ftrace_free_filter(&r->ops);
		return err;
	}

	r->attached = true;
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
 * redirect_prove_by_text() - instead of a call: the function begins with a call now
 * @r: a redirect between redirect_prove_begin() and redirect_prove_end()
 *
 * For a function that cannot be called with made-up arguments. It shows that
 * ftrace has patched this very function, and not that our callback comes; that it
 * comes on this kernel, the other redirects show.
 */
void redirect_prove_by_text(const struct redirect *r)
{
	if (READ_ONCE(*(u8 *)r->site) == CALL_INSN_OPCODE)
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
 * redirect_remove() - detach a redirect
 * @r: the redirect, disarmed; one that was never installed is left alone
 *
 * Return: whether it was; then calls may still be in flight, see
 *	   redirects_quiesce().
 */
bool redirect_remove(struct redirect *r)
{
	if (!r->attached)
		return false;

	WARN_ON(unregister_ftrace_function(&r->ops));
	ftrace_free_filter(&r->ops);
	r->attached = false;
	return true;
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
