/* SPDX-License-Identifier: GPL-2.0-only */
/* Touching memory that may not be there. */
#ifndef SIGBUS_H
#define SIGBUS_H

#include <stdbool.h>

/*
 * Catch SIGBUS from now on. One that no touch is waiting for, as memory that failed
 * sends to whoever has it mapped, is ignored.
 */
void sigbus_catch(void);

/* Read or write the byte; false if that raised SIGBUS. For any thread. */
bool sigbus_read(const char *p);
bool sigbus_write(char *p, char value);

#endif /* SIGBUS_H */
