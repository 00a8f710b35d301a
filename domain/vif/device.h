/* SPDX-License-Identifier: BSD-2-Clause */
/* One vif, and what the files of this room share. Not for others: see vif.h. */
#ifndef VIF_DEVICE_H
#define VIF_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/io/netif.h>

#include "net/port.h"
#include "vif/credit.h"
#include "vif/handshake.h"
#include "vif/nodes.h"
#include "vif/tx_parse.h"
#include "vif/vif.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/timer.h"

#define VIF_QUEUE_FRAMES 256 /* a power of two */
#define VIF_FLUSH_FRAMES 64 /* towards one vif in one turn */

/* Split event channels are for the first places of the table: 128 ports do not suffice for all. */
#define VIF_SPLIT_PLACES 24

/* A list of xenstore requests being worked off, one at a time. */
enum vif_job {
    VIF_JOB_NONE,
    VIF_JOB_LOOK, /* read the states and online */
    VIF_JOB_READ_BACK,
    VIF_JOB_READ_RATE,
    VIF_JOB_READ_POLICY,
    VIF_JOB_OFFER,
    VIF_JOB_READ_FRONT,
    VIF_JOB_STATE, /* write our state */
    VIF_JOB_BLAME, /* write why */
    VIF_JOB_REMOVE,
};

struct vif_control {
    enum vif_job job;
    unsigned int step; /* of the job */
    bool dirty; /* something changed: look again when the job is done */
    bool rate_stale, policy_stale; /* the same: read it again */
    bool has_watch;
    bool blamed; /* there is an error node to remove */
    bool takeover; /* our state node said Connected when we found it */
    bool hurry; /* the toolstack has long seen our InitWait: connect without a dwell */
    bool resumed; /* goes on from the last start; its nodes were not looked at since */
    unsigned int watch_id;
    int state; /* what VIF_JOB_STATE and _BLAME write: enum xenbus_state */
    uint64_t state_ns; /* when our state was written last */
    uint64_t leave_ns; /* when online became 0; 0: it did not */
    struct handshake_facts facts;
    struct timer timer;
    struct vif_back back;
    struct vif_front front;
    char why[VIF_WHY_SIZE];
    struct log_limit limit;
};

/* Frames that wait for room in the guest. */
struct vif_queue {
    uint32_t head, tail; /* free-running; tail - head frames are in it */
    uint32_t nr_mbufs;
    uint64_t stuck_ns; /* since when the first frame has found no room; 0: it has not */
    bool stalled; /* stuck for too long: frames are dropped until there is room again */
    struct rte_mbuf *frames[VIF_QUEUE_FRAMES];
};

/* A connected vif as the next start needs it. Written at connect, void from disconnect on. */
struct vif_record {
    uint32_t sum; /* recovery_sum() over all that follows; 0: void */
    uint32_t index;
    domid_t guest;
    uint16_t handle;
    bool blamed;
    unsigned int tx_slot, rx_slot;
    evtchn_port_t tx_port, rx_port;
    struct vif_back back;
    struct vif_front front;
};

/*
 * What a restarted kernel takes up again. The marks say how far responses may have been written that
 * were not pushed: requests between the ring's rsp_prod and the mark have lost their grants. Plain
 * numbers, believed only as far as the ring bears them out.
 */
struct vif_kept {
    struct vif_record record;
    RING_IDX tx_mark, rx_mark;
    /* The last extra-info slots taken of the rx ring: their responses leave nothing of the request. */
    uint32_t nr_extras;
    struct vif_extra {
        uint16_t index; /* the low bits of its place on the ring */
        uint16_t id;
    } extras[VIF_FLUSH_FRAMES];
};

struct vif {
    struct port port; /* first: ops get this address */
    bool used;
    bool attached; /* in a bridge */
    bool mapped; /* rings and ports are ours */
    bool rx_notify, sg;
    uint8_t index; /* in the table */
    domid_t guest;
    uint16_t handle;
    const char *broken; /* why the data path gave it up; NULL: it did not */
    netif_tx_back_ring_t tx;
    netif_rx_back_ring_t rx;
    uint32_t tx_seen; /* req_prod at which an unfinished packet was found */
    bool tx_unfinished;
    struct credit tx_credit, rx_credit; /* for what it sends, and what it is sent */
    bool tx_throttled, rx_throttled; /* without credit: nothing moves before credit_timer */
    struct timer credit_timer;
    unsigned int tx_slot, rx_slot; /* of the grant window */
    evtchn_port_t tx_port, rx_port; /* rx_port is 0 where one port serves both */
    uint64_t rx_bad; /* packets answered with an error, and copies Xen refused */
    struct vif_queue queue;
    struct vif_control control;
    struct vif_kept kept;
};

