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

/* From our directory. */
struct vif_back {
    struct vif_wish wish; /* guest, handle and index are not set here */
    uint32_t frontend_id, handle;
    char frontend[VIF_NODE_SIZE];
};

/* From the frontend's directory. */
struct vif_front {
    uint32_t tx_ref, rx_ref;
    uint32_t port_tx, port_rx; /* the same port where they are not split */
    uint32_t queues;
    bool rx_copy, rx_notify, sg, gso_tcpv4, no_csum, ipv6_csum;
    bool has_split; /* event-channel-tx was there */
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

/* The one of nodes_back that may change while the vif is in use. */
extern const struct node_spec nodes_rate;

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
