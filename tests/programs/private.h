/* SPDX-License-Identifier: GPL-2.0-only */
/* VMs with private memory, by way of the module private_mem.ko: see ../kmod/private_mem.c. */
#ifndef TEST_PRIVATE_H
#define TEST_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../kmod/private_mem.h"
#include "vmm.h"

bool private_memory_exists(void);	/* private_mem.ko is loaded */
/*
 * Is there a model of the RMP? Without it, the VMs are software-protected ones, whose guests run on
 * their private memory.
 */
bool private_has_rmp(void);
bool private_can_populate(void);

/*
 * Create a VM with private memory. KVM_PRE_FAULT_MEMORY needs a vCPU, and 6.12 spins in it if a
 * memslot was deleted since that vCPU last ran.
 */
void private_create(struct vmm *vm, int nr_vcpus);
/* Let a VM that has no slots and vCPUs yet have private memory; -1 and errno if it may not. */
int private_make(int vm_fd);

void private_slot(struct vmm *vm, uint32_t slot, uint64_t gpa, uint64_t size, void *hva, int fd,
		  uint64_t offset);
/* KVM_SET_MEMORY_ATTRIBUTES */
void private_set(struct vmm *vm, uint64_t gpa, uint64_t size, bool private);
/*
 * Convert pages to shared, as VMMs do: forget what they held as private pages, which are at @offset
 * of @fd.
 */
void private_share(struct vmm *vm, int fd, uint64_t offset, uint64_t gpa, uint64_t size);

/*
 * The ways in which private pages are allocated, beside fallocate(). Return the number of pages, or
 * 0; or -1 and errno. A fault is made by KVM_PRE_FAULT_MEMORY or, where that does not exist and a
 * guest can touch private memory, by a guest that reads.
 */
int private_fault(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t size);
long private_populate(struct vmm *vm, uint64_t gpa, uint64_t npages, const void *src);
int private_get_page(struct vmm *vm, uint64_t gpa);

/*
 * Ask a witness for the node of each page: PRIVATE_MEM_PAGE_CACHE or PRIVATE_MEM_GUEST. Without a
 * model of the RMP, the latter knows the pages that were faulted since a memslot was deleted last.
 */
void private_nodes(struct vmm *vm, unsigned int witness, uint64_t gpa, uint64_t npages,
		   int8_t *nodes);

/* What the model of the RMP has seen; all zero without one. */
struct private_mem_rmp private_rmp(void);
/* When all VMs are gone: nothing is left in the RMP, nor has anything been wrong. */
void private_check_rmp(void);

#endif /* TEST_PRIVATE_H */