/* Outlives restarts for the sake of `kept` and the statistics: vif_table_init() clears the rest. */
extern struct vif vif_table[VIF_MAX];
extern struct vif_host vif_host;

/* Bit i is vif_table[i]: something may be on its rings / frames wait for it / it broke / it is connected. */
extern uint64_t vif_active, vif_queued, vif_broken, vif_mapped;

static inline uint64_t vif_bit(const struct vif *vif)
{
    return 1ull << vif->index;
}

/* table.c: all places are free; what the last start kept stays, if this start goes on from there. */
void vif_table_init(void);

/*
 * Find, take and give back a place. vif_take() returns NULL when the table is full; vif_retake() takes
 * this one, which is free, with what it kept.
 */
struct vif *vif_find(domid_t guest, uint16_t handle);
struct vif *vif_take(domid_t guest, uint16_t handle);
void vif_retake(struct vif *vif, domid_t guest, uint16_t handle);
void vif_release(struct vif *vif);

/* discover.c: a place has become free; vifs that found none are looked for again. */
int vif_discover_init(void) __must_check;
void vif_discover_again(void);

/* control.c: something about the vif changed; begins or goes on as soon as it can. */
void vif_control_kick(struct vif *vif);
void vif_control_later(struct vif *vif); /* the same, after a moment */

/* offer.c: the toolstack's nodes are read: join the bridge and offer, or say what is wrong. */
void vif_offer(struct vif *vif);
void vif_refuse(struct vif *vif);

/* offer.c: the port gets what the toolstack wrote; the frontend's state is watched. */
void vif_port_fill(struct vif *vif);
int vif_front_watch(struct vif *vif) __must_check;

/* control.c: close the vif that vif_break() gave up. Not from inside ops. */
void vif_control_broken(struct vif *vif);

/* job.c: begin a job. vif_job_done() is called at its end, perhaps before this returns. */
void vif_job_begin(struct vif *vif, enum vif_job job);
/* control.c. err: 0, or the negative errno that ended it early, with control.why filled in. */
void vif_job_done(struct vif *vif, enum vif_job job, int err);

/*
 * connect.c: map the rings and bind the ports that control.front names; the port is up afterwards.
 * Returns 0, or a negative errno with control.why, and nothing held.
 */
int vif_connect(struct vif *vif) __must_check;

/*
 * The same after a restart, with the rings and ports of kept.record: what the last start had in hand is
 * answered with errors, all else is left as it lies. Returns 0, or a negative errno and nothing held.
 */
int vif_reconnect(struct vif *vif) __must_check;

/* Give all of it back, drop what is queued; the port is down. Harmless when not connected. */
void vif_disconnect(struct vif *vif);

/* connect.c: the rates or the policy have changed: the vif keeps to what they are now. */
void vif_limits_set(struct vif *vif);

/* tx.c, rx.c: it has no credit for what comes next: it rests until there is some. */
void vif_throttle(struct vif *vif, const struct credit *credit);

/* The data path gives the vif up, for a reason that is a string constant. */
void vif_break(struct vif *vif, const char *why);

/* tx.c, rx.c: the data path. Named from the guest's side, as netif.h does: tx is what it sends. */
uint16_t vif_tx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr);
void vif_rx_enqueue(struct port *port, struct rte_mbuf **frames, uint16_t nr);
void vif_rx_purge(struct vif *vif);
bool vif_arm(struct port *port);
extern const struct port_ops vif_port_ops;

/* Write responses to the next requests of the tx ring; show the frontend all that are written. */
void vif_tx_answer(struct vif *vif, const struct tx_answer *answers, unsigned int nr,
                   int16_t status);
void vif_tx_push(struct vif *vif);
void vif_rx_push(struct vif *vif);

/*
 * takeover.c: answer what a ring holds with errors, in order: nothing is known of what the last
 * backend did with it.
 */
void vif_tx_takeover(struct vif *vif);
void vif_rx_takeover(struct vif *vif);

/* The same for what lies before the marks only, if they can be true; else all of it. */
void vif_tx_resume(struct vif *vif);
void vif_rx_resume(struct vif *vif);

/* resume.c: from now on a restart may, or may not, go on with this vif. */
void vif_record_seal(struct vif *vif);
void vif_record_void(struct vif *vif);

#endif
