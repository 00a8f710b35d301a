/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disk_load DEVICE MEGABYTES SECONDS THREADS: numbered blocks with checksums are written, flushed and read back in a guest, until the
 * time is over or a line comes on stdin; then all are read once more. A block that does not hold what was last answered for, or
 * any error, ends it with 1. What was written is known from memory: a block's number of its last write, which has been answered.
 */
#define _GNU_SOURCE /* O_DIRECT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_MAX                                                                                  \
    65536u /* the largest that is written at once; its parts are blocks of their own */
#define BLOCK 4096u
#define THREADS_MAX 16

struct block {
    uint64_t place, generation, sum;
    uint64_t words[BLOCK / 8 - 3];
};

struct worker {
    pthread_t thread;
    unsigned int number, first, nr; /* blocks that are its own */
    uint64_t nr_written, nr_read, nr_flushed, worst_ms;
    uint64_t seed;
    struct block *buffer;
};

static int fd;
static volatile bool ends;
static uint64_t *generations; /* by block; 0: never written */
static struct worker workers[THREADS_MAX];

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static uint64_t sum_of(const struct block *block)
{
    uint64_t sum = block->place * 0x9e3779b97f4a7c15ull ^ block->generation;

    for (size_t i = 0; i < sizeof(block->words) / sizeof(block->words[0]); i++)
        sum = (sum ^ block->words[i]) * 0x100000001b3ull;
    return sum;
}

static void wrong(const char *what, uint64_t place, const struct block *block)
{
    if (block)
        printf("WRONG: %s: block %llu, generation %llu wanted, holds block %llu, generation %llu, "
               "sum %s\n",
               what, (unsigned long long)place, (unsigned long long)generations[place],
               (unsigned long long)block->place, (unsigned long long)block->generation,
               block->sum == sum_of(block) ? "right" : "wrong");
    else
        printf("WRONG: %s: block %llu: %s\n", what, (unsigned long long)place, strerror(errno));
    fflush(stdout);
    _exit(1);
}

static void check(const struct worker *worker, unsigned int first, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        const struct block *block = &worker->buffer[i];

        if (generations[first + i] &&
            (block->place != first + i || block->generation != generations[first + i] ||
             block->sum != sum_of(block)))
            wrong("read", first + i, block);
    }
}

static void read_back(struct worker *worker, unsigned int first, unsigned int nr)
{
    if (pread(fd, worker->buffer, nr * (size_t)BLOCK, (off_t)first * BLOCK) !=
        (ssize_t)(nr * BLOCK))
        wrong("pread", first, NULL);
    check(worker, first, nr);
    worker->nr_read += nr;
}

static void write_new(struct worker *worker, unsigned int first, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        struct block *block = &worker->buffer[i];

        block->place = first + i;
        block->generation = generations[first + i] + 1;
        for (size_t j = 0; j < sizeof(block->words) / sizeof(block->words[0]); j++)
            block->words[j] = next(&worker->seed);
        block->sum = sum_of(block);
    }
    if (pwrite(fd, worker->buffer, nr * (size_t)BLOCK, (off_t)first * BLOCK) !=
        (ssize_t)(nr * BLOCK))
        wrong("pwrite", first, NULL);
    for (unsigned int i = 0; i < nr; i++)
        generations[first + i]++;
    worker->nr_written += nr;
}

static void *work(void *ctx)
{
    struct worker *worker = ctx;

    while (!ends) {
        unsigned int nr = 1 + (unsigned int)(next(&worker->seed) % (BLOCK_MAX / BLOCK));
        unsigned int first =
            worker->first + (unsigned int)(next(&worker->seed) % (worker->nr - nr));
        unsigned int dice = (unsigned int)(next(&worker->seed) % 32);
        uint64_t began = now_ms();

        if (dice == 0) {
            if (fdatasync(fd))
                wrong("fdatasync", first, NULL);
            worker->nr_flushed++;
        } else if (dice < 12) {
            read_back(worker, first, nr);
        } else {
            write_new(worker, first, nr);
        }
        if (now_ms() - began > worker->worst_ms)
            worker->worst_ms = now_ms() - began;
    }
    return NULL;
}

static uint64_t total(size_t member)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < THREADS_MAX; i++)
        sum += *(uint64_t *)((char *)&workers[i] + member);
    return sum;
}

static void tell(const char *when)
{
    printf("%s: written %llu read %llu flushed %llu\n", when,
           (unsigned long long)total(offsetof(struct worker, nr_written)),
           (unsigned long long)total(offsetof(struct worker, nr_read)),
           (unsigned long long)total(offsetof(struct worker, nr_flushed)));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    unsigned int megabytes = argc > 4 ? (unsigned int)atoi(argv[2]) : 0;
    unsigned int nr_threads = argc > 4 ? (unsigned int)atoi(argv[4]) : 0;
    unsigned int nr_blocks = megabytes * (1048576u / BLOCK);
    uint64_t until = now_ms() + 1000ull * (argc > 4 ? (unsigned int)atoi(argv[3]) : 0), worst = 0;

    if (!megabytes || !nr_threads || nr_threads > THREADS_MAX) {
        fprintf(stderr, "usage: disk_load DEVICE MEGABYTES SECONDS THREADS\n");
        return 2;
    }
    fd = open(argv[1], O_RDWR | O_DIRECT);
    generations = calloc(nr_blocks, sizeof(*generations));
    if (fd < 0 || !generations) {
        printf("WRONG: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    for (unsigned int i = 0; i < nr_threads; i++) {
        struct worker *worker = &workers[i];

        *worker = (struct worker){ .number = i,
                                   .first = i * (nr_blocks / nr_threads),
                                   .nr = nr_blocks / nr_threads,
                                   .seed = 88172645463325252ull + i * 7919 };
        if (posix_memalign((void **)&worker->buffer, BLOCK, BLOCK_MAX) ||
            pthread_create(&worker->thread, NULL, work, worker))
            return 1;
    }
    while (now_ms() < until) {
        struct pollfd stop = { .fd = STDIN_FILENO, .events = POLLIN };

        if (poll(&stop, 1, 500) > 0)
            break;
        tell("so far");
    }
    ends = true;
    for (unsigned int i = 0; i < nr_threads; i++) {
        pthread_join(workers[i].thread, NULL);
        worst = workers[i].worst_ms > worst ? workers[i].worst_ms : worst;
    }
    tell("all answered");
    for (unsigned int i = 0; i < nr_blocks; i += BLOCK_MAX / BLOCK)
        read_back(&workers[0], i, BLOCK_MAX / BLOCK);
    printf("RIGHT: all %u blocks read back; the longest request took %llu ms\n", nr_blocks,
           (unsigned long long)worst);
    return 0;
}
