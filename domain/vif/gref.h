/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Static grants: pages that a guest asked us to keep mapped, so that what lies in them is copied without Xen.
 * An optimisation only: a slot whose reference is not among them is copied by its reference as ever. They
 * outlive restarts of the kernel. docs/decisions/0018. Source: xen/io/netif.h, "Static Grants".
 */
#ifndef VIF_GREF_H
#define VIF_GREF_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/io/netif.h>
#include <xen/io/ring.h>

#include "arch/x86/cpu.h"
#include "xen/frames.h"

/* Of PAGE_SLOTS pages in all. Half for one vif: nobody takes what all others could have. */
#define GREF_QUEUE_MAX 64
#define GREF_VIF_MAX 128

struct vif;
struct vif_queue;

enum gref_state { GREF_FREE, GREF_MAPPED, GREF_LEAVING };

/* A slot of the page window. */
struct gref_entry {
    grant_ref_t ref;
    grant_handle_t handle;
    RING_IDX request; /* that mapped it, by its place on the control ring */
    domid_t guest;
    uint8_t place, queue; /* of the vif in vif_table, and of the queue in the vif */
    uint8_t state; /* enum gref_state */
    uint8_t read_only;
};

/* What is kept: for gref.c, and for tests that damage it. The second is a copy of the first. */
struct gref_table {
    uint32_t sum;
    struct gref_entry entries[PAGE_SLOTS];
};
extern struct gref_table gref_tables[2];

/*
 * At every start, before all else: pages of the last start that were about to be given back are.
 * Returns 0, or -EPROTO if what was kept is damaged in both copies.
 */
int gref_init(void) __must_check;

/* After a restart: the vif goes on with its pages, but for those of a request that was not answered. */
void gref_resume(struct vif *vif);

/* After a restart: give back the pages of vifs that do not go on. */
void gref_sweep(void);

/* How many more the queue may have now. */
unsigned int gref_room(const struct vif_queue *queue);

bool gref_has(const struct vif_queue *queue, grant_ref_t ref);

/*
 * Map pages of the queue's guest, all or none.
 *
 *   list     nr references, each once, none of them mapped for this queue; nr at most gref_room()
 *   request  the place of the request on the control ring
 *
 * Returns 0, or -EINVAL if Xen refused one.
 */
int gref_map(struct vif_queue *queue, const struct xen_netif_gref *list, unsigned int nr,
             RING_IDX request) __must_check;

/*
 * Give pages back in two steps, so that the guest can be told between them: gref_leave() chooses one, and
 * returns whether there was one to choose; then either all stay, or all that were chosen are unmapped.
 * gref_unmap() returns how many. All of one queue.
 */
bool gref_leave(const struct vif_queue *queue, grant_ref_t ref);
void gref_stay(void);
unsigned int gref_unmap(struct vif_queue *queue);

/* Unmap all pages of a vif. */
void gref_drop(struct vif *vif);

/*
 * The page behind a reference, if it is mapped for the queue, and writable where `writes`; else NULL. The
 * guest may change it at any time: copy once, look at the copy. Valid until control requests are served.
 */
uint8_t *gref_page(const struct vif_queue *queue, grant_ref_t ref, bool writes);

/* Pages mapped, of all vifs. */
unsigned int gref_nr(void);

#endif
