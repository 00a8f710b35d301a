/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/arp.h"

#include <errno.h>
#include <string.h>

#include <rte_arp.h>

_Static_assert(sizeof(struct rte_arp_hdr) == 28, "as on the wire");

static int header_check(const struct rte_arp_hdr *header)
{
    uint16_t op = rte_be_to_cpu_16(header->arp_opcode);

    if (header->arp_hardware != RTE_BE16(RTE_ARP_HRD_ETHER) ||
        header->arp_protocol != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
        header->arp_hlen != RTE_ETHER_ADDR_LEN || header->arp_plen != sizeof(rte_be32_t))
        return -EINVAL;
    return op == ARP_REQUEST || op == ARP_REPLY ? 0 : -EINVAL;
}

int arp_read(const struct rte_mbuf *frame, struct arp *arp_r)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);
    struct rte_arp_hdr header;

    if (frame->data_len < frame->l2_len + sizeof(header))
        return -EINVAL;
    memcpy(&header, rte_pktmbuf_mtod_offset(frame, const void *, frame->l2_len), sizeof(header));
    if (header_check(&header) || !rte_is_valid_assigned_ether_addr(&header.arp_data.arp_sha) ||
        !rte_is_same_ether_addr(&header.arp_data.arp_sha, &ether->src_addr))
        return -EINVAL;
    *arp_r = (struct arp){ .op = rte_be_to_cpu_16(header.arp_opcode),
                           .sender_mac = header.arp_data.arp_sha,
                           .target_mac = header.arp_data.arp_tha,
                           .sender_ip = header.arp_data.arp_sip,
                           .target_ip = header.arp_data.arp_tip };
    return 0;
}

struct rte_mbuf *arp_make(struct rte_mempool *pool, const struct arp *arp,
                          const struct rte_ether_addr *to)
{
    struct rte_ether_hdr ether = { .dst_addr = *to,
                                   .src_addr = arp->sender_mac,
                                   .ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP) };
    struct rte_arp_hdr header = { .arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
                                  .arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
                                  .arp_hlen = RTE_ETHER_ADDR_LEN,
                                  .arp_plen = sizeof(rte_be32_t),
                                  .arp_opcode = rte_cpu_to_be_16(arp->op),
                                  .arp_data = { .arp_sha = arp->sender_mac,
                                                .arp_sip = arp->sender_ip,
                                                .arp_tha = arp->target_mac,
                                                .arp_tip = arp->target_ip } };
    struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
    char *bytes = frame ? rte_pktmbuf_append(frame, sizeof(ether) + sizeof(header)) : NULL;

    if (!bytes) {
        rte_pktmbuf_free(frame);
        return NULL;
    }
    memcpy(bytes, &ether, sizeof(ether));
    memcpy(bytes + sizeof(ether), &header, sizeof(header));
    return frame;
}
