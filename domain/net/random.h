/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for protocols whose safety is that others cannot guess them: SipHash-2-4 (Aumasson and Bernstein, 2012)
 * of a counter and the time, under a key made of a seed. Who sees some of them cannot tell others, but who knows
 * 32 bits of a seed that has no more can try them all: users whose numbers are seen by others have seeds apart.
 */
#ifndef NET_RANDOM_H
#define NET_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t key[2], counter;
};

static inline uint64_t random_rotate(uint64_t x, unsigned int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void random_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = random_rotate(v[1], 13) ^ v[0];
    v[3] = random_rotate(v[3], 16) ^ v[2];
    v[0] = random_rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = random_rotate(v[1], 17) ^ v[2];
    v[3] = random_rotate(v[3], 21) ^ v[0];
    v[2] = random_rotate(v[2], 32);
}

/* Of 16 bytes, given as two numbers. */
static inline uint64_t random_hash(const uint64_t key[2], uint64_t a, uint64_t b)
{
    const uint64_t words[3] = { a, b, 16ull << 56 };
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                      key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };

    for (unsigned int i = 0; i < 3; i++) {
        v[3] ^= words[i];
        random_round(v);
        random_round(v);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    for (unsigned int i = 0; i < 4; i++)
        random_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Two seeds; neither needs to be random as a whole. */
static inline void random_init(struct random *random, uint64_t seed, uint64_t more)
{
    *random = (struct random){ .key = { seed, more } };
}

/* The next number. now: ns, which others know roughly at best. */
static inline uint64_t random_next(struct random *random, uint64_t now)
{
    return random_hash(random->key, random->counter++, now);
}

/* The next number below a limit, which is not 0. */
static inline uint64_t random_below(struct random *random, uint64_t now, uint64_t limit)
{
    return random_next(random, now) % limit;
}

#endif
