/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A netif frontend that can be made to misbehave: every step of the handshake and every ring slot can
 * be changed by an attack before it is put out.
 * Source: xen/io/netif.h, xen/io/xenbus.h.
 */
#ifndef HOSTILE_FRONT_H
#define HOSTILE_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

#include "xen/xenstore.h"

#define FRONT_SLOTS 256 /* of a one-page ring, in both directions */
#define FRONT_TX_PAGES 20
#define FRONT_RX_PAGES 64
#define FRONT_VALUE_SIZE 64
#define FRONT_FRAME_SIZE 65536

/* Inside the table, and granted to nobody. */
#define GREF_UNUSED 500u

/* What the frontend writes, in the order of front_nodes[]. "": the node is not there. */
enum front_node {
    NODE_TX_REF,
    NODE_RX_REF,
    NODE_PORT,
    NODE_PORT_TX,
    NODE_PORT_RX,
    NODE_QUEUES,
    NODE_CTRL_REF,
    NODE_CTRL_PORT,
    NODE_RX_COPY,
    NODE_RX_NOTIFY,
    NODE_SG,
    NODE_GSO,
    NODE_GSO6,
    NODE_NO_CSUM,
    NODE_CSUM6,
    NODE_MULTICAST,
    NODE_NR,
};
extern const char *const front_nodes[NODE_NR];

struct front {
    domid_t backend;
    char back[XENSTORE_PATH_SIZE]; /* the backend's directory */
    uint8_t mac[6];
    uint32_t ip, wire_ip; /* host byte order */
    netif_tx_sring_t *tx;
    netif_rx_sring_t *rx;
    grant_ref_t tx_ref, rx_ref, ctrl_ref;
    evtchn_port_t port, other_port, ctrl_port;
    RING_IDX tx_prod, tx_cons, rx_prod, rx_cons;
    bool dirty; /* the attack left it in no state to go on: connect anew */
    bool no_refill; /* received buffers are not given back */
    char values[NODE_NR][FRONT_VALUE_SIZE]; /* to be written */
    char written[NODE_NR][FRONT_VALUE_SIZE];
    bool is_extra[FRONT_SLOTS]; /* what each slot of the tx ring was filled with */
    uint16_t id[FRONT_SLOTS];
    uint16_t next_id;
    grant_ref_t tx_refs[FRONT_TX_PAGES], rx_refs[FRONT_RX_PAGES];
};

/* Pages behind tx_refs and rx_refs. */
extern uint8_t front_tx_data[FRONT_TX_PAGES][4096];
extern uint8_t front_rx_data[FRONT_RX_PAGES][4096];

/* The grant table, to be written to at will. */
grant_entry_v1_t *front_grant_table(void);

/* Find the vif, grant the pages. Ends the domain if there is no vif. */
void front_init(struct front *f);

/* Use other ring pages from now on: the old ones are lost. */
void front_rings_replace(struct front *f);

/* Each returns NULL, or why it did not work. */

/* To the backend's InitWait: new rings, grants, port, and the values that a good frontend writes. */
const char *front_prepare(struct front *f);

/* The same for one that may be open: it is closed first. */
const char *front_prepare_anew(struct front *f);

/* After front_prepare(): a control ring in this page. */
const char *front_ctrl_prepare(struct front *f, const void *page);

/* Write values[], then state Connected. */
const char *front_publish(struct front *f);

/* The backend's state is Connected; receive buffers are given to it. */
const char *front_established(struct front *f);

/* All three. */
const char *front_open(struct front *f);

/* To Closed on both sides; what was granted for the rings is taken back, and must be free. */
const char *front_close(struct front *f);

const char *front_state_set(int state);
int front_back_state(struct front *f);
bool front_wait_back(struct front *f, int state, unsigned int ms);

/* The backend closes the vif of its own accord and leaves a sentence, which becomes the note. */
const char *front_expect_closed(struct front *f);

/* Whether the backend has done so. */
bool front_is_closed(struct front *f);

void front_kick(struct front *f);

#endif
