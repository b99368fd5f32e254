// SPDX-License-Identifier: GPL-2.0-only
/* All redirects, or none. */
#include "hooks.h"

/**
 * hooks_install() - attach every redirect; calls still pass through
 *
 * Context: module init.
 * Return: 0, or an error after one line that names the cause. Then none is
 *	   attached.
 */
int hooks_install(void)
{
	int err = 0;

#define X(name) err = err ?: redirect_install(&redirect_##name);
	GMEM_HOOKS(X)
#undef X
	if (err)
		hooks_remove();
	return err;
}

/**
 * hooks_prove() - show that every redirect fires
 *
 * Context: module init, after hooks_install().
 * Return: 0, -ENOMEM, or -ENXIO after one line that names the function.
 */
int hooks_prove(void)
{
	struct canary *c = canary_create();
	int err = 0;

	if (!c)
		return -ENOMEM;

#define X(name)								\
	if (!err) {							\
		redirect_prove_begin(&redirect_##name);			\
		hook_prove_##name(c);					\
		err = redirect_prove_end(&redirect_##name);		\
	}
	GMEM_HOOKS(X)
#undef X

	canary_destroy(c);
	return err;
}

/**
 * hooks_arm() - put every replacement into force
 *
 * Context: module init, as its last step: from here on, user space can hold
 *	    files of this module.
 */
void hooks_arm(void)
{
#define X(name) redirect_arm(&redirect_##name);
	GMEM_HOOKS(X)
#undef X
}

/**
 * hooks_disarm() - let every new call pass through
 *
 * Context: module exit, as its first step. Its references are all gone, so no
 *	    file and no bound slot is left, and the order no longer matters.
 */
void hooks_disarm(void)
{
#define X(name) redirect_disarm(&redirect_##name);
	GMEM_HOOKS(X)
#undef X
}

/**
 * hooks_remove() - detach every redirect and wait for calls in flight
 *
 * Context: module init or exit, not armed.
 */
void hooks_remove(void)
{
#define X(name) redirect_remove(&redirect_##name);
	GMEM_HOOKS(X)
#undef X
	redirects_quiesce();
}
