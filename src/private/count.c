// SPDX-License-Identifier: GPL-2.0-only
/* How many private pages were placed, and why others were not. */
#include <linux/percpu.h>

#include "private.h"

/* For each CPU, so that guests do not share a cache line. */
static DEFINE_PER_CPU(unsigned long [PRIVATE_COUNTS], private_counts);

/**
 * private_count() - count one page
 * @what: what became of it
 */
void private_count(enum private_count what)
{
	this_cpu_inc(private_counts[what]);
}

/**
 * private_counted() - how many pages were counted since the module was loaded
 * @what: what became of them
 */
unsigned long private_counted(enum private_count what)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(private_counts[what], cpu);
	return sum;
}
