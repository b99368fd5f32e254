// SPDX-License-Identifier: GPL-2.0-only
/* Finding unexported functions by name, and making them callable. */
#include <linux/kprobes.h>
#include <linux/slab.h>

#include "../features.h"
#include "symbol.h"

/* A kprobe, and the name that it is registered with. */
struct symbol_probe {
	struct kprobe kp;
	char name[KSYM_NAME_LEN];
};

static void symbol_probe_init(struct symbol_probe *probe, const struct symbol_address *symbol)
{
	bool in_kvm = symbol->owner == SYMBOL_KVM && IS_MODULE(CONFIG_KVM);

	snprintf(probe->name, sizeof(probe->name), "%s%s", in_kvm ? "kvm:" : "", symbol->name);
	probe->kp.symbol_name = probe->name;
	probe->kp.flags = KPROBE_FLAG_DISABLED;
}

/**
 * symbols_find() - addresses of unexported functions
 * @symbols: owners and names; the addresses are filled in
 * @n: how many
 *
 * A kprobe registered as disabled resolves the name and patches nothing.
 * kallsyms_lookup_name() would do, but is itself unexported since 5.7. All of
 * them are unregistered at once, because each time costs a grace period of RCU.
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM. An address is 0 if there is no such function, or it cannot
 *	   be probed.
 */
int symbols_find(struct symbol_address *symbols, unsigned int n)
{
	struct symbol_probe *probes = kvcalloc(n, sizeof(*probes), GFP_KERNEL);
	struct kprobe **found = kcalloc(n, sizeof(*found), GFP_KERNEL);
	unsigned int i, nr_found = 0;
	int err = -ENOMEM;

	if (!probes || !found)
		goto out;

	for (i = 0; i < n; i++) {
		struct kprobe *kp = &probes[i].kp;

		symbol_probe_init(&probes[i], &symbols[i]);
		symbols[i].address = 0;
		if (register_kprobe(kp))
			continue;
		symbols[i].address = (unsigned long)kp->addr;
		found[nr_found++] = kp;
	}
	unregister_kprobes(found, nr_found);
	err = 0;

out:
	kfree(found);
	kvfree(probes);
	return err;
}

/**
 * symbols_resolve() - make a list of functions callable
 * @symbols: the list
 * @n: its length
 *
 * Context: process context, before any kernel_call() of them.
 * Return: 0, -ENOMEM, or -ENOENT after naming the function that is missing.
 */
int symbols_resolve(const struct symbol *symbols, unsigned int n)
{
	struct symbol_address *at = kcalloc(n, sizeof(*at), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!at)
		return -ENOMEM;

	for (i = 0; i < n; i++)
		at[i] = symbols[i].at;

	err = symbols_find(at, n);
	for (i = 0; i < n && !err; i++) {
		if (at[i].address) {
			__static_call_update(symbols[i].key, symbols[i].tramp,
					     (void *)at[i].address);
			continue;
		}
		feature_refused("this kernel has no function %s\n", at[i].name);
		err = -ENOENT;
	}
	kfree(at);
	return err;
}
