/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * symbol/ finds functions of the kernel and of kvm.ko that are not exported, and makes them
 * callable. A kprobe that is registered as disabled finds the address; src/gmem/symbols.h is an
 * example of a list.
 *
 * Each is called by a static call, which the kernel patches into a direct branch. A call through
 * a pointer would be slower, and wrong: the kernel seals functions whose address is never taken
 * (it poisons their ENDBR), and an indirect call to such a function panics a machine that
 * enforces IBT or kCFI.
 */
#ifndef _GMEM_SYMBOL_H
#define _GMEM_SYMBOL_H

#include <linux/static_call.h>

/**
 * enum symbol_owner - where to look for a function
 * @SYMBOL_KERNEL: in the kernel
 * @SYMBOL_KVM: in kvm.ko, or in the kernel if KVM is built in. A function of the same name in
 *		another module is never taken for it
 */
enum symbol_owner {
	SYMBOL_KERNEL,
	SYMBOL_KVM,
};

/**
 * struct symbol_address - the address of a function
 * @owner: where to look for it
 * @name: its exact name. A clone made by the compiler (.isra, .constprop, .part) has another name
 *	  and is not found; its arguments may differ, so it must not be
 * @start: the function's first instruction, to be used by calls, because retbleed=stuff expects
 *	   the function's padding in front of a call's target; 0 if the function was not found
 * @site: the function's fentry call, which follows the ENDBR if the function has one
 */
struct symbol_address {
	enum symbol_owner owner;
	const char *name;
	unsigned long start, site;
};

/**
 * struct symbol - a function to be made callable, see DEFINE_SYMBOL()
 * @at: the function to look for
 * @key: the static call that calls it
 * @tramp: trampoline of @key
 */
struct symbol {
	struct symbol_address at;
	struct static_call_key *key;
	void *tramp;
};

/*
 * A list of functions is an X-macro of X(owner, function). A header expands it with
 * X = DECLARE_SYMBOL, and one source file with DEFINE_SYMBOL and SYMBOL_ENTRY. The compiler takes
 * each prototype from the kernel's own header: where a kernel has changed one, the build fails
 * instead of making a wrong call.
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
 * kernel_call() - call an unexported function
 * @fn: declared with DECLARE_SYMBOL(). May be called once symbols_resolve() has returned 0 for
 *	the list that contains it
 */
#define kernel_call(fn) __kernel_call(fn)
#define __kernel_call(fn) static_call(gmem_sym_##fn)

int symbols_find(struct symbol_address *symbols, unsigned int n);
int symbols_resolve(const struct symbol *symbols, unsigned int n, const char *what);

#endif /* _GMEM_SYMBOL_H */
