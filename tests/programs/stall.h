/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holds the moment in which KVM deletes a memslot for as long as a test needs it.
 *
 * KVM first shows the vCPUs a copy of the slot that is marked invalid, and waits until every vCPU
 * has left the old one. A vCPU that faults on userfaultfd memory that no thread serves makes KVM
 * wait, with slots_lock held and slots_arch_lock not held.
 */
#ifndef TEST_STALL_H
#define TEST_STALL_H

#include <pthread.h>
#include <sys/types.h>

#include "vmm.h"

#define STALL_SLOT (VMM_TEST_SLOT + 8)
#define STALL_GPA (VMM_TEST_GPA + 16 * MIB)
#define STALL_FREE_GPA (STALL_GPA + PAGE)	/* ordinary memory, for other vCPUs */

struct stall {
	struct vmm *vm;
	int vcpu, uffd, slot;
	char *memory;
	pthread_t runner;
};

/*
 * A thread that touches the page waits until the returned userfaultfd is served or closed.
 * stall_until_touched() waits until a thread touches the page.
 */
int stall_page(char *page);
void stall_until_touched(int fd);

/* A call in another thread, which sleeps in the kernel until another task wakes it. */
struct stalled_call {
	pthread_t thread;
	void (*call)(void *arg);
	void *arg;
	volatile pid_t tid;
};

/* From here on, @vcpu stands still and another thread is deleting @slot. */
void stall_begin(struct stall *s, struct vmm *vm, int vcpu, int slot);
/* Let both of them go on; returns when the slot is gone. */
void stall_end(struct stall *s);

/* Begin a call that must wait for the deletion; and wait for the call's end. */
void stalled_call_begin(struct stalled_call *c, void (*call)(void *arg), void *arg);
void stalled_call_end(struct stalled_call *c);

#endif /* TEST_STALL_H */
