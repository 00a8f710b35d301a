/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The vifs that a driver domain served, and how a successor with the same id gets them back: by the
 * backend's nodes, written anew from what libxl keeps under /libxl, which neither guests nor driver
 * domains can write. The frontends' nodes are not written; only rights on them are restored.
 */
#ifndef CONTROL_VIFS_H
#define CONTROL_VIFS_H

#include "journal/journal.h"
#include "xen/host.h"

#define VIFS_MAX 128

enum vif_way {
    VIF_UNDONE,
    VIF_REBUILT, /* nodes are there: the successor is to take the rings over */
    VIF_OFFERED, /* its frontend was not connected: an ordinary handshake is to follow */
    VIF_TAKEN, /* it serves */
    VIF_LOST, /* to be unplugged and replugged */
    VIF_WAITING, /* plugged in, and its backend has not seen it: only within vifs_replug() */
    VIF_REPLUGGED,
    VIF_GONE, /* its guest, or the toolstack, has given it up meanwhile */
};

/* Who is to take connected vifs over. */
enum vif_taker {
    VIF_TAKER_FERRY, /* finds them by state Connected */
    VIF_TAKER_NETBACK, /* finds them by state Initialising, as Linux' xenbus driver does: of others it has no device */
};

struct vif_ref {
    uint32_t guest, handle;
    enum vif_way way;
};

struct vifs {
    unsigned int nr;
    unsigned int nr_late; /* that were rebuilt, and did not serve when vifs_settle() had waited */
    struct vif_ref refs[VIFS_MAX];
};

/* All vifs with this backend, of guests that live. Says so if there are more than VIFS_MAX. Returns 0, or -EIO: xenstore does not say. */
int vifs_find(struct host *host, uint32_t backend, struct vifs *vifs_r);

/*
 * While the successor is paused: rights and nodes of each vif, `state` last, for a change of rights alone fires no watch. Of connected vifs the state is as the taker wants
 * it; a frontend that is Connected overlooks Initialising, and InitWait; Closing and Closed it must never see. Sets each one's way.
 */
void vifs_rebuild(struct host *host, uint32_t backend, enum vif_taker taker, struct vifs *vifs);

/*
 * After the start: wait until each rebuilt vif serves. Those that have closed or failed, or do not
 * serve after limit_ms, or rest_ms after the first one that does, are lost; the latter are counted in nr_late. Those that
 * could not be rebuilt are not waited for.
 * Returns 0, or -ECANCELED if the domain died meanwhile.
 */
int vifs_settle(struct host *host, const struct journal *journal, struct vifs *vifs,
                unsigned int limit_ms, unsigned int rest_ms);

/*
 * Whether netback has taken notice of one of those that are lost: it has written what it offers, which it does before it looks at
 * anything of a guest's. Where it has of none, it does not run.
 */
bool vifs_noticed(struct host *host, uint32_t backend, const struct vifs *vifs);

/*
 * The fallback where a vif cannot be taken over, said for each vif: the guest sees its interface go and a new one come.
 *
 *   limit_ms  for a backend that may still boot: libxl gives up after some seconds, but leaves the nodes, and the backend
 *             takes them when it comes to it. So long they are looked at; nothing is plugged in twice.
 */
void vifs_replug(struct host *host, const struct journal *journal, struct vifs *vifs,
                 unsigned int limit_ms);

/* Whether its backend says that it is connected. */
bool vifs_serves(struct host *host, uint32_t backend, const struct vif_ref *ref);

unsigned int vifs_count(const struct vifs *vifs, enum vif_way way);

#endif
