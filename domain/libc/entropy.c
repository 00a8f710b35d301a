/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * getentropy(): RDRAND where the processor has it, else the time stamp counter stirred. The only
 * callers are the seed of rte_rand() and hash seeds: nothing here is a cryptographic key, and on a
 * processor without RDRAND the answer can be guessed by who knows when the domain started.
 * Source: Intel SDM volume 1, 7.3.17.
 */
#include <cpuid.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define RDRAND_TRIES 10

static bool has_rdrand(void)
{
    unsigned int eax, ebx, ecx, edx;

    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_RDRND);
}

static bool read_rdrand(uint64_t *value_r)
{
    unsigned char ok = 0;

    for (int i = 0; i < RDRAND_TRIES && !ok; i++)
        __asm__ volatile("rdrand %0; setc %1" : "=r"(*value_r), "=qm"(ok)::"cc");
    return ok;
}

/* The finishing steps of splitmix64. */
static uint64_t stir(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

static uint64_t random_word(bool rdrand)
{
    static uint64_t state;
    uint64_t value = 0;

    if (rdrand && read_rdrand(&value))
        return value;
    state = stir(state + 0x9e3779b97f4a7c15ull + __builtin_ia32_rdtsc());
    return state;
}

int getentropy(void *buf, size_t len)
{
    bool rdrand = has_rdrand();
    char *to = buf;

    if (len > 256) {
        errno = EIO;
        return -1;
    }
    while (len > 0) {
        uint64_t word = random_word(rdrand);
        size_t part = len < sizeof(word) ? len : sizeof(word);

        memcpy(to, &word, part);
        to += part;
        len -= part;
    }
    return 0;
}
