/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The moment in which KVM deletes a memslot, as long as a test wants it.
 *
 * KVM first shows vCPUs a copy of the slot that is marked invalid, and waits until each of
 * them has left the old one. A vCPU that faults on memory of a userfaultfd, which nobody
 * serves, makes it wait: with slots_lock held, and slots_arch_lock not.
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
 * Who touches the page waits, until the userfaultfd that is returned is served, or closed. The
 * other waits until somebody does.
 */
int stall_page(char *page);
void stall_until_touched(int fd);

/* Another thread is asleep in the kernel, and will not wake by itself. */
struct stalled_call {
	pthread_t thread;
	void (*call)(void *arg);
	void *arg;
	volatile pid_t tid;
};

/* @vcpu stands still from here on; then somebody else begins to delete @slot. */
void stall_begin(struct stall *s, struct vmm *vm, int vcpu, int slot);
/* Both go on; returns when the slot is gone. */
void stall_end(struct stall *s);

/* Begin a call that has to wait for the deletion; and wait for its end. */
void stalled_call_begin(struct stalled_call *c, void (*call)(void *arg), void *arg);
void stalled_call_end(struct stalled_call *c);

#endif /* TEST_STALL_H */
