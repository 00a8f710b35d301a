/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation and tracking: frames of guests and from outside, in any order, with restarts between. A
 * frame keeps its length; what is translated is of the address it should be; no frame is lost.
 *
 * The input is a list of steps: a byte that says what to do, one where the first segment ends, a length,
 * and the frame. A step may send the last frame that was translated back to where it came from, as a
 * whole or embedded in an ICMP error.
 */
#include <netinet/in.h>

#include <rte_ip.h>

#include "fuzz_mbuf.h"
#include "net/frame.h"
#include "net/nat.h"

#define SECOND 1000000000ull
#define OUR_ADDRESS RTE_BE32(0xcb007101)
#define GUESTS 4 /* the last one is tracked only */
#define LONGEST 400

static uint64_t now;
static uint8_t echo[LONGEST + 64]; /* what was translated last, with its ends swapped */
static size_t echo_len;

static void join(void)
{
    for (uint8_t guest = 0; guest < GUESTS; guest++) {
        bool is_tracked = guest == GUESTS - 1;

        FUZZ_CHECK(nat_guest_add(guest, guest + 1, is_tracked ? NAT_NO_OUTSIDE : 0) == 0);
        nat_guest_address_set(guest, rte_cpu_to_be_32(0x0a000001u + guest));
    }
    nat_outside_set(0, OUR_ADDRESS, now);
    FUZZ_CHECK(nat_forward_add(0, IPPROTO_TCP, 80, RTE_BE32(0x0a000001), 8080) == 0);
    FUZZ_CHECK(nat_forward_add(0, IPPROTO_UDP, 53, RTE_BE32(0x0a000002), 53) == 0);
}

static rte_be32_t address_at(const struct rte_mbuf *frame, uint32_t offset)
{
    rte_be32_t address;

    memcpy(&address, (const uint8_t *)frame_l3_at(frame) + offset, sizeof(address));
    return address;
}

/*
 * By how much the checksums of the IP header and of TCP or UDP are off: both 0 where they are right, and
 * the same after translation. The latter of frames in one piece, with a finished checksum.
 */
static uint32_t wrongness(const struct rte_mbuf *frame)
{
    const uint8_t *ip = frame_l3_at(frame), *l4 = frame_l4_at(frame);
    uint32_t l4_len = ((uint32_t)ip[2] << 8 | ip[3]) - frame->l3_len;
    uint32_t header = rte_raw_cksum(ip, frame->l3_len) % 0xffff, sum;
    bool is_udp = frame_l4(frame) == RTE_PTYPE_L4_UDP;

    if ((!is_udp && frame_l4(frame) != RTE_PTYPE_L4_TCP) || frame->nb_segs > 1 ||
        (is_udp && l4[6] == 0 && l4[7] == 0) || (frame->ol_flags & RTE_MBUF_F_TX_L4_MASK))
        return header;
    sum = rte_raw_cksum(l4, l4_len) + rte_raw_cksum(ip + 12, 8);
    return header << 16 | sum % 0xffff;
}

/* What a reply to the frame would be, or an error about it. */
static void echo_note(const struct rte_mbuf *frame)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
    uint8_t ends[8];

    echo_len = RTE_MIN((size_t)frame->data_len, (size_t)LONGEST);
    memcpy(echo, bytes, echo_len);
    if (!frame_is_ipv4(frame) || frame->l2_len + 24u > echo_len)
        return;
    memcpy(ends, echo + frame->l2_len + 12, 8);
    memcpy(echo + frame->l2_len + 12, ends + 4, 4);
    memcpy(echo + frame->l2_len + 16, ends, 4);
    if (frame->l2_len + frame->l3_len + 4u > echo_len || frame_l4(frame) == RTE_PTYPE_L4_ICMP)
        return;
    memcpy(ends, echo + frame->l2_len + frame->l3_len, 4);
    memcpy(echo + frame->l2_len + frame->l3_len, ends + 2, 2);
    memcpy(echo + frame->l2_len + frame->l3_len + 2, ends, 2);
}

/* The last frame in an ICMP error that goes the other way; its checksum is right. */
static size_t error_make(uint8_t *bytes)
{
    size_t part = echo_len > 14 ? RTE_MIN(echo_len - 14, (size_t)100) : 0;
    uint16_t checksum;

    memset(bytes, 0, 42);
    bytes[12] = 0x08;
    bytes[14] = 0x45;
    bytes[17] = (uint8_t)(28 + part);
    bytes[23] = IPPROTO_ICMP;
    if (part >= 20)
        memcpy(bytes + 26, echo + 14 + 12, 8);
    bytes[34] = 3;
    memcpy(bytes + 42, echo + 14, part);
    if (part >= 24) {
        /* As it was before its ends were swapped. */
        memcpy(bytes + 42 + 12, echo + 14 + 16, 4);
        memcpy(bytes + 42 + 16, echo + 14 + 12, 4);
        memcpy(bytes + 42 + 20, echo + 14 + 22, 2);
        memcpy(bytes + 42 + 22, echo + 14 + 20, 2);
    }
    checksum = ~rte_raw_cksum(bytes + 34, 8 + part);
    memcpy(bytes + 36, &checksum, 2);
    return 42 + part;
}

