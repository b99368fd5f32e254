/* SPDX-License-Identifier: GPL-2.0-only */
/* What the race programs share: random numbers, CPUs, memory that may fail, and race pairs. */
#ifndef TEST_RACE_H
#define TEST_RACE_H

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "prng.h"
#include "vmm.h"

/* The minimum of rounds, even if the time is over or the machine is busy. */
#define RACE_ROUNDS_MIN 4

/* Two CPUs, different ones if the machine has at least two. */
void random_cpus(struct prng *r, int cpus[2]);
void pin_to(int cpu);
double seconds_now(void);

/*
 * guarded(ACCESS): true if the access succeeded, false if it raised SIGBUS or SIGSEGV. A SIGBUS
 * that only reports failed memory is ignored.
 */
extern __thread sigjmp_buf guard_return;
extern __thread volatile bool guard_on;
void guard_init(void);
#define guarded(...)							\
	({								\
		bool through_ = !sigsetjmp(guard_return, 1);		\
		if (through_) {						\
			guard_on = true;				\
			__VA_ARGS__;					\
		}							\
		guard_on = false;					\
		through_;						\
	})

/* The pfn of a mapped page, or 0; and memory failures there, injected and undone. */
uint64_t pfn_of(void *page);
bool poison(void *page);
bool can_unpoison(void);
bool unpoison_pfn(uint64_t pfn);

/* True if the module refused to be unloaded, as it must while it is in use. */
bool unload_is_refused(void);

/* Send a file descriptor to another process, and receive one. */
void send_fd(int socket, int fd);
int receive_fd(int socket);

/*
 * Two functions that race. Each round begins with before() and ends with after(), which returns
 * whether the state is as it must be. In between, one() and other() run at the same time; the
 * start of other() varies from before the start of one() until after its end.
 */
struct race_pair {
	const char *one_name, *other_name;
	void (*before)(void);
	void (*one)(void);
	void (*other)(void);
	bool (*after)(void);
};

/*
 * What the two calls of a round returned, for after(), and what errno was. In after(),
 * expect(CONDITION) prints the condition and returns false where it does not hold.
 */
extern int race_result[2], race_error[2];

#define RESULT(i, call)				\
	do {					\
		race_result[i] = (call);	\
		race_error[i] = errno;		\
	} while (0)

bool said(int i, int want, int errno_want);
bool unexpected(const char *what);

#define expect(cond)					\
	do {						\
		if (!(cond))				\
			return unexpected(#cond);		\
	} while (0)

/* A guest writes to pages while its VM is closed, and the run page of its vCPU unmapped. */
int guest_of_mortal(struct vmm *vm, uint64_t gpa, uint64_t n);

/* Prints one test point and returns the number of rounds. */
uint64_t race_pair_run(const struct race_pair *p, struct prng *r, double seconds);

#endif /* TEST_RACE_H */
