/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenstore nodes of a vif: which there are, what they may hold. Pure: one call per node as its
 * answer comes in. Every byte may be hostile (ours are written by the toolstack, and checked as well).
 * Source: xen/io/netif.h; libxl__set_xenstore_nic in libxl for the backend's.
 */
#ifndef VIF_NODES_H
#define VIF_NODES_H

#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

#include "vif/vif.h"

#define NODES_MTU_MIN 68 /* RFC 791 */
#define NODES_MTU_MAX 65500 /* an Ethernet header and two tags more still fit in a frame's size */

/* Linux' frontend asks for 256 bytes. More than half a page would leave frames no room in it. */
#define XDP_HEADROOM_MAX 2048

/* From our directory. */
struct vif_back {
    struct vif_wish wish; /* guest, handle and index are not set here */
    uint32_t frontend_id, handle;
    char frontend[VIF_NODE_SIZE];
};

/* The most queues of one vif. */
#define VIF_QUEUES_MAX 4

/* From the frontend's directory: of one queue, and of them all. */
struct vif_front_queue {
    uint32_t tx_ref, rx_ref;
    uint32_t port_tx, port_rx; /* the same port where they are not split */
    bool has_split; /* event-channel-tx was there */
};

struct vif_front {
    struct vif_front_queue queue[VIF_QUEUES_MAX];
    uint32_t queues;
    uint32_t ctrl_ref, ctrl_port; /* of the control ring */
    bool has_ctrl; /* ctrl-ring-ref was there */
    bool rx_copy, rx_notify, sg, gso_tcpv4, gso_tcpv6, no_csum, ipv6_csum;
    bool multicast; /* multicast frames are filtered */
    uint32_t xdp_headroom; /* bytes left free in front of received frames */
};

struct node_spec {
    const char *name;
    int (*parse)(void *out, const char *value, size_t len);
    bool (*wanted)(const void *out); /* NULL: always required; false: may be missing */
    const char *accepted; /* for the user; NULL: nobody but a program writes it */
};

extern const struct node_spec nodes_back[];
extern const unsigned int nodes_back_nr;
extern const struct node_spec nodes_front[];
extern const unsigned int nodes_front_nr;
/* Of one queue, into a struct vif_front_queue: in the frontend's directory, or in queue-N below it. */
extern const struct node_spec nodes_queue[];
extern const unsigned int nodes_queue_nr;

/* Those of nodes_back and of nodes_front that may change while the vif is in use. */
extern const struct node_spec nodes_rate;
extern const struct node_spec nodes_multicast;
extern const struct node_spec nodes_headroom;

/* Values of what is missing and may be. */
void nodes_back_init(struct vif_back *back);
void nodes_front_init(struct vif_front *front);

/*
 * Is every name in our directory one that we read, that changes nothing for a backend like us
 * (docs/topology.md lists them), or our own? A setting that is not understood must not be passed over.
 *
 *   names  as xenstored lists them, each with its NUL; len bytes in all
 *
 * Returns 0, or -EOPNOTSUPP with why naming the first that is not.
 */
int nodes_back_known(const char *names, size_t len, char *why, size_t why_size) __must_check;

/*
 * Take the answer for one node.
 *
 *   err, value, len  as xenstore_done_fn gets them
 *   why              on failure: a sentence naming node and value, printable whatever the value
 *
 * Returns 0 (missing nodes that may be missing count as taken), -EINVAL for a bad value or a missing
 * required one, or err if the node could not be read for another reason than not being there.
 */
int node_take(const struct node_spec *spec, void *out, int err, const char *value, size_t len,
              char *why, size_t why_size) __must_check;

/* What no single node shows. Returns 0 or -EINVAL with why. */
int nodes_front_check(const struct vif_front *front, char *why, size_t why_size) __must_check;
int nodes_back_check(const struct vif_back *back, domid_t guest, uint16_t handle, char *why,
                     size_t why_size) __must_check;

/* The value of a state node: enum xenbus_state, or HANDSHAKE_STATE_GARBAGE. */
int nodes_state_parse(const char *value, size_t len) __must_check;

#endif
