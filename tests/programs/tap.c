// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

int tap_failures;

static void __attribute__((constructor)) tap_init(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

bool tap_ok(bool ok, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok - ", ok ? "" : "not ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!ok) {
		printf("#   at %s:%d\n", file, line);
		tap_failures++;
	}
	return ok;
}

void tap_skip(const char *why, const char *fmt, ...)
{
	va_list ap;

	printf("ok - ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" # SKIP %s\n", why);
}

void tap_in_child(void (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		tap_failures = 0;
		fn();
		fflush(stdout);
		_exit(tap_exit());
	}
	must(waitpid(pid, &status, 0) == pid);
	is(status, 0, "the child process exits without an error");
}

void tap_die(const char *file, int line, const char *what)
{
	printf("not ok - %s:%d: %s failed: %s\n", file, line, what, strerror(errno));
	exit(255);
}
