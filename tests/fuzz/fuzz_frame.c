/* SPDX-License-Identifier: BSD-2-Clause */
/* frame_parse(): what it says about a frame is true of its bytes. */
#include <netinet/in.h>

#include "fuzz_mbuf.h"
#include "net/frame.h"

/* All that was found lies in the first segment, in the order that the metadata says. */
static void lengths_check(const struct rte_mbuf *frame)
{
    uint32_t l3_end = frame->l2_len + frame->l3_len, l4 = frame_l4(frame);
    bool has_ip = frame_is_ipv4(frame) || frame_is_ipv6(frame);

    FUZZ_CHECK(frame->l2_len == 14 || frame->l2_len == 18 || frame->l2_len == 22);
    FUZZ_CHECK(frame_is_tagged(frame) == (frame->l2_len > 14));
    FUZZ_CHECK(l3_end + frame->l4_len <= frame->data_len);
    FUZZ_CHECK(has_ip || (frame->l3_len == 0 && frame->l4_len == 0 && l4 == 0));
    FUZZ_CHECK(!(frame_is_ipv4(frame) && frame->l3_len < 20));
    FUZZ_CHECK(!(frame_is_ipv6(frame) && frame->l3_len < 40));
    FUZZ_CHECK(frame->l3_len <= FRAME_L3_MAX);
}

static void l4_check(const struct rte_mbuf *frame)
{
    bool v6 = frame_is_ipv6(frame);
    const uint8_t *p = frame_l4_at(frame);

    switch (frame_l4(frame)) {
    case RTE_PTYPE_L4_TCP:
        FUZZ_CHECK(frame_protocol(frame) == IPPROTO_TCP);
        FUZZ_CHECK(frame->l4_len >= 20 && frame->l4_len == (p[12] >> 4) * 4u);
        break;
    case RTE_PTYPE_L4_UDP:
        FUZZ_CHECK(frame_protocol(frame) == IPPROTO_UDP && frame->l4_len == 8);
        break;
    case RTE_PTYPE_L4_ICMP:
        FUZZ_CHECK(frame_protocol(frame) == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP));
        FUZZ_CHECK(frame->l4_len == (v6 ? 4 : 8));
        break;
    case RTE_PTYPE_L4_FRAG:
        FUZZ_CHECK(frame->l4_len == 0 && frame_fragment_offset(frame) <= 65528);
        break;
    default:
        FUZZ_CHECK(frame->l4_len == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    size_t first = fuzz_u8(&input) * 2u;
    struct rte_mbuf *frame = fuzz_mbuf_make(input.at, input.left, first ? first : input.left);
    uint32_t type = frame_parse(frame);

    FUZZ_CHECK((type == 0) == (frame->data_len < RTE_ETHER_HDR_LEN));
    if (type) {
        lengths_check(frame);
        l4_check(frame);
        FUZZ_CHECK(!(frame_is_bad_ip(frame) && frame_l4(frame)));
        FUZZ_CHECK(frame_parse(frame) == type);
    }
    fuzz_mbuf_free(frame);
    return 0;
}
