/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first thing to be done with an index that another domain wrote, and how ours is shown to it. 32-bit indices run freely and
 * wrap; only their differences mean something.
 * Source: xen/io/ring.h, RING_REQUEST_PROD_OVERFLOW.
 */
#ifndef VIF_RING_CHECK_H
#define VIF_RING_CHECK_H

#include <errno.h>
#include <stdint.h>

#include "arch/x86/cpu.h"

/*
 * How many requests the frontend has put on its ring that we have not taken.
 *
 *   prod     its index, read once
 *   cons     requests taken
 *   rsp      responses written; requests in [rsp, cons) are ours and their slots not free
 *   nr_ents  slots of the ring, a power of two
 *
 * Returns the number, or -EPROTO for an index that no sane frontend can have written: more than a
 * ring ahead of our responses, or behind what we took already.
 */
static inline int __must_check ring_requests(uint32_t prod, uint32_t cons, uint32_t rsp,
                                             uint32_t nr_ents)
{
    if (prod - rsp > nr_ents || prod - rsp < cons - rsp)
        return -EPROTO;
    return (int)(prod - cons);
}

/*
 * Whether a peer that asked to be told at index `event` must be told, now that the index has gone
 * from `before` to `after`. Source: xen/io/ring.h, "Notification hold-off".
 */
static inline int ring_notify_due(uint32_t before, uint32_t after, uint32_t event)
{
    return after - event < after - before;
}

/*
 * Show the peer all responses before `to`.
 *
 *   prod, event  the ring's rsp_prod and rsp_event, which the peer can write
 *   before       what prod was
 *
 * Returns whether the peer must be told.
 */
static inline int ring_push(uint32_t *prod, const uint32_t *event, uint32_t before, uint32_t to)
{
    wmb(); /* responses before the index */
    WRITE_ONCE(*prod, to);
    mb(); /* the index before the look at the event */
    return ring_notify_due(before, to, READ_ONCE(*event));
}

#endif
