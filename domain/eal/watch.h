/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a NIC has come to a halt, from looks at its registers or its rings every WATCH_INTERVAL_NS.
 *
 * Transmit: it has frames, and its head has not moved for a while, and over as many looks as that has.
 * A NIC that its peer pauses (802.3x) is not stuck, for however long: starting it anew would not help.
 * Receive: it has room, and misses frames all the same; its head has not moved and nothing was received over several
 * looks that saw some missed. Where none is missed nothing is known, for the wire may be quiet.
 */
#ifndef EAL_WATCH_H
#define EAL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define WATCH_INTERVAL_NS 100000000ull

/* For so long nothing moves, where a register tells of pauses. */
#define WATCH_STUCK_NS 300000000ull

/* Where none does: longer than a pause. Also for a ring that takes no frame. */
#define WATCH_FULL_NS 2000000000ull

/* So many looks saw frames missed before the receiving side is taken to stand. */
#define WATCH_MISSED_LOOKS 3

/* What registers and rings say, as far as the NIC is known (eal/quirk.h). */
struct watch_look {
    bool is_gone; /* nothing answers */
    bool is_lost; /* it says that it is not as the driver has set it up */
    bool is_paused; /* by its peer */
    uint64_t patience_ns; /* WATCH_STUCK_NS or WATCH_FULL_NS */
    uint32_t tx_head, tx_tail; /* equal: nothing to transmit */
    uint32_t tx_round; /* after so many these two begin at 0 again; 0: they are not known */
    uint32_t rx_head, rx_tail; /* equal: no room, or it is not known */
    uint32_t rx_missed; /* frames since the last look */
    bool rx_received; /* frames, since the last look: the head may have come back to where it was */
};

struct watch {
    struct watch_side {
        uint32_t head;
        unsigned int looks; /* in which it did not move; rx: and frames were missed */
        uint64_t since_ns; /* when it was first seen there */
    } tx, rx;
};

/* How far the head is behind the tail. tx_round is not 0; the numbers may be any. */
uint32_t watch_tx_used(const struct watch_look *look);

/* Begin anew. */
void watch_init(struct watch *watch, const struct watch_look *look, uint64_t now_ns);

/*
 * Take in a look. tx_went_round: as many frames were accepted since the last one as the ring has room
 * for, so that the head may have come back to where it was.
 *
 * Returns NULL, or what is wrong.
 */
const char *watch_verdict(struct watch *watch, const struct watch_look *look, bool tx_went_round,
                          uint64_t now_ns);

#endif
