/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that a NIC's transmit ring had no room for, in order. They go before all later ones. While there
 * are some the port is full (net/port.h), which slows down the guests that send to it.
 */
#ifndef EAL_TX_BACKLOG_H
#define EAL_TX_BACKLOG_H

#include <stdint.h>

#include <rte_mbuf.h>

#define TX_BACKLOG_MAX 1024 /* frames; a power of two */

struct tx_backlog {
    uint32_t head, tail; /* free-running; tail - head frames are in it */
    struct rte_mbuf *frames[TX_BACKLOG_MAX];
};

/* Forget what is in it, as after a restart: whose the frames are is known elsewhere (eal/owner.h). */
void tx_backlog_init(struct tx_backlog *backlog);

static inline uint32_t tx_backlog_nr(const struct tx_backlog *backlog)
{
    return backlog->tail - backlog->head;
}

/* Append frames, which pass in, as many as have room. Returns their number; the rest stays the caller's. */
uint16_t tx_backlog_put(struct tx_backlog *backlog, struct rte_mbuf *const *frames, uint16_t nr);

/*
 * The first frames that lie in one piece, to be handed to the driver: *frames_r is set to them.
 * Returns their number; 0: there are none. They stay in the backlog.
 */
uint16_t tx_backlog_first(struct tx_backlog *backlog, struct rte_mbuf ***frames_r);

/* The first nr frames are somebody else's now. */
void tx_backlog_take(struct tx_backlog *backlog, uint16_t nr);

#endif