static void drain(void)
{
    struct rte_mbuf *frame;

    while ((frame = nat_released()))
        rte_pktmbuf_free(frame);
}

static void send_out(uint8_t guest, struct rte_mbuf *frame)
{
    uint32_t len = frame->pkt_len, wrong = wrongness(frame);
    uint8_t to = NAT_NO_GUEST;
    enum nat_verdict verdict = nat_out(guest, frame, now, &to);

    if (verdict == NAT_HELD)
        return;
    FUZZ_CHECK(frame->pkt_len == len);
    FUZZ_CHECK((verdict == NAT_TURNED) == (to != NAT_NO_GUEST));
    FUZZ_CHECK(guest < GUESTS - 1 || verdict == NAT_DROP);
    if (verdict == NAT_OK || verdict == NAT_TURNED) {
        FUZZ_CHECK(address_at(frame, 12) == OUR_ADDRESS);
        FUZZ_CHECK(wrongness(frame) == wrong);
        echo_note(frame);
    }
    rte_pktmbuf_free(frame);
    drain();
}

static void send_in(struct rte_mbuf *frame)
{
    uint32_t len = frame->pkt_len, wrong = frame_is_ipv4(frame) ? wrongness(frame) : 0;
    uint8_t to = NAT_NO_GUEST;
    enum nat_verdict verdict = nat_in(0, frame, now, &to);

    FUZZ_CHECK((verdict == NAT_OK) == (to != NAT_NO_GUEST));
    if (verdict == NAT_HELD)
        return;
    FUZZ_CHECK(verdict != NAT_TURNED && frame->pkt_len == len);
    if (verdict == NAT_OK) {
        FUZZ_CHECK(to < GUESTS - 1);
        FUZZ_CHECK(wrongness(frame) == wrong);
        echo_note(frame);
    }
    rte_pktmbuf_free(frame);
    drain();
}

static void track(uint8_t guest, struct rte_mbuf *frame, bool from_guest)
{
    int verdict = nat_track(guest, frame, from_guest, now);

    if (verdict == NAT_TRACK_HELD)
        return;
    drain();
    if (verdict == NAT_TRACK_NEW)
        (void)nat_track_open(guest, frame, from_guest, now);
    echo_note(frame);
    rte_pktmbuf_free(frame);
    drain();
}

static void handle(uint8_t what, struct rte_mbuf *frame)
{
    uint8_t guest = what >> 2 & 3;

    if (frame_parse(frame) == 0) {
        rte_pktmbuf_free(frame);
        return;
    }
    if ((what & 0x40) && frame_l4(frame) == RTE_PTYPE_L4_TCP)
        frame->ol_flags |= RTE_MBUF_F_TX_TCP_CKSUM;
    if ((what & 0x40) && frame_l4(frame) == RTE_PTYPE_L4_UDP)
        frame->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
    switch (what & 3) {
    case 0:
    case 1:
        if (frame_is_ipv4(frame) && !(what & 1))
            send_out(guest, frame);
        else
            send_in(frame);
        break;
    default:
        track(guest, frame, what & 1);
    }
}

/* Time goes on, guests come and go, the kernel restarts. */
static void happen(struct fuzz_input *input, uint32_t *seed)
{
    uint8_t what = fuzz_u8(input), guest = what >> 4 & 3;

    switch (what & 7) {
    case 0:
        /* Frames that wait are lost with the kernel, and the pool gets them back by other means. */
        now += 3 * SECOND;
        nat_tick(now);
        (void)nat_resume(++*seed);
        join();
        break;
    case 1:
        nat_guest_remove(guest);
        (void)nat_guest_add(guest, guest + 1u, guest == GUESTS - 1 ? NAT_NO_OUTSIDE : 0);
        break;
    case 2:
        nat_outside_set(0, 0, now);
        nat_outside_set(0, OUR_ADDRESS + (what >> 7), now);
        nat_outside_set(0, OUR_ADDRESS, now);
        break;
    default:
        now += (1ull << (what >> 3)) * SECOND / 1024;
        FUZZ_CHECK(nat_tick(now) > now || nat_guest_flows(0) + nat_guest_flows(1) > 256);
    }
}

static void step(struct fuzz_input *input, uint32_t *seed)
{
    uint8_t what = fuzz_u8(input), first = fuzz_u8(input), bytes[LONGEST + 64];
    const uint8_t *at = bytes;
    size_t len;

    if (what == 0xff) {
        happen(input, seed);
        return;
    }
    switch (what >> 4 & 3) {
    case 2:
        len = error_make(bytes);
        break;
    case 3:
        len = echo_len;
        memcpy(bytes, echo, len);
        break;
    default:
        len = fuzz_take(input, fuzz_u8(input), &at);
    }
    if (len > 0)
        handle(what, fuzz_pool_frame(at, len, first ? first : len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    uint32_t seed = 1;

    (void)fuzz_pool();
    now = 1000 * SECOND;
    echo_len = 0;
    nat_init(seed);
    join();
    while (input.left > 0)
        step(&input, &seed);
    nat_tick(now + 3 * SECOND);
    FUZZ_CHECK(fuzz_pool_in_use() == 0);
    return 0;
}
