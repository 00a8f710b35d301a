/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_net.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "net/bridge.h"

static struct rte_mempool *pool;

int fixture_start(void **state)
{
    char *argv[] = { "test",           "--no-huge",     "--no-pci", "--no-shconf", "-m", "64",
                     "--no-telemetry", "--log-level=4", "--lcores", "0",           NULL };
    int argc = sizeof(argv) / sizeof(argv[0]) - 1;

    (void)state;
    if (rte_eal_init(argc, argv) < 0)
        return -1;
    pool = rte_pktmbuf_pool_create("test", FIXTURE_BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    return pool ? 0 : -1;
}

struct rte_mempool *fixture_pool(void)
{
    return pool;
}

struct rte_mempool *fixture_tiny_pool(void)
{
    static struct rte_mempool *tiny;

    if (!tiny)
        tiny = rte_pktmbuf_pool_create("tiny", 4, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    return tiny;
}

unsigned int fixture_in_use(void)
{
    return rte_mempool_in_use_count(pool);
}

static void fake_tx_burst(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    struct fake_port *fake = (struct fake_port *)port;

    fake->nr_bursts++;
    for (uint16_t i = 0; i < nr; i++)
        if (fake->nr_kept < FIXTURE_KEPT)
            fake->kept[fake->nr_kept++] = frames[i];
        else
            rte_pktmbuf_free(frames[i]);
    if (fake->remove_in_burst)
        bridge_port_remove(fake->remove_in_burst);
    fake->remove_in_burst = NULL;
}

static void fake_flush(struct port *port)
{
    ((struct fake_port *)port)->nr_flushes++;
}

static const struct port_ops fake_ops = { .tx_burst = fake_tx_burst, .flush = fake_flush };

void fake_port_init(struct fake_port *fake, const char *name, uint32_t tx_caps)
{
    memset(fake, 0, sizeof(*fake));
    fake->port.ops = &fake_ops;
    snprintf(fake->port.name, sizeof(fake->port.name), "%s", name);
    fake->port.mtu = 1500;
    fake->port.tx_caps = tx_caps;
    fake->port.up = true;
}

void fake_port_empty(struct fake_port *fake)
{
    rte_pktmbuf_free_bulk(fake->kept, fake->nr_kept);
    fake->nr_kept = 0;
}

void fake_ports_empty(struct fake_port *fakes, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        fake_port_empty(&fakes[i]);
}

int fake_ports_end(struct fake_port *fakes, unsigned int nr)
{
    fake_ports_empty(fakes, nr);
    for (unsigned int i = 0; i < nr; i++)
        bridge_port_remove(&fakes[i].port);
    return fixture_in_use();
}

void fake_port_input(struct fake_port *fake, struct rte_mbuf *frame, uint64_t now)
{
    bridge_input(&fake->port, &frame, 1, now);
    bridge_flush();
}

struct rte_ether_addr station(unsigned int n)
{
    struct rte_ether_addr mac = { { 2, 0, 0, n >> 16, n >> 8, n } };

    return mac;
}

static struct rte_mbuf *frame_append(struct rte_mbuf *frame, const uint8_t *bytes, uint32_t len)
{
    struct rte_mbuf *tail = rte_pktmbuf_lastseg(frame);

    while (len > 0) {
        uint32_t part = RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(tail));

        if (part == 0) {
            tail->next = rte_pktmbuf_alloc(pool);
            tail = tail->next;
            frame->nb_segs++;
            continue;
        }
        memcpy(rte_pktmbuf_mtod_offset(tail, char *, tail->data_len), bytes, part);
        tail->data_len += part;
        frame->pkt_len += part;
        bytes += part;
        len -= part;
    }
    return frame;
}

struct rte_mbuf *frame_make(struct rte_ether_addr dst, struct rte_ether_addr src, uint32_t len)
{
    static uint8_t bytes[65536];
    struct rte_ether_hdr ether = { dst, src, RTE_BE16(0x88b5) }; /* for experiments */

    for (uint32_t i = 0; i < len; i++)
        bytes[i] = i;
    memcpy(bytes, &ether, RTE_MIN(len, (uint32_t)sizeof(ether)));
    return frame_append(rte_pktmbuf_alloc(pool), bytes, len);
}

struct rte_mbuf *frame_chop(struct rte_mbuf *frame, uint32_t chunk)
{
    struct rte_mbuf *head = NULL, *tail = NULL;
    uint32_t done = 0, total = frame->pkt_len;

    for (; done < total; done += chunk) {
        struct rte_mbuf *seg = rte_pktmbuf_copy(frame, pool, done, chunk);

        if (head)
            tail->next = seg;
        else
            head = seg;
        tail = seg;
    }
    head->pkt_len = total;
    head->nb_segs = (total + chunk - 1) / chunk;
    rte_pktmbuf_free(frame);
    return head;
}

static uint32_t put_ip(uint8_t *bytes, bool v6, uint8_t protocol, uint32_t l4_len)
{
    struct rte_ipv6_hdr ip6 = { .vtc_flow = RTE_BE32(0x60000000),
                                .payload_len = rte_cpu_to_be_16(l4_len),
                                .proto = protocol,
                                .hop_limits = 64,
                                .src_addr = { 0xfd, 1 },
                                .dst_addr = { 0xfd, 2 } };
    struct rte_ipv4_hdr ip4 = { .version_ihl = 0x45,
                                .total_length = rte_cpu_to_be_16(sizeof(ip4) + l4_len),
                                .packet_id = RTE_BE16(0xfffe),
                                .time_to_live = 64,
                                .next_proto_id = protocol,
                                .src_addr = RTE_BE32(0x0a000001),
                                .dst_addr = RTE_BE32(0x0a000002) };

    ip4.hdr_checksum = rte_ipv4_cksum(&ip4);
    memcpy(bytes, v6 ? (void *)&ip6 : (void *)&ip4, v6 ? sizeof(ip6) : sizeof(ip4));
    return v6 ? sizeof(ip6) : sizeof(ip4);
}

static uint16_t pseudo_sum(const uint8_t *ip, bool v6, uint64_t ol_flags)
{
    return v6 ? rte_ipv6_phdr_cksum((const void *)ip, ol_flags)
              : rte_ipv4_phdr_cksum((const void *)ip, ol_flags);
}

static uint32_t put_l4(uint8_t *bytes, uint8_t protocol, uint32_t payload, uint16_t checksum)
{
    struct rte_tcp_hdr tcp = { .src_port = RTE_BE16(1000),
                               .dst_port = RTE_BE16(2000),
                               .sent_seq = RTE_BE32(0xffffff00),
                               .recv_ack = RTE_BE32(7),
                               .data_off = 0x50,
                               .tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG |
                                            RTE_TCP_CWR_FLAG,
                               .cksum = checksum };
    struct rte_udp_hdr udp = { .src_port = RTE_BE16(1000),
                               .dst_port = RTE_BE16(2000),
                               .dgram_len = rte_cpu_to_be_16(sizeof(udp) + payload),
                               .dgram_cksum = checksum };
    bool is_tcp = protocol == IPPROTO_TCP;

    memcpy(bytes, is_tcp ? (void *)&tcp : (void *)&udp, is_tcp ? sizeof(tcp) : sizeof(udp));
    return is_tcp ? sizeof(tcp) : sizeof(udp);
}

struct rte_mbuf *frame_make_l4(bool v6, uint8_t protocol, uint32_t payload, uint16_t segsz)
{
    static uint8_t bytes[80000];
    struct rte_ether_hdr ether = { station(2), station(1),
                                   v6 ? RTE_BE16(0x86dd) : RTE_BE16(0x0800) };
    bool is_tcp = protocol == IPPROTO_TCP;
    uint32_t l4_len = is_tcp ? sizeof(struct rte_tcp_hdr) : sizeof(struct rte_udp_hdr);
    struct rte_mbuf *frame = rte_pktmbuf_alloc(pool);
    uint32_t len = sizeof(ether);

    memcpy(bytes, &ether, sizeof(ether));
    frame->l2_len = len;
    frame->l3_len = put_ip(bytes + len, v6, protocol, l4_len + payload);
    frame->l4_len = l4_len;
    frame->tso_segsz = segsz;
    frame->ol_flags = (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
                      (is_tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM) |
                      (segsz ? RTE_MBUF_F_TX_TCP_SEG : 0);
    put_l4(bytes + len + frame->l3_len, protocol, payload, pseudo_sum(bytes + len, v6, 0));
    len += frame->l3_len + l4_len;
    for (uint32_t i = 0; i < payload; i++)
        bytes[len + i] = i * 7 + (i >> 8);
    return frame_append(frame, bytes, len + payload);
}

struct rte_mbuf *frame_tag(struct rte_mbuf *frame, uint16_t tpid, uint16_t tci)
{
    uint8_t *bytes = (uint8_t *)rte_pktmbuf_prepend(frame, 4);
    uint16_t tag[2] = { rte_cpu_to_be_16(tpid), rte_cpu_to_be_16(tci) };

    memmove(bytes, bytes + 4, 12);
    memcpy(bytes + 12, tag, sizeof(tag));
    if (frame->l2_len)
        frame->l2_len += 4;
    frame->packet_type = 0;
    return frame;
}

struct rte_mbuf *frame_tag_aside(struct rte_mbuf *frame)
{
    uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *);

    frame->vlan_tci = (uint16_t)(bytes[14] << 8 | bytes[15]);
    frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
    memmove(bytes + 4, bytes, 12);
    rte_pktmbuf_adj(frame, 4);
    if (frame->l2_len)
        frame->l2_len -= 4;
    frame->packet_type = 0;
    return frame;
}

static uint32_t bytes_copy(const struct rte_mbuf *frame, uint8_t *bytes, uint32_t size)
{
    uint32_t done = 0;

    for (const struct rte_mbuf *seg = frame; seg; seg = seg->next) {
        uint32_t part = RTE_MIN((uint32_t)seg->data_len, size - done);

        memcpy(bytes + done, rte_pktmbuf_mtod(seg, const char *), part);
        done += part;
    }
    return done;
}

uint32_t frame_bytes(const struct rte_mbuf *frame, uint8_t *bytes, uint32_t size)
{
    uint32_t len = bytes_copy(frame, bytes, size);
    const uint8_t tag[] = { 0x81, 0, (uint8_t)(frame->vlan_tci >> 8), (uint8_t)frame->vlan_tci };

    if (!(frame->ol_flags & RTE_MBUF_F_TX_VLAN) || len < 12 || size < sizeof(tag) + 12)
        return len;
    len = RTE_MIN(len, size - (uint32_t)sizeof(tag));
    memmove(bytes + 12 + sizeof(tag), bytes + 12, len - 12);
    memcpy(bytes + 12, tag, sizeof(tag));
    return len + (uint32_t)sizeof(tag);
}

/* What the checksum of a header that has its checksum already must be. */
static bool l4_is_right(uint16_t again)
{
    return again == 0 || again == 0xffff;
}

bool frame_is_valid_l4(const struct rte_mbuf *frame)
{
    static uint8_t bytes[80000];
    uint32_t len = frame_bytes(frame, bytes, sizeof(bytes)), l2 = 14;
    struct rte_ipv4_hdr ip4;
    struct rte_ipv6_hdr *ip6;
    uint8_t *l3;

    while (l2 < len && (bytes[l2 - 2] == 0x81 || bytes[l2 - 2] == 0x88))
        l2 += 4;
    l3 = memmove(bytes, bytes + l2, len - l2); /* aligned */
    if (len != frame->pkt_len + (frame->ol_flags & RTE_MBUF_F_TX_VLAN ? 4 : 0))
        return false;
    len -= l2;
    ip6 = (void *)l3;
    if (l3[0] >> 4 == 6)
        return rte_be_to_cpu_16(ip6->payload_len) == len - 40 &&
               l4_is_right(rte_ipv6_udptcp_cksum(ip6, ip6 + 1));
    memcpy(&ip4, l3, sizeof(ip4));
    return rte_be_to_cpu_16(ip4.total_length) == len &&
           rte_raw_cksum(&ip4, sizeof(ip4)) == 0xffff &&
           l4_is_right(rte_ipv4_udptcp_cksum((void *)l3, l3 + sizeof(ip4)));
}
