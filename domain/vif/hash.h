/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Toeplitz hash that keeps the frames of a flow in one queue of the guest's. Pure.
 * Source: xen/io/netif.h, "Hash types", "Hash algorithms" and the SET_HASH_* messages.
 */
#ifndef VIF_HASH_H
#define VIF_HASH_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <xen/xen.h>

#include <xen/io/netif.h>

#include "arch/x86/cpu.h"

#define HASH_KEY_MAX 40 /* bytes: as long as IPv6 addresses and ports need */
#define HASH_MAPPING_MAX 128
#define HASH_INPUT_MAX 36 /* bytes: two IPv6 addresses, two ports */

#define HASH_FLAGS_ALL                                                                             \
    (XEN_NETIF_CTRL_HASH_TYPE_IPV4 | XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP |                           \
     XEN_NETIF_CTRL_HASH_TYPE_IPV6 | XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)

/* What a frontend has asked for on its control ring. Outlives restarts: see hash_seal(). */
struct vif_hash {
    uint32_t sum;
    uint32_t algorithm; /* XEN_NETIF_CTRL_HASH_ALGORITHM_* */
    uint32_t flags; /* XEN_NETIF_CTRL_HASH_TYPE_*, of HASH_FLAGS_ALL */
    uint32_t nr_mapping; /* 0: the remainder of a division by the number of queues */
    uint8_t key[HASH_KEY_MAX]; /* what was not given is 0 */
    uint8_t mapping[HASH_MAPPING_MAX]; /* hash modulo nr_mapping to queue */
};

/* As before any request: no algorithm, and we choose. */
void hash_reset(struct vif_hash *hash);

/*
 * The hash of a frame as the frontend wants it.
 *
 *   value_r  set unless the result is 0
 *
 * Returns the type, one of XEN_NETIF_CTRL_HASH_TYPE_*; 0 if there is none to be made of this frame.
 */
uint32_t hash_frame(const struct vif_hash *hash, struct rte_mbuf *frame, uint32_t *value_r);

/* Whether hash_frame() would return a type, without the work. */
uint32_t hash_frame_type(const struct vif_hash *hash, struct rte_mbuf *frame);

/* Which of nr queues a frame goes to: as the frontend wants, else by our own hash. */
unsigned int hash_queue(const struct vif_hash *hash, struct rte_mbuf *frame, unsigned int nr);

/* What the requests do. Each returns XEN_NETIF_CTRL_STATUS_*; on anything but success nothing changes. */
uint32_t hash_algorithm_set(struct vif_hash *hash, uint32_t algorithm);
uint32_t hash_flags_get(const struct vif_hash *hash, uint32_t *flags_r);
uint32_t hash_flags_set(struct vif_hash *hash, uint32_t flags);
uint32_t hash_key_check(uint32_t len);
void hash_key_set(struct vif_hash *hash, const uint8_t *key, uint32_t len);
uint32_t hash_mapping_size_set(struct vif_hash *hash, uint32_t nr);
uint32_t hash_mapping_check(const struct vif_hash *hash, uint32_t nr, uint32_t offset);
uint32_t hash_mapping_set(struct vif_hash *hash, const uint32_t *queues, uint32_t nr,
                          uint32_t offset, unsigned int nr_queues);

#endif
