/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the kernel and of kvm.ko that this module calls although they
 * are not exported.
 *
 * A call goes through a static call, which the kernel patches into a direct
 * branch. A pointer call would be wrong, not just slower: the kernel seals
 * functions whose address nobody takes (it poisons their ENDBR), and an
 * indirect call to one panics a machine that enforces IBT or kCFI.
 */
#ifndef _GMEM_SYMBOL_H
#define _GMEM_SYMBOL_H

#include <linux/static_call.h>

/**
 * enum symbol_owner - where a function is looked for
 * @SYMBOL_KERNEL: in the kernel
 * @SYMBOL_KVM: in kvm.ko, or in the kernel if KVM is built in; a namesake in
 *		another module is not taken for it
 */
enum symbol_owner {
	SYMBOL_KERNEL,
	SYMBOL_KVM,
};

/**
 * struct symbol_address - where a function is
 * @owner: who has it
 * @name: its exact name; a compiler's clone (.isra, .constprop, .part) has
 *	  another name and is not found, which is right: its arguments may differ
 * @start: where the function begins, and where calls are to go: retbleed=stuff looks for the
 *	   padding in front of it; 0 if it was not found
 * @site: of the function's fentry call, which is behind an ENDBR, where it has one
 */
struct symbol_address {
	enum symbol_owner owner;
	const char *name;
	unsigned long start, site;
};

/**
 * struct symbol - one function, see DEFINE_SYMBOL()
 * @at: what to look for
 * @key: static call of it
 * @tramp: trampoline of @key
 */
struct symbol {
	struct symbol_address at;
	struct static_call_key *key;
	void *tramp;
};

/*
 * A list of functions is an X-macro of X(owner, function), with
 * X = DECLARE_SYMBOL in a header and DEFINE_SYMBOL and SYMBOL_ENTRY in one file.
 * The compiler takes each prototype from the kernel's own header, so a kernel
 * that changed one fails to build instead of being called wrongly.
 */
#define DECLARE_SYMBOL(owner, fn) __DECLARE_SYMBOL(fn)
#define __DECLARE_SYMBOL(fn) DECLARE_STATIC_CALL(gmem_sym_##fn, fn);
#define DEFINE_SYMBOL(owner, fn) __DEFINE_SYMBOL(fn)
#define __DEFINE_SYMBOL(fn) DEFINE_STATIC_CALL_NULL(gmem_sym_##fn, fn);
#define SYMBOL_ENTRY(owner, fn) __SYMBOL_ENTRY(owner, fn)
#define __SYMBOL_ENTRY(owner, fn)				\
	{							\
		{ owner, #fn },					\
		&STATIC_CALL_KEY(gmem_sym_##fn),		\
		STATIC_CALL_TRAMP_ADDR(gmem_sym_##fn),		\
	},

/**
 * kernel_call() - call an unexported function of the kernel
 * @fn: declared with DECLARE_SYMBOL(); valid once symbols_resolve() has
 *	returned 0 for the list that it is in
 */
#define kernel_call(fn) __kernel_call(fn)
#define __kernel_call(fn) static_call(gmem_sym_##fn)

int symbols_find(struct symbol_address *symbols, unsigned int n);
int symbols_resolve(const struct symbol *symbols, unsigned int n);

#endif /* _GMEM_SYMBOL_H */
