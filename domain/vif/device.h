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
#include "vif/budget.h"
#include "vif/credit.h"
#include "vif/gref.h"
#include "vif/handshake.h"
#include "vif/hash.h"
#include "vif/moderation.h"
#include "vif/multicast.h"
#include "vif/nodes.h"
#include "vif/rx_plan.h"
#include "vif/tx_parse.h"
#include "vif/vif.h"
#include "vif/waiting.h"
#include "xen/frames.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/timer.h"

/*
 * Frames that wait for one queue. From half of VIF_QUEUE_FULL on, senders that can be slowed down are; a wire
 * cannot, and finds place for what it sends in about 20 ms, while the guest runs something else. Where a limit
 * is what makes them wait, more of them would only grow old.
 */
#define VIF_QUEUE_FULL 256
#define VIF_QUEUE_FRAMES 1024
#define VIF_FLUSH_FRAMES 128 /* towards one queue in one turn */
#define VIF_EXTRAS (VIF_FLUSH_FRAMES * RX_EXTRAS_MAX)

/* How long what a guest sends stays on its ring because another port is full. */
#define VIF_HOLD_NS 1000000ull

/* Queues beside the first ones of all vifs: as many as there are pairs of slots left for their rings. */
#define VIF_MORE_QUEUES ((GRANT_SLOTS - 2 * VIF_MAX) / 2)

/* A list of xenstore requests being worked off, one at a time. */
enum vif_job {
    VIF_JOB_NONE,
    VIF_JOB_LOOK, /* read the states and online */
    VIF_JOB_READ_BACK,
    VIF_JOB_READ_RATE,
    VIF_JOB_READ_POLICY,
    VIF_JOB_READ_MULTICAST,
    VIF_JOB_READ_HEADROOM, /* the frontend reconfigures itself */
    VIF_JOB_CARRIER, /* write the carrier node */
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
    bool rate_stale, policy_stale, multicast_stale; /* the same: read it again */
    bool has_watch;
    bool blamed; /* there is an error node to remove */
    bool takeover; /* our state node said Connected when we found it */
    bool hurry; /* the toolstack has long seen our InitWait: connect without a dwell */
    bool resumed; /* goes on from the last start; its nodes were not looked at since */
    unsigned int watch_id;
    int state; /* what VIF_JOB_STATE and _BLAME write: enum xenbus_state */
    enum vif_carrier carrier; /* what its node says; VIF_CARRIER_UNKNOWN: there is none of ours */
    int after_headroom; /* the state to write when xdp-headroom has been read */
    uint64_t state_ns; /* when our state was written last */
    uint64_t leave_ns; /* when online became 0; 0: it did not */
    struct handshake_facts facts;
    struct timer timer;
    struct vif_back back;
    struct vif_front front;
    char why[VIF_WHY_SIZE];
    struct log_limit limit;
    struct log_limit
        closed_limit; /* that it was closed must not go under in what was said before */
};

/* Frames that wait for room in a queue of the guest's. */
struct vif_waiting {
    struct waiting_list list;
    uint64_t stuck_ns; /* since when the first frame has found no room; 0: it has not */
    bool stalled; /* stuck for too long: frames are dropped until there is room again */
    uint32_t most_slots; /* that the guest had on its ring at once */
    bool has_few_slots; /* never enough for a long frame: it is given none to be cut */
    uint32_t nr_taken; /* frames, from the list into the guest, ever */
    uint32_t timed_end; /* nr_taken when the frame that is timed has been */
    uint64_t timed_ns; /* when that one was queued; 0: none is timed */
};

/* What a connected queue holds: slots of the grant window, ports; rx_port is 0 where one port serves both. */
struct vif_queue_held {
    unsigned int tx_slot, rx_slot;
    evtchn_port_t tx_port, rx_port;
};

