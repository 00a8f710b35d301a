/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/vbd_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TURN_REQUESTS 256 /* then others have their turn */
#define REFUSED_SAID 3

int vbd_io_open(struct vbd *vbd, bool was_used, char why[LINK_WHY_SIZE])
{
    struct vbd_host *host = vbd->host;
    const char *ring_why;
    int err =
        link_open(host->xs, host->grants, host->events, vbd->guest, vbd->front, &vbd->link, why);

    if (err)
        return err;
    err = ring_attach(&vbd->ring, vbd->link.pages, vbd->link.order, was_used, &vbd->disk.identity,
                      &ring_why);
    if (err) {
        snprintf(why, LINK_WHY_SIZE, "its ring: %s", ring_why);
    } else {
        vbd->queue = queue_make(vbd->disk.fd, vbd->guest, host->done_fd);
        if (!vbd->queue) {
            err = -errno;
            snprintf(why, LINK_WHY_SIZE, "its threads: %s", strerror(errno));
        }
    }
    if (err)
        link_close(host->grants, host->events, &vbd->link);
    vbd->nr_running = 0;
    vbd->flush = NULL;
    return err;
}

static void job_start(struct vbd *vbd, struct queue_job *job)
{
    vbd->nr_running++;
    queue_submit(vbd->queue, job);
}

/* Nobody is told of what was cached before all that came before it has ended, and nothing that comes after it begins before. */
static void flush_start(struct vbd *vbd)
{
    if (vbd->flush && vbd->nr_running == 0)
        job_start(vbd, vbd->flush);
}

static void request_start(struct vbd *vbd, const struct blkif_request *from, unsigned int slot)
{
    struct queue_job *job = &vbd->jobs[slot];
    int16_t status =
        request_parse(from, vbd->disk.nr_sectors, vbd->disk.is_read_only, &job->request);

    if (status != BLKIF_RSP_OKAY) {
        if (vbd->nr_refused++ < REFUSED_SAID)
            vbd_say(vbd, "a request is refused: operation %u, %u segments, sector %llu",
                    from->operation, from->nr_segments, (unsigned long long)from->sector_number);
        ring_done(&vbd->ring, slot, status);
        return;
    }
    job->slot = slot;
    if (job->request.is_flush)
        vbd->flush = job;
    else
        job_start(vbd, job);
}

void vbd_io_finish(struct vbd *vbd)
{
    struct queue_job *job;

    while (vbd->queue && (job = queue_take(vbd->queue))) {
        ring_done(&vbd->ring, job->slot, job->status);
        vbd->nr_running--;
        if (job == vbd->flush)
            vbd->flush = NULL;
    }
    if (vbd->link.pages && ring_answer(&vbd->ring))
        xenevtchn_notify(vbd->host->events, vbd->link.port);
}

int vbd_io_run(struct vbd *vbd)
{
    struct blkif_request request;
    unsigned int slot, nr = 0;
    int got = 0;

    vbd_io_finish(vbd);
    vbd->has_more = false;
    do {
        while (!vbd->flush && nr < TURN_REQUESTS &&
               (got = ring_take(&vbd->ring, &request, &slot)) > 0) {
            request_start(vbd, &request, slot);
            nr++;
        }
        if (got < 0)
            return got;
        flush_start(vbd);
        if (ring_answer(&vbd->ring))
            xenevtchn_notify(vbd->host->events, vbd->link.port);
        vbd->has_more = nr >= TURN_REQUESTS;
    } while (!vbd->flush && !vbd->has_more && ring_arm(&vbd->ring));
    return 0;
}

static bool refused_ring_open(struct vbd *vbd)
{
    struct vbd_host *host = vbd->host;
    char why[LINK_WHY_SIZE];
    const char *ring_why;

    if (link_open(host->xs, host->grants, host->events, vbd->guest, vbd->front, &vbd->link, why))
        return false;
    if (ring_attach(&vbd->ring, vbd->link.pages, vbd->link.order, true, NULL, &ring_why)) {
        link_close(host->grants, host->events, &vbd->link);
        return false;
    }
    vbd->flush = NULL;
    /* What was answered before its backend died may not have been said. */
    xenevtchn_notify(host->events, vbd->link.port);
    return true;
}

bool vbd_io_refuse_all(struct vbd *vbd, bool may_map)
{
    struct blkif_request request;
    unsigned int slot, nr = 0;
    int got = 0;

    queue_free(vbd->queue);
    vbd->queue = NULL;
    if (!vbd->link.pages && !(may_map && refused_ring_open(vbd)))
        return false;
    if (vbd->flush) {
        ring_done(&vbd->ring, vbd->flush->slot, BLKIF_RSP_ERROR);
        vbd->flush = NULL;
    }
    do {
        while (nr < TURN_REQUESTS && (got = ring_take(&vbd->ring, &request, &slot)) > 0) {
            ring_done(&vbd->ring, slot, BLKIF_RSP_ERROR);
            nr++;
        }
        if (ring_answer(&vbd->ring))
            xenevtchn_notify(vbd->host->events, vbd->link.port);
    } while (nr < TURN_REQUESTS && got == 0 && ring_arm(&vbd->ring));
    return true;
}

void vbd_io_close(struct vbd *vbd)
{
    queue_free(vbd->queue);
    vbd->queue = NULL;
    link_close(vbd->host->grants, vbd->host->events, &vbd->link);
}
