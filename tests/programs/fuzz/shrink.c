// SPDX-License-Identifier: GPL-2.0-only
/* Finds fewer operations and smaller arguments that still fail. */
#include <time.h>

#include "fuzz.h"

static time_t deadline;

/* How the sequence failed at first. */
static const char *kind;
static int type;

static int failing_type(const struct sequence *s)
{
	return shared->step < s->n ? s->op[shared->step].type : -1;
}

/* True if the sequence fails in the same way: at the same operation, with the same difference. */
static bool still_fails(const struct sequence *s)
{
	return time(NULL) < deadline && !run_sequence(s) && shared->kind == kind &&
	       failing_type(s) == type;
}

/* Leaves out @n operations from @at on, if the sequence then still fails. */
static bool without(struct sequence *s, int at, int n)
{
	struct sequence less = *s;

	memmove(&less.op[at], &less.op[at + n], (less.n - at - n) * sizeof(less.op[0]));
	less.n -= n;
	if (!still_fails(&less))
		return false;
	*s = less;
	return true;
}

static void drop_operations(struct sequence *s)
{
	int n, at;

	for (n = s->n / 2; n; n /= 2) {
		for (at = s->n - n; at >= 0; at -= n)
			without(s, at, n);
	}
}

static bool with_argument(struct sequence *s, int op, int arg, long value)
{
	struct sequence other = *s;

	if (other.op[op].arg[arg] == value)
		return false;
	other.op[op].arg[arg] = value;
	if (!still_fails(&other))
		return false;
	*s = other;
	return true;
}

static void shrink_arguments(struct sequence *s)
{
	int i, j;

	for (i = 0; i < s->n; i++) {
		for (j = 0; j < ARGS; j++) {
			long value = s->op[i].arg[j];

			if (value && !with_argument(s, i, j, 0) && value > 4096 && value % 4096 == 0)
				with_argument(s, i, j, 4096);
		}
	}
}

/**
 * shrink() - reduce a sequence to as few operations as still fail
 * @s: a sequence that has just failed; becomes the reduced one
 * @seconds: how long to try
 */
void shrink(struct sequence *s, int seconds)
{
	int before;

	kind = shared->kind;
	type = failing_type(s);
	deadline = time(NULL) + seconds;
	do {
		before = s->n;
		drop_operations(s);
	} while (s->n < before);
	shrink_arguments(s);
	drop_operations(s);
}