/* A connected vif as the next start needs it. Written at connect, void from disconnect on. */
struct vif_record {
    uint32_t sum; /* recovery_sum() over all that follows; 0: void */
    uint32_t index;
    domid_t guest;
    uint16_t handle;
    bool blamed;
    enum vif_carrier carrier; /* what its node says */
    unsigned int ctrl_slot;
    evtchn_port_t ctrl_port;
    uint8_t more[VIF_QUEUES_MAX - 1]; /* indices of its queues in vif_more_queues */
    struct vif_queue_held held[VIF_QUEUES_MAX];
    struct vif_back back;
    struct vif_front front;
};

/*
 * What a restarted kernel must know of a queue. The marks say how far responses may have been written that
 * were not pushed: requests between the ring's rsp_prod and the mark have lost their grants. Plain
 * numbers, believed only as far as the ring bears them out.
 */
struct vif_marks {
    RING_IDX tx_mark, rx_mark;
    /* The last extra-info slots taken of the rx ring, all those of a turn: their responses leave nothing of the request. */
    uint32_t nr_extras;
    struct vif_extra {
        uint16_t index; /* the low bits of its place on the ring */
        uint16_t id;
    } extras[VIF_EXTRAS];
};

/* A pair of rings. What is the same for all of a vif's queues is the vif's. */
struct vif_queue {
    struct vif *vif; /* NULL: one of vif_more_queues that is free */
    uint8_t index; /* among the vif's */
    uint8_t nr_grefs; /* pages of static grants, GREF_QUEUE_MAX at most */
    netif_tx_back_ring_t tx;
    netif_rx_back_ring_t rx;
    uint32_t tx_seen; /* req_prod at which an unfinished packet was found */
    bool tx_unfinished;
    struct vif_queue_held held;
    struct vif_waiting waiting;
    struct vif_marks marks;
};

/* The control ring, if there is one. */
struct vif_ctrl {
    bool used;
    xen_netif_ctrl_back_ring_t ring;
    unsigned int slot;
    evtchn_port_t port;
    struct timer timer; /* more requests wait than one turn serves */
};

/* What is counted besides port.stats, once for each burst. Outlives restarts. */
struct vif_counts {
    uint64_t nr_filtered; /* multicast frames that it did not want */
    uint64_t nr_ctrl_notified; /* events sent to it for the control ring */
    struct vif_queue_stats queues[VIF_QUEUES_MAX];
};

struct vif {
    struct port port; /* first: ops get this address */
    bool used;
    bool attached; /* in a bridge */
    bool mapped; /* rings and ports are ours */
    bool rx_notify, sg;
    uint16_t headroom; /* left free in front of each frame to it */
    bool filters_multicast; /* by the list */
    uint8_t index; /* in the table */
    domid_t guest;
    uint16_t handle;
    const char *broken; /* why the data path gave it up; NULL: it did not */
    /* Frames for several that it sent last: were they cut in software, and how long were their headers? */
    bool tx_cut;
    uint16_t tx_headers;
    struct credit tx_credit, rx_credit; /* for what it sends, and what it is sent */
    bool tx_throttled, rx_throttled; /* without credit: nothing moves before credit_timer */
    struct timer credit_timer;
    struct moderation moderation; /* of its notifications */
    const struct port
        *held_by; /* full when last sent to: nothing is taken before hold_timer; or NULL */
    struct timer hold_timer;
    struct vif_counts counts;
    uint64_t event_ns; /* when an event that is timed was seen; 0: none is */
    uint32_t nr_waiting, nr_waiting_mbufs; /* frames in all its queues, and their mbufs */
    struct vif_cost cost; /* what it takes of the budget, or was offered */
    struct vif_shape offered;
    uint8_t nr_queues; /* 0 while it is not connected */
    uint8_t turn; /* the queue that is served first, where there are several */
    struct vif_queue *more[VIF_QUEUES_MAX - 1]; /* after the first */
    struct vif_queue queue;
    struct vif_ctrl ctrl;
    RING_IDX ctrl_mark; /* as in struct vif_marks; outlives restarts, and hash too */
    struct vif_hash hash;
    struct vif_control control;
    struct vif_record record;
    struct multicast_list multicast; /* outlives a restart as well, with a sum of its own */
};

