/* SPDX-License-Identifier: GPL-2.0-only */
/* Unexported functions that guest_memfd needs. */
#ifndef _GMEM_SYMBOLS_H
#define _GMEM_SYMBOLS_H

#include <linux/kvm_host.h>
#include <linux/mempolicy.h>
#include <linux/security.h>
#include <linux/task_work.h>

#include "../symbol/symbol.h"
#include "compat/kvm_invalidate.h"
#include "compat/mm_huge.h"

/* The last two are exported, but from 6.18 on to KVM's own vendor modules only. */
#define GMEM_SYMBOLS(X)						\
	X(SYMBOL_KERNEL, mpol_free_shared_policy)		\
	X(SYMBOL_KERNEL, mpol_set_shared_policy)		\
	X(SYMBOL_KERNEL, mpol_shared_policy_init)		\
	X(SYMBOL_KERNEL, mpol_shared_policy_lookup)		\
	X(SYMBOL_KERNEL, security_inode_init_security_anon)	\
	X(SYMBOL_KERNEL, task_work_add)				\
	X(SYMBOL_KERNEL, vma_interval_tree_iter_first)		\
	X(SYMBOL_KERNEL, vma_interval_tree_iter_next)		\
	COMPAT_SPLIT_SYMBOLS(X)					\
	X(SYMBOL_KVM, kvm_mmu_invalidate_begin)			\
	X(SYMBOL_KVM, kvm_mmu_invalidate_end)			\
	COMPAT_INVALIDATE_SYMBOLS(X)				\
	X(SYMBOL_KVM, kvm_unmap_gfn_range)			\
	X(SYMBOL_KVM, kvm_arch_guest_memory_reclaimed)		\
	X(SYMBOL_KVM, kvm_flush_remote_tlbs)			\
	X(SYMBOL_KVM, kvm_get_running_vcpu)

GMEM_SYMBOLS(DECLARE_SYMBOL)

int gmem_symbols_resolve(void);

#endif /* _GMEM_SYMBOLS_H */
