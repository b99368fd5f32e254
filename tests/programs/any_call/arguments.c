// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "any_call.h"

long some_file(struct caller *c)
{
	return FD_FILE + roll(c, FILES);
}

static long some_fd(struct caller *c)
{
	if (roll(c, 4))
		return some_file(c);
	return FIRST_FD + roll(c, FD_END - FIRST_FD);
}

long some_page(struct caller *c)
{
	return ARENA + roll(c, ARENA_PAGES) * PAGE;
}

static long some_address(struct caller *c)
{
	switch (roll(c, 12)) {
	case 0:
		return some_page(c) + roll(c, PAGE);
	case 1:
		return SCRATCH + roll(c, SCRATCH_PAGES) * PAGE;
	case 2:
		return prng_next(&c->dice);
	default:
		return some_page(c);
	}
}

static long some_pointer(struct caller *c)
{
	switch (roll(c, 8)) {
	case 0:
		return 0;
	case 1: case 2: case 3:
		return some_page(c) + (roll(c, 2) ? roll(c, PAGE / 8) * 8 : 0);
	default:
		return SCRATCH + roll(c, SCRATCH_PAGES * PAGE / 8) * 8;
	}
}

static long some_length(struct caller *c)
{
	switch (roll(c, 12)) {
	case 0:
		return 0;
	case 1:
		return roll(c, 3 * PAGE);
	case 2:
		return 1L << roll(c, 63);
	case 3:
		return prng_next(&c->dice);
	default:
		return (1 + roll(c, roll(c, 2) ? 3 : N)) * PAGE;
	}
}

static long some_offset(struct caller *c)
{
	switch (roll(c, 12)) {
	case 0:
		return roll(c, 2 * SIZE);
	case 1:
		return prng_next(&c->dice);
	case 2:
		return INT64_MAX - roll(c, 2 * PAGE);
	default:
		return roll(c, N + 1) * PAGE;
	}
}

static long some_bits(struct caller *c)
{
	switch (roll(c, 4)) {
	case 0:
		return 0;
	case 1:
		return 1L << roll(c, 32);
	case 2:
		return 1L << roll(c, 8) | 1L << roll(c, 8);
	default:
		return roll(c, 64);
	}
}

static long some_path(struct caller *c)
{
	if (roll(c, 4))
		snprintf(c->path, sizeof(c->path), "/proc/self/fd/%ld", some_fd(c));
	else
		c->path[0] = 0;
	return (long)c->path;
}

static long some_vector(struct caller *c)
{
	size_t i;

	for (i = 0; i < 8; i++) {
		c->iov[i].iov_base = (void *)some_pointer(c);
		c->iov[i].iov_len = roll(c, 4) ? roll(c, 2 * PAGE) : (uint64_t)some_length(c);
	}
	return (long)c->iov;
}

static long some_pages(struct caller *c)
{
	size_t i;

	for (i = 0; i < 8; i++)
		c->pages[i] = (void *)some_address(c);
	return (long)c->pages;
}

static long some_nodes(struct caller *c)
{
	c->nodes[0] = roll(c, 4) ? roll(c, 4) : prng_next(&c->dice);
	c->nodes[1] = roll(c, 8) ? 0 : prng_next(&c->dice);
	return (long)c->nodes;
}

long argument(struct caller *c, const struct call *call, char kind)
{
	switch (kind) {
	case 'f':
		return some_fd(c);
	case 's':
		return some_path(c);
	case 'a':
		return some_address(c);
	case 'p':
		return some_pointer(c);
	case 'S':
		return SCRATCH + roll(c, SCRATCH_PAGES - 1) * PAGE;
	case 'V':
		return some_vector(c);
	case 'P':
		return some_pages(c);
	case 'm':
		return some_nodes(c);
	case 'l':
		return some_length(c);
	case 'o':
		return some_offset(c);
	case 'b':
		return some_bits(c);
	case 'n':
		return roll(c, 9);
	case 'v':
		return call->value[roll(c, call->values)];
	case 'i':
		return getpid();
	case 'x':
		return roll(c, 8) ? 64 : roll(c, 130);
	case 'g':
		return roll(c, 8);
	case 'F':
		return O_NONBLOCK | (roll(c, 3) ? 0 : O_DIRECT) | (roll(c, 3) ? 0 : O_APPEND | O_ASYNC);
	case 'K':
		return FD_VM;
	case 'C':
		return FD_VCPU;
	case 'M':
		return FD_MEM;
	case 'E':
		return FD_EPOLL;
	case 'I':
		return FD_INOTIFY;
	case 'Y':
		return FD_FANOTIFY;
	default:
		return 0;
	}
}
