// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which code of the module a sequence reached, on a kernel with CONFIG_KCOV where the module was
 * built with KCOV_INSTRUMENT=y. An edge is a pair of places that were reached one after the other.
 */
#include <fcntl.h>
#include <linux/kcov.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "fuzz.h"

#define ENTRIES (64 << 10)

static int kcov_fd = -1;
static unsigned long *trace;

/* The process that forks the traced processes opens it. */
bool kcov_open(void)
{
	kcov_fd = open("/sys/kernel/debug/kcov", O_RDWR);
	if (kcov_fd < 0)
		return false;
	must(!ioctl(kcov_fd, KCOV_INIT_TRACE, ENTRIES));
	trace = mmap(NULL, ENTRIES * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED, kcov_fd, 0);
	must(trace != MAP_FAILED);
	return true;
}

void kcov_begin(void)
{
	if (kcov_fd < 0)
		return;
	trace[0] = 0;
	must(!ioctl(kcov_fd, KCOV_ENABLE, KCOV_TRACE_PC));
}

static void count_edge(unsigned long from, unsigned long to)
{
	uint64_t edge = (from * 31 + to) * 0x9e3779b97f4a7c15ULL;

	shared->cover[edge >> (64 - COVER_BITS)] = 1;
}

void kcov_end(void)
{
	unsigned long i, n, last = 0;

	if (kcov_fd < 0)
		return;
	must(!ioctl(kcov_fd, KCOV_DISABLE, 0));
	n = trace[0] < ENTRIES - 1 ? trace[0] : ENTRIES - 1;
	for (i = 1; i <= n; i++) {
		count_edge(last, trace[i]);
		last = trace[i];
	}
}
