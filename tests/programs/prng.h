/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers that depend on their seed alone. */
#ifndef TEST_PRNG_H
#define TEST_PRNG_H

#include <stdint.h>

struct prng {
	uint64_t state;	/* not 0 */
};

/* xorshift64*, by Vigna. */
static inline uint64_t prng_next(struct prng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dULL;
}

static inline uint64_t prng_below(struct prng *r, uint64_t n)
{
	return (prng_next(r) >> 32) % n;
}

/* One in @n. */
static inline int prng_rarely(struct prng *r, uint64_t n)
{
	return !prng_below(r, n);
}

/* Even seeds that differ by one must give sequences that have nothing in common. */
static inline struct prng prng_seed(uint64_t seed)
{
	struct prng r = { seed * 0x9e3779b97f4a7c15ULL + 0x632be59bd9b4e019ULL };

	if (!r.state)
		r.state = 1;
	prng_next(&r);
	return r;
}

#endif /* TEST_PRNG_H */
