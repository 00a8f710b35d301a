/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole messages over xenstore's ring page. One ring, the domain's.
 *
 * Our two indices live here; the page holds copies for xenstored. When the copies or xenstored's
 * indices make no sense, or an answer announces more than the protocol allows, the wire is cut for
 * good: nobody could say where the next message begins.
 * Source: xen/io/xs_wire.h; docs/misc/xenstore-ring.txt of Xen.
 */
#ifndef XEN_XENSTORE_WIRE_H
#define XEN_XENSTORE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/io/xs_wire.h>

#include "arch/x86/cpu.h"

/* page: the whole page (PAGE_SIZE) that begins with the ring. Goes on where its indices are. */
void xenstore_wire_init(struct xenstore_domain_interface *page, evtchn_port_t port);

/*
 * Send a message of len bytes (XENSTORE_REQUEST_MAX at most): onto the ring, or into a queue in
 * memory when the ring has no room for all of it. Returns 0, -ENOBUFS or -EIO (cut).
 */
int xenstore_wire_send(const char *message, size_t len) __must_check;

/* Move queued messages to the ring, as many as find room. */
void xenstore_wire_flush(void);

/*
 * Take one message off the ring.
 *
 *   payload_r  header_r->len bytes and a NUL behind them; valid until the next call
 *
 * Returns 0, -EAGAIN (there is no whole one) or -EIO (cut).
 */
int xenstore_wire_receive(struct xsd_sockmsg *header_r, const char **payload_r) __must_check;

/* Notify xenstored if what was done since the last call is of interest to it. */
void xenstore_wire_kick(void);

/* Ring index behind the last message received, and behind the last byte xenstored wrote. */
uint32_t xenstore_wire_received(void);
uint32_t xenstore_wire_written(void);

/* Cut the wire ourselves, for reason (not copied). The first reason stays. */
void xenstore_wire_cut(const char *reason);

/* Why the wire was cut; NULL while it is whole. */
const char *xenstore_wire_cut_reason(void);

#endif
