// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <signal.h>

#include "sigbus.h"
#include "tap.h"

static __thread sigjmp_buf back;
static __thread volatile bool waiting;

static void on_sigbus(int sig)
{
	if (waiting) {
		waiting = false;
		siglongjmp(back, 1);
	}
}

void sigbus_catch(void)
{
	struct sigaction action = { .sa_handler = on_sigbus };

	must(!sigaction(SIGBUS, &action, NULL));
}

static bool touch(volatile char *p, bool write, char value)
{
	if (sigsetjmp(back, 1))
		return false;
	waiting = true;
	if (write)
		*p = value;
	else
		(void)*p;
	waiting = false;
	return true;
}

bool sigbus_read(const char *p)
{
	return touch((char *)p, false, 0);
}

bool sigbus_write(char *p, char value)
{
	return touch(p, true, value);
}
