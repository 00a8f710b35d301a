/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/tx_backlog.h"

#include <rte_common.h>

#include "xen/log.h"

_Static_assert((TX_BACKLOG_MAX & (TX_BACKLOG_MAX - 1)) == 0, "indices run freely");

void tx_backlog_init(struct tx_backlog *backlog)
{
    backlog->head = backlog->tail = 0;
}

uint16_t tx_backlog_put(struct tx_backlog *backlog, struct rte_mbuf *const *frames, uint16_t nr)
{
    uint32_t room = TX_BACKLOG_MAX - tx_backlog_nr(backlog);

    nr = (uint16_t)RTE_MIN(nr, room);
    for (uint16_t i = 0; i < nr; i++)
        backlog->frames[backlog->tail++ % TX_BACKLOG_MAX] = frames[i];
    return nr;
}

uint16_t tx_backlog_first(struct tx_backlog *backlog, struct rte_mbuf ***frames_r)
{
    uint32_t at = backlog->head % TX_BACKLOG_MAX;

    *frames_r = &backlog->frames[at];
    return (uint16_t)RTE_MIN(tx_backlog_nr(backlog), TX_BACKLOG_MAX - at);
}

void tx_backlog_take(struct tx_backlog *backlog, uint16_t nr)
{
    INVARIANT(nr <= tx_backlog_nr(backlog));
    backlog->head += nr;
}
