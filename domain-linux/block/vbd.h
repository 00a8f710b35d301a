/* SPDX-License-Identifier: BSD-2-Clause */
/* One guest's disk: the states of xen/io/blkif.h, and what comes and goes over its ring. */
#ifndef DOMAIN_LINUX_BLOCK_VBD_H
#define DOMAIN_LINUX_BLOCK_VBD_H

#include <stdbool.h>
#include <stdint.h>

#include "block/disk.h"
#include "block/link.h"
#include "block/nodes.h"
#include "block/queue.h"
#include "block/ring.h"

#ifndef VBD_DIR
#define VBD_DIR "backend/vbd" /* in our own directory of xenstore */
#endif

enum vbd_phase {
    VBD_WAITS, /* for the disk, which may still come */
    VBD_OFFERED, /* the frontend's turn */
    VBD_SERVES,
    VBD_ENDS, /* what is being worked on is awaited, nothing new is done; after a failure all is refused */
    VBD_CLOSED,
    VBD_GONE, /* its directory is; to be freed */
};

/* What all vbds have in common. */
struct vbd_host {
    struct xs_handle *xs;
    xengnttab_handle *grants;
    xenevtchn_handle *events;
    int done_fd;
    /* Whether a disk may be opened beside those that are; why_r says why not. */
    bool (*may_open)(const struct disk *disk, const char **why_r);
};

struct vbd {
    struct vbd *next;
    struct vbd_host *host;
    uint32_t guest, handle;
    char dir[64], front[NODES_PATH_SIZE];
    enum vbd_phase phase;
    int64_t since_ms; /* when the phase began */
    int64_t looked_ms; /* when vbd_look() was last called because time has passed */
    bool is_late; /* the disk's absence was said */
    int unwritten; /* a state that xenstore did not take, to be written again; 0: none */
    bool has_failed; /* it ends for a fault, not because somebody asked */
    bool has_new_ring; /* its frontend has begun anew: nobody has served what it offers */
    bool has_more; /* vbd_run() was cut short; while it serves */
    struct disk disk;
    struct link link;
    struct ring ring;
    struct queue *queue;
    unsigned int nr_running; /* jobs with the queue */
    unsigned int nr_refused; /* requests, so far */
    struct queue_job *flush; /* nothing is taken until it is done; NULL: none */
    struct queue_job jobs[RING_SLOTS_MAX]; /* by slot */
};

/* Milliseconds since boot. In main.c. */
int64_t vbd_now_ms(void);

/* Returns NULL with errno set: there is no memory, or xenstore cannot be read. */
struct vbd *vbd_make(struct vbd_host *host, uint32_t guest, uint32_t handle);
/* Of one that is VBD_GONE. */
void vbd_free(struct vbd *vbd);

/* Something has changed in xenstore, or time has passed. */
void vbd_look(struct vbd *vbd);

/* The frontend has notified, or jobs are done, or has_more. */
void vbd_run(struct vbd *vbd);

/* Say something of it on the console. */
void vbd_say(const struct vbd *vbd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
