/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/rx_plan.h"

#include <string.h>

#include "xen/frames.h"
#include "xen/log.h"

bool rx_plan_possible(const struct rte_mbuf *frame)
{
    uint32_t len = 0;

    if (frame->nb_segs > RX_SEGS_MAX || frame->pkt_len == 0 || frame->pkt_len > RX_LEN_MAX)
        return false;
    for (const struct rte_mbuf *seg = frame; seg; seg = seg->next) {
        if (seg->data_len > RX_SEG_LEN_MAX)
            return false;
        len += seg->data_len;
    }
    return len == frame->pkt_len;
}

/* at: in the slot's page. */
static inline gnttab_copy_t copy_to(const struct rx_slot *slot, uint32_t at, domid_t guest,
                                    const uint8_t *from, uint32_t len)
{
    return (gnttab_copy_t){
        .source = { .u.gmfn = virt_to_mfn(from),
                    .domid = DOMID_SELF,
                    .offset = (uint16_t)((uintptr_t)from & ~PAGE_MASK) },
        .dest = { .u.ref = slot->gref, .domid = guest, .offset = (uint16_t)at },
        .len = (uint16_t)len,
        .flags = GNTCOPY_dest_gref,
        .status = GNTST_general_error,
    };
}

static unsigned int chain_ops(const struct rte_mbuf *frame, uint16_t headroom,
                              const struct rx_slot *slots, domid_t guest, gnttab_copy_t *ops)
{
    unsigned int nr = 0, bound = rx_plan_ops_bound(frame, headroom);
    uint32_t at = headroom; /* in the slots */

    for (const struct rte_mbuf *seg = frame; seg; seg = seg->next) {
        for (uint32_t done = 0, chunk; done < seg->data_len; done += chunk, at += chunk) {
            const uint8_t *from = rte_pktmbuf_mtod_offset(seg, const uint8_t *, done);
            uint32_t page_room = (uint32_t)(PAGE_SIZE - ((uintptr_t)from & ~PAGE_MASK));
            const struct rx_slot *slot;
            uint32_t slot_room = (uint32_t)(PAGE_SIZE - (at & ~PAGE_MASK));

            chunk = RTE_MIN(seg->data_len - done, RTE_MIN(page_room, slot_room));
            slot = &slots[at >> PAGE_SHIFT];
            if (slot->page) {
                memcpy(slot->page + (at & ~PAGE_MASK), from, chunk);
                continue;
            }
            INVARIANT(nr < bound);
            ops[nr++] = copy_to(slot, at & ~PAGE_MASK, guest, from, chunk);
        }
    }
    return nr;
}

/* A short frame in one mbuf, within a page, for a slot that has no page of ours: most are. */
static bool is_one_copy(const struct rte_mbuf *frame, uint16_t headroom, const struct rx_slot *slot)
{
    uintptr_t from = (uintptr_t)rte_pktmbuf_mtod(frame, const uint8_t *);

    return frame->nb_segs == 1 && !slot->page && frame->data_len > 0 &&
           headroom + (uint32_t)frame->data_len <= PAGE_SIZE &&
           (from & ~PAGE_MASK) + frame->data_len <= PAGE_SIZE;
}

unsigned int rx_plan_ops(const struct rte_mbuf *frame, uint16_t headroom,
                         const struct rx_slot *slots, domid_t guest, gnttab_copy_t *ops)
{
    if (!is_one_copy(frame, headroom, slots))
        return chain_ops(frame, headroom, slots, guest, ops);
    *ops =
        copy_to(slots, headroom, guest, rte_pktmbuf_mtod(frame, const uint8_t *), frame->data_len);
    return 1;
}
