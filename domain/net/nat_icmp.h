/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP errors: the packet that one has embedded says which flow it is about (RFC 5508). Used by nat*.c only.
 *
 * Errors neither prolong flows nor end them (RFC 5508 REQ-6, RFC 4787 REQ-12, RFC 5382 REQ-10).
 */
#ifndef NET_NAT_ICMP_H
#define NET_NAT_ICMP_H

#include <rte_mbuf.h>

#include "net/nat_flow.h"

/*
 * The frame is parsed and was read as NAT_KIND_ERROR. What is embedded must lie in the first segment.
 * These return 0 or -(enum nat_reason), and nothing changed then: -NAT_NO_FLOW if it is about none.
 */

/* Translate an error that a guest sends; its source becomes the outside's address. */
int nat_icmp_out(struct rte_mbuf *frame, uint8_t guest, uint8_t outside, rte_be32_t address,
                 uint64_t now);

/* Translate an error that came in from outside; its source stays. */
int nat_icmp_in(struct rte_mbuf *frame, uint8_t outside, rte_be32_t address, uint64_t now,
                uint8_t *guest_r);

/* Which flow is an error about, as its guest sees both? */
int nat_icmp_track(struct rte_mbuf *frame, uint8_t guest, uint8_t outside, bool from_guest,
                   uint64_t now, struct nat_flow **flow_r);

#endif
