// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <unistd.h>

#include "calls.h"
#include "tap.h"

#define TRACING "/sys/kernel/tracing/"
#define EVENT "gmem_calls"

static bool write_line(const char *file, int flags, const char *text)
{
	int fd = open(file, O_WRONLY | flags);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return good;
}

static bool enable(const char *on)
{
	return write_line(TRACING "events/" EVENT "/" EVENT "/enable", 0, on);
}

bool calls_begin(const char *function)
{
	char text[128];

	snprintf(text, sizeof(text), "p:" EVENT "/" EVENT " %s", function);
	return write_line(TRACING "kprobe_events", O_APPEND, text) && enable("1");
}

long calls_so_far(void)
{
	FILE *f = fopen(TRACING "kprobe_profile", "r");
	char name[64];
	long hits, n = -1;

	must(f);
	while (fscanf(f, "%63s %ld %*[^\n]", name, &hits) == 2)
		if (!strcmp(name, EVENT))
			n = hits;
	fclose(f);
	return n;
}

void calls_end(void)
{
	must(enable("0"));
	must(write_line(TRACING "kprobe_events", O_APPEND, "-:" EVENT "/" EVENT));
}
