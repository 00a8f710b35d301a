/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest for tests of domain/vif: its toolstack, its xenstore nodes, its rings and its pages; on top
 * of fake_xen.h. It can do everything that a sane netfront does, and every slot and index can be
 * written by hand for what an insane one does.
 */
#ifndef FAKE_GUEST_H
#define FAKE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <xen/xen.h>

#include <xen/io/netif.h>

#include "vif/vif.h"

#define GUEST_RING 256u
#define GUEST_TX_PAGES 64
#define GUEST_TX_REF 100 /* of the first transmit page; the rest follow */
#define GUEST_RX_REF 1000
#define GUEST_TX_PORT 11
#define GUEST_RX_PORT 12
#define GUEST_QUEUE_REFS 2000 /* the next queue's references and ports are so much higher */
#define GUEST_QUEUE_PORTS 10

struct fake_guest {
    domid_t domid;
    uint16_t handle;
    netif_tx_front_ring_t tx;
    netif_rx_front_ring_t rx;
    uint8_t *tx_pages, *rx_pages;
    unsigned int tx_page_next;
    bool no_sg, no_csum, no_gso, no_gso6, no_csum6, no_rx_notify, split;
    uint8_t rx_gso_type; /* of the last packet that rx_take() found to be cut */
    bool no_data; /* grants its rings only */
    unsigned int queue; /* of several: guest_queues() */
    bool in_directory; /* its ring's nodes lie in queue-N */
};

/* What the host callbacks saw. */
struct fake_host {
    struct rte_mbuf *frames[1024]; /* from guests, in order */
    unsigned int nr_frames, nr_attached;
    enum vif_carrier carrier;
    bool refuses; /* the bridge is not there */
    bool wants_policy; /* a vif without one is refused */
    unsigned int nr_policies; /* how often one was set */
    char policy[64]; /* the last one */
    struct vif_wish wish; /* of the last one attached */
    bool cuts; /* it cuts all frames for several that come */
    bool is_timed; /* this turn is */
    unsigned int nr_times[FERRY_LATENCIES];
    uint64_t last_ns[FERRY_LATENCIES];
    struct port *to; /* it sends what comes through this port instead of keeping it */
};
extern struct fake_host fake_host;

/* Group and test set-up: fake Xen, DPDK's pool, a started backend; nothing held at the end. */
int vif_test_group(void **state);
int vif_test_setup(void **state);
int vif_test_teardown(void **state);

/*
 * The kernel restarts itself: of the backend only what outlives that is left, the rest is filled with
 * rubbish and made anew, up to and without vif_watch(). Returns how many vifs go on.
 */
unsigned int kernel_restart(void);

/* Free the frames that came in. */
void fake_host_empty(void);

/* One turn of main's loop, and one with a look whether it would sleep: true if it would. */
void loop_turn(void);
bool loop_idle(void);

/* The toolstack makes the vif's nodes, as libxl does, on bridge xenbr0. */
void guest_create(struct fake_guest *guest, domid_t domid, uint16_t handle);
/* The toolstack wants it gone: online=0, state=5 in one go. */
void guest_detach(struct fake_guest *guest);
/* The frontend: fresh rings, nodes, Connected. Then until all is quiet. */
void guest_connect(struct fake_guest *guest);
/* Only the rings and grants; only the nodes. */
void guest_rings(struct fake_guest *guest);
void guest_nodes(struct fake_guest *guest);
/* All of it. */
void guest_up(struct fake_guest *guest, domid_t domid);
void guest_up_split(struct fake_guest *guest, domid_t domid); /* with two event channels */
void guests_ask(struct fake_guest *guests,
                unsigned int nr); /* all at once, without pages for data */
void guest_free(struct fake_guest *guest);

/*
 * A frontend with nr queues, each a struct fake_guest of its own with the same domid and handle. The first is
 * made by guest_create(), and what holds for all of them is set in it before.
 */
void guest_queues(struct fake_guest *queues, unsigned int nr); /* rings and nodes */
void guest_queues_up(struct fake_guest *queues, unsigned int nr, domid_t domid);
void guest_queues_free(struct fake_guest *queues, unsigned int nr);
unsigned int guest_port(const struct fake_guest *queue, unsigned int port);

void guest_state(struct fake_guest *guest, const char *state);
int back_state(const struct fake_guest *guest); /* -1: no such node */
void back_write(const struct fake_guest *guest, const char *node, const char *value);
const char *back_read(const struct fake_guest *guest, const char *node);
void front_write(const struct fake_guest *guest, const char *node, const char *value);

/* One transmit slot by hand, and the push (with the event, if asked for). */
void tx_put(struct fake_guest *guest, grant_ref_t gref, uint16_t offset, uint16_t size,
            uint16_t flags);
void tx_extra(struct fake_guest *guest, uint8_t type, uint8_t more, uint8_t gso_type,
              uint16_t gso_size);
void tx_push(struct fake_guest *guest);
/* Put bytes into pages, a slot per page of `per_slot` bytes; gso 0: none, else of
 * the IP version that the bytes show. Pushed. */
void tx_send(struct fake_guest *guest, const uint8_t *bytes, uint32_t len, uint32_t per_slot,
             uint16_t flags, uint16_t gso);
/* Take a response: NETIF_RSP_* and its id; -100 if there is none. */
int tx_response(struct fake_guest *guest, uint16_t *id_r);

/* Post receive slots; take one packet: its length, -1 for an error, -100 if there is none. */
void rx_post(struct fake_guest *guest, unsigned int nr);
int rx_take(struct fake_guest *guest, uint8_t *bytes, uint16_t *flags_r, uint16_t *gso_r);

#endif
