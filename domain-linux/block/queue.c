/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <xengnttab.h>

#define STACK_SIZE (64u << 10)
#define PAGE_SIZE 4096u

struct worker {
    struct queue *queue;
    pthread_t thread;
    xengnttab_handle *grants;
    char *buffer; /* REQUEST_BYTES_MAX, on a page's boundary */
};

struct queue {
    int fd, done_fd;
    uint32_t guest;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    bool ends;
    struct queue_job *waiting, **waiting_end, *done;
    unsigned int nr_workers;
    struct worker workers[QUEUE_THREADS];
};

/* The guest's pages to the buffer, or back. What it changes in them meanwhile is not looked at again. */
static bool pages_copy(const struct worker *worker, const struct request *request, bool to_guest)
{
    xengnttab_grant_copy_segment_t pieces[BLKIF_MAX_SEGMENTS_PER_REQUEST];
    char *at = worker->buffer;

    for (unsigned int i = 0; i < request->nr_segments; i++) {
        const struct blkif_request_segment *segment = &request->segments[i];
        uint32_t len = (segment->last_sect - segment->first_sect + 1u) * REQUEST_SECTOR_SIZE;
        union xengnttab_copy_ptr ours = { .virt = at };
        union xengnttab_copy_ptr guest = { .foreign = { .ref = segment->gref,
                                                        .offset = (uint16_t)(segment->first_sect *
                                                                             REQUEST_SECTOR_SIZE),
                                                        .domid = (uint16_t)worker->queue->guest } };

        pieces[i] = (xengnttab_grant_copy_segment_t){
            .source = to_guest ? ours : guest,
            .dest = to_guest ? guest : ours,
            .len = (uint16_t)len,
            .flags = to_guest ? GNTCOPY_dest_gref : GNTCOPY_source_gref,
        };
        at += len;
    }
    if (xengnttab_grant_copy(worker->grants, request->nr_segments, pieces))
        return false;
    for (unsigned int i = 0; i < request->nr_segments; i++)
        if (pieces[i].status != GNTST_okay)
            return false;
    return true;
}

static bool transfer(const struct worker *worker, const struct request *request)
{
    size_t done = 0;

    while (done < request->len) {
        off_t at = (off_t)(request->offset + done);
        ssize_t nr = request->is_write
                         ? pwrite(worker->queue->fd, worker->buffer + done, request->len - done, at)
                         : pread(worker->queue->fd, worker->buffer + done, request->len - done, at);

        if (nr < 0 && errno == EINTR)
            continue;
        if (nr <= 0)
            return false;
        done += (size_t)nr;
    }
    return true;
}

static int16_t job_run(const struct worker *worker, const struct request *request)
{
    if (request->is_flush && fdatasync(worker->queue->fd))
        return BLKIF_RSP_ERROR;
    if (request->len == 0)
        return BLKIF_RSP_OKAY;
    if (request->is_write && !pages_copy(worker, request, false))
        return BLKIF_RSP_ERROR;
    if (!transfer(worker, request))
        return BLKIF_RSP_ERROR;
    if (!request->is_write && !pages_copy(worker, request, true))
        return BLKIF_RSP_ERROR;
    return BLKIF_RSP_OKAY;
}

static void *work(void *ctx)
{
    struct worker *worker = ctx;
    struct queue *queue = worker->queue;
    const uint64_t one = 1;

    pthread_mutex_lock(&queue->lock);
    for (;;) {
        struct queue_job *job = queue->waiting;

        if (!job && queue->ends)
            break;
        if (!job) {
            pthread_cond_wait(&queue->wanted, &queue->lock);
            continue;
        }
        queue->waiting = job->next;
        if (!queue->waiting)
            queue->waiting_end = &queue->waiting;
        pthread_mutex_unlock(&queue->lock);
        job->status = job_run(worker, &job->request);
        pthread_mutex_lock(&queue->lock);
        job->next = queue->done;
        queue->done = job;
        (void)!write(queue->done_fd, &one, sizeof(one));
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

static int worker_start(struct queue *queue, const pthread_attr_t *attributes)
{
    struct worker *worker = &queue->workers[queue->nr_workers];
    void *buffer;
    int err = posix_memalign(&buffer, PAGE_SIZE, REQUEST_BYTES_MAX);

    if (err)
        return err;
    worker->queue = queue;
    worker->buffer = buffer;
    worker->grants = xengnttab_open(NULL, 0);
    err = worker->grants ? pthread_create(&worker->thread, attributes, work, worker) : errno;
    if (err) {
        if (worker->grants)
            xengnttab_close(worker->grants);
        free(buffer);
        return err;
    }
    queue->nr_workers++;
    return 0;
}

struct queue *queue_make(int fd, uint32_t guest, int done_fd)
{
    struct queue *queue = calloc(1, sizeof(*queue));
    pthread_attr_t attributes;
    int err = 0;

    if (!queue)
        return NULL;
    *queue = (struct queue){ .fd = fd, .done_fd = done_fd, .guest = guest };
    queue->waiting_end = &queue->waiting;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->wanted, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (unsigned int i = 0; !err && i < QUEUE_THREADS; i++)
        err = worker_start(queue, &attributes);
    pthread_attr_destroy(&attributes);
    if (!err)
        return queue;
    queue_free(queue);
    errno = err;
    return NULL;
}

void queue_submit(struct queue *queue, struct queue_job *job)
{
    pthread_mutex_lock(&queue->lock);
    job->next = NULL;
    *queue->waiting_end = job;
    queue->waiting_end = &job->next;
    pthread_cond_signal(&queue->wanted);
    pthread_mutex_unlock(&queue->lock);
}

struct queue_job *queue_take(struct queue *queue)
{
    struct queue_job *job;

    pthread_mutex_lock(&queue->lock);
    job = queue->done;
    if (job)
        queue->done = job->next;
    pthread_mutex_unlock(&queue->lock);
    return job;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    queue->ends = true;
    pthread_cond_broadcast(&queue->wanted);
    pthread_mutex_unlock(&queue->lock);
    for (unsigned int i = 0; i < queue->nr_workers; i++) {
        pthread_join(queue->workers[i].thread, NULL);
        xengnttab_close(queue->workers[i].grants);
        free(queue->workers[i].buffer);
    }
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->wanted);
    free(queue);
}
