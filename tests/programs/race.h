/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs that race share: random numbers, CPUs, memory that may fail, and pairs. */
#ifndef TEST_RACE_H
#define TEST_RACE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "prng.h"

/* However little time there is, and however busy the machine. */
#define RACE_ROUNDS_MIN 4

/* Two CPUs, not the same if there are two. */
void random_cpus(struct prng *r, int cpus[2]);
void pin_to(int cpu);
double seconds_now(void);

/*
 * guarded(ACCESS): whether it went through; not if it raised SIGBUS or SIGSEGV. A SIGBUS
 * that just tells of failed memory is ignored.
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

/* The frame of a page that is mapped, or 0; and memory failures there, made and undone. */
uint64_t pfn_of(void *page);
bool poison(void *page);
bool unpoison_pfn(uint64_t pfn);

/* The module cannot be unloaded while something uses it: whether it was refused so. */
bool unload_is_refused(void);

/* A descriptor for another process, and from it. */
void send_fd(int socket, int fd);
int receive_fd(int socket);

/*
 * Two that race. Each round begins with before() and ends with after(), which says
 * whether all is as it has to be; in between, one() and other() run at once, the second
 * at any time from before the first to behind it.
 */
struct race_pair {
	const char *one_name, *other_name;
	void (*before)(void);
	void (*one)(void);
	void (*other)(void);
	bool (*after)(void);
};

/* One test point. Returns the number of rounds. */
uint64_t race_pair_run(const struct race_pair *p, struct prng *r, double seconds);

#endif /* TEST_RACE_H */
