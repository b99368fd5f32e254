/* SPDX-License-Identifier: GPL-2.0-only */
/* The Test Anything Protocol, as the programs that run inside the booted kernel speak it. */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int tap_failures;

bool tap_ok(bool ok, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void tap_skip(const char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void tap_in_child(void (*fn)(void));	/* the test points of fn() count as the caller's */
void tap_die(const char *file, int line, const char *what) __attribute__((noreturn));

/* One test point. */
#define ok(cond, ...) tap_ok(cond, __FILE__, __LINE__, __VA_ARGS__)

/* One test point: the two integers are equal. Prints both if they are not. */
#define is(got, want, ...)							\
	do {									\
		long long got_ = (got), want_ = (want);				\
		if (!ok(got_ == want_, __VA_ARGS__))				\
			printf("#   got %lld, want %lld\n", got_, want_);	\
	} while (0)

/* One test point: the call returns -1 and sets errno. */
#define fails(call, err, ...)							\
	do {									\
		errno = 0;							\
		long long r_ = (long long)(call);				\
		int e_ = errno;							\
		if (!ok(r_ == -1 && e_ == (err), __VA_ARGS__))			\
			printf("#   got %lld, errno %d (%s), want errno %d (%s)\n", \
			       r_, e_, strerror(e_), err, strerror(err));	\
	} while (0)

/* Like fails(), but skipped where the kernel was built without the system call. */
#define fails_or_lacks(config, call, err, ...)					\
	do {									\
		errno = 0;							\
		if ((call) == -1 && errno == ENOSYS)				\
			tap_skip("a kernel without " config, __VA_ARGS__);	\
		else								\
			fails(call, err, __VA_ARGS__);				\
	} while (0)

/* Not a test point, but a condition without which the test cannot go on. */
#define must(cond)								\
	do {									\
		if (!(cond))							\
			tap_die(__FILE__, __LINE__, #cond);			\
	} while (0)

static inline int tap_exit(void)
{
	return tap_failures ? 1 : 0;
}

#endif /* TAP_H */
