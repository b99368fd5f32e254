// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <unistd.h>

#include "fail.h"
#include "numa.h"
#include "tap.h"

/* Other modules are in this range as well, but the kernel itself is not. */
#define MODULES_START "0xffffffffa0000000"
#define MODULES_END "0xffffffffff000000"

static int nth_file;

/* By default, allocations that can sleep or use high memory do not fail; the module's are such. */
void fail_enable(void)
{
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	nth_file = open("/proc/thread-self/fail-nth", O_RDWR);
	must(nth_file >= 0);
}

void fail_modules_only(void)
{
	static const char *const files[][2] = {
		{ "stacktrace-depth", "32" },
		{ "require-start", MODULES_START },
		{ "require-end", MODULES_END },
	};
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", files[i][0]);
		write_file(path, files[i][1]);
		snprintf(path, sizeof(path), "/sys/kernel/debug/fail_page_alloc/%s", files[i][0]);
		write_file(path, files[i][1]);
	}
}

void fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	must(pwrite(nth_file, text, len, 0) == len);
}

bool fail_happened(void)
{
	char text[16] = {};

	must(pread(nth_file, text, sizeof(text) - 1, 0) > 0);
	return atoi(text) == 0;
}
