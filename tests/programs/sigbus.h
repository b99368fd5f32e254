/* SPDX-License-Identifier: GPL-2.0-only */
/* Touching memory that may not be there. */
#ifndef SIGBUS_H
#define SIGBUS_H

#include <stdbool.h>

/*
 * Catch SIGBUS from now on. A SIGBUS that no sigbus_read() or sigbus_write() waits for is ignored;
 * the kernel sends one to every process that has failed memory mapped.
 */
void sigbus_catch(void);

/* Read or write the byte; false if that raised SIGBUS. Any thread may call these. */
bool sigbus_read(const char *p);
bool sigbus_write(char *p, char value);

#endif /* SIGBUS_H */
