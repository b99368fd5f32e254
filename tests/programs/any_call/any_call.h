/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls of every kind that takes a descriptor, a path or memory, on guest_memfds and their
 * mappings, with arguments that need not make sense.
 *
 *	arguments.c	an argument, drawn by its kind
 *	calls.c		the system calls, and which arguments they take
 *	acts.c		what takes more than arguments
 *	process.c	a process with threads that call, and one that runs a guest
 *	main.c		processes are killed and replaced; afterwards everything must work
 *
 * The results of the calls are not checked here: the fuzzer with its model covers the few calls
 * that a VMM makes, this program covers calls that were not thought of. The script that runs it
 * watches the kernel.
 */
#ifndef ANY_CALL_H
#define ANY_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../numa.h"
#include "../prng.h"
#include "../tap.h"
#include "../vmm.h"

#define N 32UL			/* pages of a file */
#define SIZE (N * PAGE)
#define SHARED 2		/* files of the first process's VM, which all processes have */
#define OWN 2			/* files of a process's own VM */
#define FILES (SHARED + OWN)
#define ARENA 0x200000000000UL	/* where files are mapped, far from anything else */
#define ARENA_PAGES (2 * FILES * N)
#define SCRATCH 0x210000000000UL	/* where calls may write */
#define SCRATCH_PAGES 64UL
#define FIRST_FD 100

/* Descriptors have fixed numbers, so that a copy may take another one's place. */
enum {
	FD_FILE = FIRST_FD,
	FD_VM = FD_FILE + FILES,
	FD_VCPU,
	FD_MEM,
	FD_MEMFD,
	FD_ZERO,
	FD_PIPE_OUT,
	FD_PIPE_IN,
	FD_EPOLL,
	FD_INOTIFY,
	FD_FANOTIFY,
	FD_UFFD,
	FD_EVENT,
	FD_END,
};

/* A thread: its random numbers, and memory for arguments that are passed by address. */
struct caller {
	struct prng dice;
	struct iovec iov[8];
	void *pages[8];
	unsigned long nodes[2];
	char path[64];
};

static inline uint64_t roll(struct caller *c, uint64_t below)
{
	return prng_below(&c->dice, below);
}

/* arguments.c */
long some_file(struct caller *c);
long some_page(struct caller *c);	/* of the arena */

#define VALUES 24

/*
 * A call, and what it takes, a letter for each argument:
 *	f descriptor		l length		a address
 *	K VM			o offset		p pointer
 *	C vCPU			b bits			S scratch memory
 *	M /proc/self/mem	n 0 to 8		V iovec[8]
 *	E epoll			0 zero			P pointers[8]
 *	I inotify		F O_*, nonblocking	m node mask
 *	Y fanotify		g MPOL_MF_*		x its bits, as mbind() counts
 *	s path			v one of the values	i this process
 */
struct call {
	const char *name;
	int nr;
	const char *takes;
	int values;
	long value[VALUES];
};

long argument(struct caller *c, const struct call *call, char kind);

/* calls.c */
extern const struct call calls[];
extern const size_t calls_count;

/* acts.c */
struct act {
	const char *name;
	bool (*act)(struct caller *c);
};

extern const struct act acts[];
extern const size_t acts_count;

/* process.c */
#define ACTIONS_MAX 128

/* The counts are in memory that all processes share. */
struct totals {
	uint64_t calls, good;
	uint64_t good_of[ACTIONS_MAX];	/* calls, then acts */
};

extern struct totals *totals;

void process(const int *files, uint64_t seed) __attribute__((noreturn));	/* until it is killed */

#endif /* ANY_CALL_H */
