/* SPDX-License-Identifier: BSD-2-Clause */
/* Several requests of one disk at once, each by a thread that waits for it. */
#ifndef DOMAIN_LINUX_BLOCK_QUEUE_H
#define DOMAIN_LINUX_BLOCK_QUEUE_H

#include <stdint.h>

#include "block/request.h"

#define QUEUE_THREADS 8

struct queue;

struct queue_job {
    struct queue_job *next;
    unsigned int slot; /* the caller's */
    struct request request;
    int16_t status; /* BLKIF_RSP_*, when it is done */
};

/*
 *   fd       the disk's, open as long as the queue is; opened with O_DIRECT
 *   guest    whose pages the requests name
 *   done_fd  an eventfd that is written to whenever a job is done
 *
 * Returns NULL if there is no memory, no thread, or no /dev/xen/gntdev; errno says which.
 */
struct queue *queue_make(int fd, uint32_t guest, int done_fd);

/* The job stays the caller's, and must stay where it is until queue_take() gives it back. */
void queue_submit(struct queue *queue, struct queue_job *job);

/* A job that is done, or NULL. */
struct queue_job *queue_take(struct queue *queue);

/* All jobs must be done. NULL is ignored. */
void queue_free(struct queue *queue);

#endif
