// SPDX-License-Identifier: GPL-2.0-only
/* How many private pages were placed, and why others were not. */
#include "private.h"

DEFINE_PER_CPU(unsigned long [PRIVATE_COUNTS], private_counts);

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
