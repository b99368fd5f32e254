// SPDX-License-Identifier: GPL-2.0-only
/* Finding unexported functions by name, and making them callable. */
#include <linux/kprobes.h>

#include "../features.h"
#include "symbol.h"

/**
 * symbol_address() - address of an unexported function
 * @owner: where it is
 * @name: its exact name; a compiler's clone (.isra, .constprop, .part) has
 *	  another name and is not found, which is right: its arguments may differ
 *
 * A kprobe registered as disabled resolves the name and patches nothing.
 * kallsyms_lookup_name() would do, but is itself unexported since 5.7.
 *
 * Context: process context, may sleep.
 * Return: the address of the function's fentry site (behind an ENDBR, where it
 *	   has one), which is also a valid target for a direct call; 0 if there
 *	   is no such function or it cannot be probed.
 */
unsigned long symbol_address(enum symbol_owner owner, const char *name)
{
	char in_kvm[KSYM_NAME_LEN];
	struct kprobe kp = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	unsigned long addr;

	if (owner == SYMBOL_KVM && IS_MODULE(CONFIG_KVM)) {
		snprintf(in_kvm, sizeof(in_kvm), "kvm:%s", name);
		kp.symbol_name = in_kvm;
	}

	if (register_kprobe(&kp))
		return 0;

	addr = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	return addr;
}

/**
 * symbols_resolve() - make a list of functions callable
 * @symbols: the list
 * @n: its length
 *
 * Context: process context, before any kernel_call() of them.
 * Return: 0, or -ENOENT after naming the function that is missing.
 */
int symbols_resolve(const struct symbol *symbols, unsigned int n)
{
	const struct symbol *s;

	for (s = symbols; s < symbols + n; s++) {
		unsigned long addr = symbol_address(s->owner, s->name);

		if (!addr) {
			feature_refused("this kernel has no function %s\n", s->name);
			return -ENOENT;
		}
		__static_call_update(s->key, s->tramp, (void *)addr);
	}
	return 0;
}
