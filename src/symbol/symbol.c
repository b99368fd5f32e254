// SPDX-License-Identifier: GPL-2.0-only
/* Finding unexported functions by name, and making them callable. */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/slab.h>

#include "../log.h"
#include "symbol.h"

/* A kprobe, the name that it is registered by, and what kallsyms prints for its address. */
struct symbol_probe {
	struct kprobe kp;
	char name[KSYM_NAME_LEN];
	char place[KSYM_SYMBOL_LEN];
};

static void symbol_probe_init(struct symbol_probe *probe, const struct symbol_address *symbol)
{
	bool in_kvm = symbol->owner == SYMBOL_KVM && IS_MODULE(CONFIG_KVM);

	snprintf(probe->name, sizeof(probe->name), "%s%s", in_kvm ? "kvm:" : "", symbol->name);
	probe->kp.symbol_name = probe->name;
	probe->kp.flags = KPROBE_FLAG_DISABLED;
}

/*
 * A kprobe steps over an ENDBR, so its address may lie behind the function's start. kallsyms
 * tells by how much. Looking for the ENDBR itself would not do: the kernel may have overwritten
 * it, and with which instruction depends on the kernel.
 */
static unsigned long symbol_probe_start(struct symbol_probe *probe)
{
	unsigned long at = (unsigned long)probe->kp.addr, offset = 0;
	const char *plus;

	sprint_symbol(probe->place, at);
	plus = strrchr(probe->place, '+');
	if (plus)
		sscanf(plus, "+0x%lx/", &offset);
	return at - offset;
}

/**
 * symbols_find() - look up the addresses of unexported functions
 * @symbols: owners and names; the addresses are filled in
 * @n: how many
 *
 * Registering a disabled kprobe resolves the name and patches nothing. kallsyms_lookup_name()
 * would do as well, but is itself unexported since 5.7. All kprobes are unregistered in one call,
 * because each call costs an RCU grace period.
 *
 * Context: process context, may sleep.
 * Return: 0 or -ENOMEM. The addresses of a function that does not exist, or cannot be probed,
 *	   are 0.
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
		symbols[i].start = 0;
		symbols[i].site = 0;
		if (register_kprobe(kp))
			continue;
		symbols[i].start = symbol_probe_start(&probes[i]);
		symbols[i].site = (unsigned long)kp->addr;
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
 * @what: for log_refused(), what is not done if a function is missing
 *
 * Context: process context, may sleep; before the first kernel_call() of any of them.
 * Return: 0, -ENOMEM, or -ENOENT after one line in the log that names the missing function.
 */
int symbols_resolve(const struct symbol *symbols, unsigned int n, const char *what)
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
		if (at[i].start) {
			__static_call_update(symbols[i].key, symbols[i].tramp,
					     (void *)at[i].start);
			continue;
		}
		log_refused(what, "this kernel has no function %s\n", at[i].name);
		err = -ENOENT;
	}
	kfree(at);
	return err;
}
