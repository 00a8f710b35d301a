/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disks that a driver domain serves to guests, and how a successor with the same id gets them back. Only linux-block
 * (domain-linux/block) can go on with what was not answered. Of any other backend nobody knows which requests that are: then the
 * disk is closed, and its guest sees I/O errors, which it can act on; a lost write it could not.
 */
#ifndef CONTROL_VBDS_H
#define CONTROL_VBDS_H

#include "journal/journal.h"
#include "xen/host.h"

#define VBDS_MAX 64

enum vbd_way {
    VBD_UNDONE,
    VBD_REBUILT, /* nodes are there: the successor is to take the ring over, or to begin with it */
    VBD_TAKEN, /* it serves, or offers */
    VBD_LOST, /* closed: its guest sees I/O errors */
    VBD_GONE, /* its guest, or the toolstack, has given it up meanwhile */
};

struct vbd_ref {
    uint32_t guest, handle;
    enum vbd_way way;
};

struct vbds {
    unsigned int nr;
    struct vbd_ref refs[VBDS_MAX];
};

/* All disks with this backend, of guests that live. Says so if there are more than VBDS_MAX. Returns 0, or -EIO: xenstore does not say. */
int vbds_find(struct host *host, uint32_t backend, struct vbds *vbds_r);

/* Whether its backend says that it is connected. */
bool vbds_serves(struct host *host, uint32_t backend, const struct vbd_ref *ref);

/* While the successor is paused: rights and nodes of each disk, state Initialising, which a connected frontend overlooks. */
void vbds_rebuild(struct host *host, uint32_t backend, struct vbds *vbds);

/* Wait until each rebuilt disk is served or closed, no longer than the deadline (host_ticks_ms()). Those that are not are closed.
 * Returns 0, or -ECANCELED if the domain died meanwhile. */
int vbds_settle(struct host *host, const struct journal *journal, struct vbds *vbds,
                int64_t deadline);

/*
 * No backend is to take them over: each is closed, and said.
 *
 *   backend  the successor, which has the id that the frontends know; JOURNAL_NO_DOMID: it has not, and the guests lose the disks' devices
 */
void vbds_give_up(struct host *host, uint32_t backend, struct vbds *vbds, const char *why);

unsigned int vbds_count(const struct vbds *vbds, enum vbd_way way);

/* Whether the words of a Linux driver domain's command line have linux-block run in it. Pure. */
bool vbds_words_serve(const char *cmdline);

#endif
