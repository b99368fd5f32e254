/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMM as small as the tests allow.
 *
 * A VM has one ordinary memslot, VMM_CTRL_SLOT, which holds page tables and code, and the slots
 * that a test adds. All guest memory is identity mapped: GiB 0; GiB 4, where the tests put their
 * memory, away from everything that a PC has below 4 GiB; and GiB 3, where a PC has its firmware.
 */
#ifndef VMM_H
#define VMM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kvm_gmem_numa.h>

#define PAGE 4096UL
#define MIB (1024UL * 1024)
#define GIB (1024 * MIB)

#define VMM_CTRL_SLOT 0
#define VMM_TEST_SLOT 1
#define VMM_TEST_GPA (4 * GIB)
#define VMM_TEST_4K (32 * MIB)	/* what the guest maps with 4 KiB pages; the rest with 2 MiB */
#define VMM_MAX_VCPUS 8

struct vmm {
	int kvm_fd;
	int fd;
	uint8_t *ctrl;
	int nr_vcpus;
	struct vmm_vcpu {
		int fd;
		struct kvm_run *run;
	} vcpu[VMM_MAX_VCPUS];
};

enum vmm_nesting {
	VMM_L1,		/* the guest itself */
	VMM_L2,		/* a guest in the guest, without nested paging of its own */
	VMM_L2_NPT,	/* a guest in the guest, with nested paging */
};

extern bool vmm_quiet;	/* do not print unexpected exits */

void vmm_create(struct vmm *vm, int nr_vcpus);
/* The same in two steps; in between, the VM has neither slots nor vCPUs. */
void vmm_open(struct vmm *vm);
void vmm_open_type(struct vmm *vm, unsigned long type);
void vmm_start(struct vmm *vm, int nr_vcpus);
void vmm_destroy(struct vmm *vm);
void vmm_add_vcpu(struct vmm *vm);

int vmm_gmem_try(struct vmm *vm, uint64_t size, uint64_t flags);
int vmm_gmem(struct vmm *vm, uint64_t size, uint64_t flags);
char *vmm_map(int fd, uint64_t size);	/* shared, from offset 0; works for any file */
void vmm_punch(int fd, uint64_t offset, uint64_t size);
#define VMM_GMEM_BOTH (GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)

int vmm_slot(struct vmm *vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
	     void *hva, int fd, uint64_t offset);
void vmm_bind(struct vmm *vm, int fd, uint64_t size, void *hva);
int vmm_delete_slot(struct vmm *vm, uint32_t slot);
int vmm_cap(int fd, int cap);
bool vmm_host_has_npt(void);	/* else the host uses shadow paging */
bool vmm_gmem_is_ours(void);	/* guest_memfd is the module's, not the kernel's */
/*
 * Ask the module for folios of 2 MiB, for files that are created from now on, in the words of its
 * parameter huge. Returns the word that it replaces; does nothing where there is no such parameter.
 */
const char *vmm_ask_for_huge(const char *word);
int vmm_prefault_error(void);	/* what KVM_PRE_FAULT_MEMORY fails with; 0 if it works */
int vmm_prefault(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t size);

/*
 * Run the guest: write @value to one qword on each of @n pages, or add these qwords up. Return 0,
 * or -1 with errno if KVM_RUN failed; run->exit_reason tells more.
 */
int vmm_write(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t n, uint64_t value);
int vmm_sum(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t n, uint64_t *sum);
/* The same, but each page gets @step more than the page before it, which tells the pages apart. */
int vmm_write_rising(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t n, uint64_t value,
		     uint64_t step);
/* Add up, where a page weighs @weight times as much as the next page. */
int vmm_sum_weighted(struct vmm *vm, int vcpu, uint64_t gpa, uint64_t n, uint64_t weight,
		     uint64_t *sum);
/* Execute what is at @gpa, up to a HLT. */
#define VMM_HLT 0xf4
int vmm_execute(struct vmm *vm, int vcpu, uint64_t gpa);
/* Halt, which also leaves a nested guest that was interrupted. */
int vmm_halt(struct vmm *vm, int vcpu);
int vmm_write_nested(struct vmm *vm, int vcpu, enum vmm_nesting nesting, uint64_t gpa,
		     uint64_t n, uint64_t value);

/*
 * The guest counts: it writes the next number to @gpa, then to done, until stop is set. The
 * counter is in memory that is never taken away. Counting goes on from done, so vmm_count() can be
 * called again after it failed.
 */
struct vmm_counter {
	volatile uint64_t done, stop;
};

struct vmm_counter *vmm_counter(struct vmm *vm, int vcpu);
int vmm_count(struct vmm *vm, int vcpu, enum vmm_nesting nesting, uint64_t gpa);

#endif /* VMM_H */
