/* SPDX-License-Identifier: BSD-2-Clause */
/* What every fuzzing target needs: a look at the input, piece by piece, and a check that ends it. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls it with each input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* An input that is taken from the front. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/* The next byte; 0 behind the end. */
static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
    uint16_t high = fuzz_u8(input);

    return (uint16_t)(high << 8 | fuzz_u8(input));
}

/* The next bytes, at most max of them. Returns how many there are. */
static inline size_t fuzz_take(struct fuzz_input *input, size_t max, const uint8_t **bytes_r)
{
    size_t nr = input->left < max ? input->left : max;

    *bytes_r = input->at;
    input->at += nr;
    input->left -= nr;
    return nr;
}

/* A copy in memory of its own, of exactly this size, so that a look behind its end is seen; for free(). */
static inline void *fuzz_copy(const uint8_t *bytes, size_t size)
{
    void *copy = malloc(size);

    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

#endif
