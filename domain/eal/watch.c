/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/watch.h"

#include <stddef.h>

static void side_init(struct watch_side *side, uint32_t head, uint64_t now_ns)
{
    *side = (struct watch_side){ .head = head, .since_ns = now_ns };
}

/*
 * moves: it did, or need not. Looks count besides time, which may also pass while everything stood still,
 * or while nobody looked because there was nothing to do.
 */
static bool is_stuck(struct watch_side *side, uint32_t head, bool moves, uint64_t patience_ns,
                     uint64_t now_ns)
{
    if (moves || head != side->head) {
        side_init(side, head, now_ns);
        return false;
    }
    side->looks++;
    return side->looks >= patience_ns / WATCH_INTERVAL_NS && now_ns - side->since_ns >= patience_ns;
}

static bool rx_is_stuck(struct watch_side *side, const struct watch_look *look, uint64_t now_ns)
{
    bool has_room = look->rx_head != look->rx_tail;

    if (!has_room || look->rx_received || look->rx_head != side->head) {
        side_init(side, look->rx_head, now_ns);
        return false;
    }
    if (look->rx_missed == 0)
        return false;
    side->looks++;
    return side->looks >= WATCH_MISSED_LOOKS && now_ns - side->since_ns >= WATCH_STUCK_NS;
}

uint32_t watch_tx_used(const struct watch_look *look)
{
    uint32_t head = look->tx_head % look->tx_round, tail = look->tx_tail % look->tx_round;

    return tail >= head ? tail - head : look->tx_round - head + tail;
}

void watch_init(struct watch *watch, const struct watch_look *look, uint64_t now_ns)
{
    side_init(&watch->tx, look->tx_head, now_ns);
    side_init(&watch->rx, look->rx_head, now_ns);
}

const char *watch_verdict(struct watch *watch, const struct watch_look *look, bool tx_went_round,
                          uint64_t now_ns)
{
    bool tx_moves = look->tx_head == look->tx_tail || look->is_paused || tx_went_round;

    if (look->is_gone)
        return "does not answer";
    if (look->is_lost)
        return "has lost its settings";
    if (is_stuck(&watch->tx, look->tx_head, tx_moves, look->patience_ns, now_ns))
        return "transmits nothing";
    return rx_is_stuck(&watch->rx, look, now_ns) ? "receives nothing" : NULL;
}
