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

#include <linux/gfp.h>
#include <linux/kvm_host.h>
#include <linux/mempolicy.h>
#include <linux/security.h>
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

/*
 * The compiler takes each prototype from the kernel's own header, so a kernel
 * that changed one fails to build instead of being called wrongly.
 */
#define GMEM_SYMBOLS(X)						\
	X(SYMBOL_KERNEL, __mpol_put)				\
	X(SYMBOL_KERNEL, folio_alloc_mpol_noprof)		\
	X(SYMBOL_KERNEL, mpol_free_shared_policy)		\
	X(SYMBOL_KERNEL, mpol_set_shared_policy)		\
	X(SYMBOL_KERNEL, mpol_shared_policy_init)		\
	X(SYMBOL_KERNEL, mpol_shared_policy_lookup)		\
	X(SYMBOL_KERNEL, security_inode_init_security_anon)	\
	X(SYMBOL_KVM, kvm_arch_free_memslot)			\
	X(SYMBOL_KVM, kvm_mmu_invalidate_begin)			\
	X(SYMBOL_KVM, kvm_mmu_invalidate_end)			\
	X(SYMBOL_KVM, kvm_mmu_unmap_gfn_range)

#define X(owner, fn) DECLARE_STATIC_CALL(gmem_sym_##fn, fn);
GMEM_SYMBOLS(X)
#undef X

/**
 * kernel_call() - call an unexported function of the kernel
 * @fn: one of GMEM_SYMBOLS; valid once symbols_resolve() has returned 0
 */
#define kernel_call(fn) static_call(gmem_sym_##fn)

unsigned long symbol_address(enum symbol_owner owner, const char *name);
int symbols_resolve(void);

#endif /* _GMEM_SYMBOL_H */
