/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM's function that decides how large a guest's mapping may be. No header declares it. */
#ifndef _GMEM_COMPAT_KVM_MAPPING_LEVEL_H
#define _GMEM_COMPAT_KVM_MAPPING_LEVEL_H

#include <linux/kvm_host.h>

#include "compat/have.h"

/*
 * Until 6.7, the function is told a level that it must not exceed. From 6.8 on, it is also told
 * whether the page is private, and a caller that asks for a slot's shared pages is a function of
 * its own. Since 6.18 there is one function again, which takes both from the fault, if there is
 * one; what it would take from there is no limit for memory that is not private.
 */
#if !defined(HAVE_GUEST_MEMFD_ABI)
#define COMPAT_MAPPING_LEVEL_FUNCTION "kvm_mmu_max_mapping_level"
#define COMPAT_MAPPING_LEVEL_SLOT 1
#define COMPAT_MAPPING_LEVEL_PARAMETERS						\
	struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn, int max_level
#define COMPAT_MAPPING_LEVEL_MAX max_level
#define COMPAT_MAPPING_LEVEL_ARGUMENTS(kvm, slot, gfn) kvm, slot, gfn, PG_LEVEL_NUM
#elif !defined(KVM_MEMSLOT_GMEM_ONLY)
#define COMPAT_MAPPING_LEVEL_FUNCTION "__kvm_mmu_max_mapping_level"
#define COMPAT_MAPPING_LEVEL_SLOT 1
#define COMPAT_MAPPING_LEVEL_PARAMETERS						\
	struct kvm *kvm, const struct kvm_memory_slot *slot, gfn_t gfn, int max_level, \
	bool is_private
#define COMPAT_MAPPING_LEVEL_MAX max_level
#define COMPAT_MAPPING_LEVEL_ARGUMENTS(kvm, slot, gfn) kvm, slot, gfn, PG_LEVEL_NUM, false
#else
#define COMPAT_MAPPING_LEVEL_FUNCTION "kvm_mmu_max_mapping_level"
#define COMPAT_MAPPING_LEVEL_SLOT 2
#define COMPAT_MAPPING_LEVEL_PARAMETERS						\
	struct kvm *kvm, void *fault, const struct kvm_memory_slot *slot, gfn_t gfn
#define COMPAT_MAPPING_LEVEL_MAX PG_LEVEL_NUM
#define COMPAT_MAPPING_LEVEL_ARGUMENTS(kvm, slot, gfn) kvm, NULL, slot, gfn
#endif

#endif /* _GMEM_COMPAT_KVM_MAPPING_LEVEL_H */
