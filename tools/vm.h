/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM with one vCPU, whose guest only writes to pages. */
#ifndef CHECK_VM_H
#define CHECK_VM_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE 4096UL

struct vm {
	int kvm;
	int fd;
	int vcpu;
	uint8_t *ctrl;
	struct kvm_run *run;
	int run_size;
	const char *failed;	/* the call that failed, for a message; errno has the reason */
};

/* Return 0, or -1 with vm->failed and errno. */
int vm_create(struct vm *vm);
int vm_add_vcpu(struct vm *vm);
void vm_destroy(struct vm *vm);

/*
 * A VM with private memory: SEV-SNP, TDX, or KVM's own software-protected VM, whichever this host
 * has. vm_create_private() fails with EOPNOTSUPP if it has none. Such a VM cannot run before its
 * launch, which is not done here.
 */
int vm_create_private(struct vm *vm);
int vm_private_memfd(struct vm *vm, uint64_t size);
int vm_set_private(struct vm *vm, uint64_t size);

/* Create a guest_memfd that the host can map. Return its file descriptor, or -1 with errno. */
int vm_guest_memfd(struct vm *vm, uint64_t size);

/* Bind the whole file to a memslot, and have the guest write to each page of it. */
int vm_bind(struct vm *vm, int fd, void *addr, uint64_t size);
int vm_touch(struct vm *vm, uint64_t pages, uint32_t value);

/* Call KVM_SET_TSC_KHZ on the VM with the frequency that it has. Return 0, or errno. */
int vm_set_tsc(struct vm *vm);

#endif /* CHECK_VM_H */
