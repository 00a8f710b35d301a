/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/checksum.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

/* (rte_raw_cksum_mbuf() of DPDK 22.11 drops the carries of a segment that starts at an odd distance.) */
uint16_t checksum_sum_from(const struct rte_mbuf *frame, uint32_t offset)
{
    uint32_t sum = 0, done = 0;

    for (const struct rte_mbuf *seg = frame; seg; seg = seg->next) {
        uint32_t len = seg->data_len;
        uint16_t part;

        if (offset >= len) {
            offset -= len;
            continue;
        }
        len -= offset;
        part = rte_raw_cksum(rte_pktmbuf_mtod_offset(seg, const char *, offset), len);
        sum += done & 1 ? rte_bswap16(part) : part;
        done += len;
        offset = 0;
    }
    return __rte_raw_cksum_reduce(sum);
}

static int field_offset(uint64_t ol_flags)
{
    switch (ol_flags & RTE_MBUF_F_TX_L4_MASK) {
    case RTE_MBUF_F_TX_TCP_CKSUM:
        return offsetof(struct rte_tcp_hdr, cksum);
    case RTE_MBUF_F_TX_UDP_CKSUM:
        return offsetof(struct rte_udp_hdr, dgram_cksum);
    default:
        return -EINVAL;
    }
}

int checksum_finish(struct rte_mbuf *frame)
{
    uint32_t l4 = frame->l2_len + frame->l3_len;
    int field = field_offset(frame->ol_flags);
    uint16_t checksum;

    if (field < 0 || l4 + field + sizeof(checksum) > frame->data_len)
        return -EINVAL;
    checksum = ~checksum_sum_from(frame, l4);
    if (checksum == 0 && (frame->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM)
        checksum = 0xffff;
    memcpy(rte_pktmbuf_mtod_offset(frame, char *, l4 + field), &checksum, sizeof(checksum));
    frame->ol_flags &= ~CHECKSUM_UNFINISHED;
    return 0;
}
