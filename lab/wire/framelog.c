/* SPDX-License-Identifier: BSD-2-Clause */
#include "framelog.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* 16 million frames: 1.3 GB of address space, file blocks only as used. */
#define MAX_RECORDS (16u << 20)
#define FILE_SIZE ((off_t)MAX_RECORDS * (off_t)sizeof(struct frame_record))

static struct frame_record *records;
static size_t nr_records;
static uint64_t nr_lost;
static int file = -1;

void framelog_open(const char *path)
{
    file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, FILE_SIZE)) {
        perror(path);
        exit(1);
    }
    records = mmap(NULL, (size_t)FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (records == MAP_FAILED) {
        perror("wire: mapping the frame log");
        exit(1);
    }
}

void framelog_close(void)
{
    if (ftruncate(file, (off_t)(nr_records * sizeof(*records))))
        perror("wire: cutting the frame log");
    close(file);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t framelog_add(enum frame_direction direction, const uint8_t *data, size_t len)
{
    uint64_t ns = now_ns();
    size_t nr_head = len < FRAME_HEAD_MAX ? len : FRAME_HEAD_MAX;
    struct frame_record *r;

    if (nr_records == MAX_RECORDS) {
        nr_lost++;
        return ns;
    }
    r = &records[nr_records++];
    r->ns = ns;
    r->len = (uint32_t)len;
    r->direction = (uint8_t)direction;
    r->nr_head = (uint8_t)nr_head;
    memcpy(r->head, data, nr_head);
    return ns;
}

const struct frame_record *framelog_records(size_t *nr_r)
{
    *nr_r = nr_records;
    return records;
}

uint64_t framelog_lost(void)
{
    return nr_lost;
}
