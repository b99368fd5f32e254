// SPDX-License-Identifier: GPL-2.0-only
/* Finding unexported functions by name, and making them callable. */
#include <linux/kprobes.h>

#include "symbol.h"

#define X(owner, fn) DEFINE_STATIC_CALL_NULL(gmem_sym_##fn, fn);
GMEM_SYMBOLS(X)
#undef X

static const struct {
	enum symbol_owner owner;
	const char *name;
	struct static_call_key *key;
	void *tramp;
} symbols[] = {
#define X(owner, fn)					\
	{						\
		owner,					\
		#fn,					\
		&STATIC_CALL_KEY(gmem_sym_##fn),	\
		STATIC_CALL_TRAMP_ADDR(gmem_sym_##fn),	\
	},
	GMEM_SYMBOLS(X)
#undef X
};

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
 * symbols_resolve() - make every kernel_call() of the module callable
 *
 * Context: process context, once, before any kernel_call().
 * Return: 0, or -ENOENT after naming the function that is missing.
 */
int symbols_resolve(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(symbols); i++) {
		unsigned long addr = symbol_address(symbols[i].owner, symbols[i].name);

		if (!addr) {
			pr_err("not loaded: this kernel has no function %s\n",
			       symbols[i].name);
			return -ENOENT;
		}
		__static_call_update(symbols[i].key, symbols[i].tramp, (void *)addr);
	}
	return 0;
}
