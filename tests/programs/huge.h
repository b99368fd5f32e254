/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs need to know about folios of 2 MiB. */
#ifndef TEST_HUGE_H
#define TEST_HUGE_H

#include <stdbool.h>

#include "vmm.h"

#define HUGE (2 * MIB)
#define HUGE_PAGES (HUGE / PAGE)

/* True if files that are created now can have such folios: the module's parameter asks for them. */
bool huge_asked(void);

/* The number behind a key at the start of a line; -1 if no line has it. */
long number_in(const char *path, const char *key);

/* How many of them the file has; 0 if the kernel does not say. */
long huge_folios(int fd);
long small_folios(int fd);

/* Maps a file as vmm_map() does. With huge=advise, the mapping asks for 2 MiB. */
char *huge_map(int fd, uint64_t size);

/* Holds a reference to the folio of a page that is there, so that it cannot be split; lets it go. */
struct huge_pin {
	int pipe[2];
};

bool huge_pin(struct huge_pin *pin, void *page);
void huge_unpin(struct huge_pin *pin);

#endif /* TEST_HUGE_H */