/* Outlives restarts for the sake of the record, the marks and the statistics: vif_table_init() clears the rest. */
extern struct vif vif_table[VIF_MAX];
extern struct vif_queue vif_more_queues[VIF_MORE_QUEUES];
extern struct vif_host vif_host;

/* Bit i is vif_table[i]: something may be on its rings / frames wait for it / it broke / it is connected. */
extern uint64_t vif_active, vif_queued, vif_broken, vif_mapped;

static inline uint64_t vif_bit(const struct vif *vif)
{
    return 1ull << vif->index;
}

static inline bool vif_is_timed(void)
{
    return vif_host.is_timed && *vif_host.is_timed;
}

static inline struct vif_queue_stats *vif_queue_counts(const struct vif_queue *queue)
{
    return &queue->vif->counts.queues[queue->index];
}

static inline struct vif_queue *vif_queue_of(struct vif *vif, unsigned int index)
{
    return index == 0 ? &vif->queue : vif->more[index - 1];
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

/* table.c: packets answered with an error, and copies that Xen refused, of all its queues. */
uint64_t vif_nr_bad(const struct vif *vif);

/* One of vif_more_queues for a vif; NULL if none is free. Give it back. */
struct vif_queue *vif_queue_take(struct vif *vif);
int vif_queue_retake(struct vif *vif, unsigned int index, struct vif_queue **queue_r) __must_check;
void vif_queue_release(struct vif_queue *queue);

/* What all other vifs take of the budget, or were offered. */
struct vif_cost vif_cost_of_others(const struct vif *vif);

/* discover.c: a place has become free; vifs that found none are looked for again. */
int vif_discover_init(void) __must_check;
void vif_discover_again(void);

/* control.c: something about the vif changed; begins or goes on as soon as it can. */
void vif_control_kick(struct vif *vif);
void vif_control_later(struct vif *vif); /* the same, after a moment */

/* offer.c: the toolstack's nodes are read: join the bridge and offer, or say what is wrong. */
void vif_offer(struct vif *vif);
void vif_refuse(struct vif *vif);

/* offer.c: what the vif may be offered now. Returns whether that is other than what it was offered before. */
bool vif_offer_choose(struct vif *vif);

/* offer.c: the port gets what the toolstack wrote; the frontend's state is watched. */
void vif_port_fill(struct vif *vif);
int vif_front_watch(struct vif *vif) __must_check;

/* control.c: close the vif that vif_break() gave up. Not from inside ops. */
void vif_control_broken(struct vif *vif);

/* job.c: the path of one of the frontend's nodes, "": of its directory. path: XENSTORE_PATH_SIZE bytes. */
int vif_front_path(const struct vif *vif, char *path, const char *node) __must_check;

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
 * The same after a restart, with the rings and ports of the record: what the last start had in hand is
 * answered with errors, all else is left as it lies. Returns 0, or a negative errno and nothing held.
 */
int vif_reconnect(struct vif *vif) __must_check;

/*
 * queue.c: take the rings and ports of one queue, as vif_connect() and vif_reconnect() say of all of them,
 * or give them back. vif_queue_begin() forgets what waited for another ring; vif_queue_go(): responses are
 * written up to here and no further; vif_queue_notify() rings its ports. vif_notify() sends an event to the guest,
 * through one of the queue's ports, and counts it.
 */
int vif_queue_connect(struct vif_queue *queue, const struct vif_front_queue *front) __must_check;
int vif_queue_reconnect(struct vif_queue *queue, const struct vif_front_queue *front,
                        const struct vif_queue_held *held) __must_check;
void vif_queue_disconnect(struct vif_queue *queue);
void vif_queue_begin(struct vif_queue *queue);
void vif_queue_go(struct vif_queue *queue);
void vif_queue_notify(const struct vif_queue *queue);
void vif_notify(const struct vif_queue *queue, evtchn_port_t port);

/*
 * ctrl.c: the same for the control ring, if the frontend has one; without one only what was set on an
 * earlier one is forgotten. vif_ctrl_go() begins to serve it, last of all.
 */
int vif_ctrl_connect(struct vif *vif) __must_check;
int vif_ctrl_reconnect(struct vif *vif) __must_check;
void vif_ctrl_go(struct vif *vif, bool is_new);
void vif_ctrl_disconnect(struct vif *vif);

/* Give all of it back, drop what is queued; the port is down. Harmless when not connected. */
void vif_disconnect(struct vif *vif);

/* connect.c: the longest packet for the guest, as the toolstack says, or as is usual where the port is. */
uint16_t vif_mtu(const struct vif *vif);

/* connect.c: which forms of frames the guest takes, from control.front, policy and queue. */
void vif_caps_set(struct vif *vif);

/* connect.c: the rates or the policy have changed: the vif keeps to what they are now. */
void vif_limits_set(struct vif *vif);

/*
 * hold.c: what it sends stays on its ring, unanswered, until the port is no longer full, or for VIF_HOLD_NS: a
 * port that stays full costs its senders no more than that for each burst, whatever else they send.
 */
void vif_hold(struct vif *vif, const struct port *by);
bool vif_is_held(struct vif *vif);
void vif_hold_end(struct vif *vif);

/* rx_queue.c: is its port full? It is when one of its queues is. now: ns, as of clock_last() */
void vif_fill_look(struct vif *vif, uint64_t now);

/*
 * vif_multicast.c: what the frontend asked for is now control.front.multicast. Takes the list of a
 * restart, or one that a takeover has lost: then nothing is filtered before the frontend connects anew.
 */
void vif_multicast_begin(struct vif *vif, bool resuming);
void vif_multicast_apply(struct vif *vif);

/* vif_multicast.c: what the guest's request asks for. Returns its NETIF_RSP_*. */
int16_t vif_multicast_amend(struct vif *vif, const struct tx_packet *packet) __must_check;

/* tx.c, rx.c: it has no credit for what comes next: it rests until there is some. */
void vif_throttle(struct vif *vif, const struct credit *credit);

/* The data path gives the vif up, for a reason that is a string constant. */
void vif_break(struct vif *vif, const char *why);

/* tx.c, rx.c: the data path. Named from the guest's side, as netif.h does: tx is what it sends. */
uint16_t vif_tx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr);
void vif_rx_enqueue(struct port *port, struct rte_mbuf **frames, uint16_t nr);
void vif_rx_purge(struct vif_queue *queue);

/* rx_queue.c: a frame for this queue was dropped. */
void vif_rx_drop_count(const struct vif_queue *queue);

/* rx_queue.c: take the first frame that waits; there is one. */
struct rte_mbuf *vif_waiting_take(struct vif_queue *queue);
bool vif_arm(struct port *port);
extern const struct port_ops vif_port_ops;

/* Write responses to the next requests of the tx ring; show the frontend all that are written. */
void vif_tx_answer(struct vif_queue *queue, const struct tx_answer *answers, unsigned int nr,
                   int16_t status);
void vif_tx_push(struct vif_queue *queue);
void vif_rx_push(struct vif_queue *queue);

/*
 * takeover.c: answer what a ring holds with errors, in order: nothing is known of what the last
 * backend did with it.
 */
void vif_tx_takeover(struct vif_queue *queue);
void vif_rx_takeover(struct vif_queue *queue);

/* The same for what lies before the marks only, if they can be true; else all of it. */
void vif_tx_resume(struct vif_queue *queue);
void vif_rx_resume(struct vif_queue *queue);

/* resume.c: from now on a restart may, or may not, go on with this vif. */
void vif_record_seal(struct vif *vif);
void vif_record_void(struct vif *vif);

#endif
