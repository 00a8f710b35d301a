/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash that steers frames: known values, types, and the bounds of what a frontend may set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netinet/in.h>

#include <cmocka.h>

#include <rte_ip.h>

#include "fixture_net.h"
#include "net/frame.h"
#include "vif/hash.h"

#define OK XEN_NETIF_CTRL_STATUS_SUCCESS
#define INVALID XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
#define TOEPLITZ XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ
#define V4 XEN_NETIF_CTRL_HASH_TYPE_IPV4
#define V4_TCP XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP
#define V6 XEN_NETIF_CTRL_HASH_TYPE_IPV6
#define V6_TCP XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static struct vif_hash hash;

/* The key and the values of Microsoft's "Verifying the RSS Hash Calculation". */
static const uint8_t key[HASH_KEY_MAX] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static int setup(void **state)
{
    (void)state;
    hash_reset(&hash);
    if (hash_algorithm_set(&hash, TOEPLITZ) != OK || hash_flags_set(&hash, HASH_FLAGS_ALL) != OK)
        return -1;
    hash_key_set(&hash, key, sizeof(key));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return fixture_in_use() ? -1 : 0;
}

static struct rte_mbuf *frame_v4(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 10, 0);
    struct rte_ipv4_hdr *ip;
    uint16_t *ports;

    (void)frame_parse(frame);
    ip = frame_l3_at(frame);
    ports = frame_l4_at(frame);
    ip->src_addr = rte_cpu_to_be_32(src);
    ip->dst_addr = rte_cpu_to_be_32(dst);
    ports[0] = rte_cpu_to_be_16(sport);
    ports[1] = rte_cpu_to_be_16(dport);
    return frame;
}

static struct rte_mbuf *frame_v6(const uint8_t *src, uint16_t sport, const uint8_t *dst,
                                 uint16_t dport)
{
    struct rte_mbuf *frame = frame_make_l4(true, IPPROTO_TCP, 10, 0);
    struct rte_ipv6_hdr *ip;
    uint16_t *ports;

    (void)frame_parse(frame);
    ip = frame_l3_at(frame);
    ports = frame_l4_at(frame);
    memcpy(ip->src_addr, src, 16);
    memcpy(ip->dst_addr, dst, 16);
    ports[0] = rte_cpu_to_be_16(sport);
    ports[1] = rte_cpu_to_be_16(dport);
    return frame;
}

static void assert_hash(struct rte_mbuf *frame, uint32_t type, uint32_t expected)
{
    uint32_t value = 0;

    assert_int_equal(hash_frame(&hash, frame, &value), type);
    assert_int_equal(hash_frame_type(&hash, frame), type);
    assert_int_equal(value, expected);
    rte_pktmbuf_free(frame);
}

static void known_values_of_ipv4(void **state)
{
    static const struct {
        uint32_t dst, src;
        uint16_t dport, sport;
        uint32_t ip, tcp;
    } rows[] = {
        { IP(161, 142, 100, 80), IP(66, 9, 149, 187), 1766, 2794, 0x323e8fc2, 0x51ccc178 },
        { IP(65, 69, 140, 83), IP(199, 92, 111, 2), 4739, 14230, 0xd718262a, 0xc626b0ea },
        { IP(12, 22, 207, 184), IP(24, 19, 198, 95), 38024, 12898, 0xd2d0a5de, 0x5c2b394a },
        { IP(209, 142, 163, 6), IP(38, 27, 205, 30), 2217, 48228, 0x82989176, 0xafc7327f },
        { IP(202, 188, 127, 2), IP(153, 39, 163, 191), 1303, 44251, 0x5d1809c5, 0x10e828a2 },
    };

    (void)state;
    for (unsigned int i = 0; i < RTE_DIM(rows); i++) {
        assert_int_equal(hash_flags_set(&hash, HASH_FLAGS_ALL), OK);
        assert_hash(frame_v4(rows[i].src, rows[i].sport, rows[i].dst, rows[i].dport), V4_TCP,
                    rows[i].tcp);
        assert_int_equal(hash_flags_set(&hash, V4), OK);
        assert_hash(frame_v4(rows[i].src, rows[i].sport, rows[i].dst, rows[i].dport), V4,
                    rows[i].ip);
    }
}

static void known_values_of_ipv6(void **state)
{
    static const uint8_t src[16] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff,
                                     0,    0,    0,    0,    0,    0,    0,    7 };
    static const uint8_t dst[16] = { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03,
                                     0,    0,    0,    0,    0,    0,    0,    1 };

    (void)state;
    assert_hash(frame_v6(src, 2794, dst, 1766), V6_TCP, 0x40207d3d);
    assert_int_equal(hash_flags_set(&hash, V6), OK);
    assert_hash(frame_v6(src, 2794, dst, 1766), V6, 0x2cc18cd5);
}

static void known_value_behind_a_tag(void **state)
{
    (void)state;
    assert_hash(
        frame_tag(frame_v4(IP(66, 9, 149, 187), 2794, IP(161, 142, 100, 80), 1766), 0x8100, 10),
        V4_TCP, 0x51ccc178);
}

static void frames_without_a_hash(void **state)
{
    struct rte_mbuf *udp = frame_make_l4(false, IPPROTO_UDP, 10, 0);
    struct rte_mbuf *other = frame_make(station(1), station(2), 60);
    struct rte_mbuf *runt = frame_make(station(1), station(2), 14);

    (void)state;
    assert_int_equal(hash_frame_type(&hash, udp), V4);
    assert_int_equal(hash_flags_set(&hash, V4_TCP | V6), OK);
    assert_int_equal(hash_frame_type(&hash, udp), 0);
    assert_int_equal(hash_frame_type(&hash, other), 0);
    assert_int_equal(hash_frame_type(&hash, runt), 0);
    assert_int_equal(hash_queue(&hash, other, 4), 0);
    assert_int_equal(hash_flags_set(&hash, 0), OK);
    assert_true(hash_queue(&hash, udp, 4) < 4);
    hash_reset(&hash);
    assert_int_equal(hash_queue(&hash, runt, 4), 0);
    rte_pktmbuf_free(udp);
    rte_pktmbuf_free(other);
    rte_pktmbuf_free(runt);
}

/* Without a table by division, with one by the table. */
static void queue_is_the_mapped_one(void **state)
{
    struct rte_mbuf *frame = frame_v4(IP(66, 9, 149, 187), 2794, IP(161, 142, 100, 80), 1766);
    uint32_t queues[HASH_MAPPING_MAX] = { 0 };

    (void)state;
    for (unsigned int nr = 1; nr <= 4; nr++)
        assert_int_equal(hash_queue(&hash, frame, nr), 0x51ccc178u % nr);
    assert_int_equal(hash_mapping_size_set(&hash, HASH_MAPPING_MAX), OK);
    assert_int_equal(hash_queue(&hash, frame, 4), 0); /* a new table is all zero */
    queues[0] = 3;
    assert_int_equal(hash_mapping_set(&hash, queues, 1, 0x51ccc178u % HASH_MAPPING_MAX, 4), OK);
    assert_int_equal(hash_queue(&hash, frame, 4), 3);
    assert_int_equal(hash_mapping_size_set(&hash, 100), OK);
    assert_int_equal(hash_mapping_set(&hash, queues, 1, 0x51ccc178u % 100, 4), OK);
    assert_int_equal(hash_queue(&hash, frame, 4), 3);
    assert_int_equal(hash_queue(&hash, frame, 2), 1); /* never one that is not there */
    rte_pktmbuf_free(frame);
}

static void key_of_fewer_bytes_is_filled_with_zeros(void **state)
{
    (void)state;
    hash_key_set(&hash, key, 0);
    assert_hash(frame_v4(1, 2, 3, 4), V4_TCP, 0);
    assert_int_equal(hash_key_check(HASH_KEY_MAX), OK);
    assert_int_equal(hash_key_check(HASH_KEY_MAX + 1), XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW);
    assert_int_equal(hash_key_check(UINT32_MAX), XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW);
}

static void algorithm_goes_first(void **state)
{
    uint32_t flags = 77;

    (void)state;
    hash_reset(&hash);
    assert_int_equal(hash_flags_get(&hash, &flags), XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED);
    assert_int_equal(hash_flags_set(&hash, V4), INVALID);
    assert_int_equal(hash_algorithm_set(&hash, 2), INVALID);
    assert_int_equal(hash_algorithm_set(&hash, UINT32_MAX), INVALID);
    assert_int_equal(hash.algorithm, 0);
    assert_int_equal(hash_algorithm_set(&hash, TOEPLITZ), OK);
    assert_int_equal(hash_flags_get(&hash, &flags), OK);
    assert_int_equal(flags, V4 | V4_TCP | V6 | V6_TCP);
    assert_int_equal(hash_flags_set(&hash, 16), INVALID);
    assert_int_equal(hash_flags_set(&hash, UINT32_MAX), INVALID);
    assert_int_equal(hash.flags, 0);
}

static void mapping_has_bounds(void **state)
{
    static const struct {
        uint32_t nr, offset, status;
    } rows[] = {
        { 64, 0, OK },
        { 0, 64, OK },
        { 1, 63, OK },
        { 65, 0, INVALID },
        { 1, 64, INVALID },
        { 64, 1, INVALID },
        { 1, UINT32_MAX, INVALID },
        { 2, UINT32_MAX, INVALID },
        { 64, UINT32_MAX - 63, INVALID },
        { HASH_MAPPING_MAX + 1, 0, XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW },
        { UINT32_MAX, 1, XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW },
    };
    uint32_t queues[3] = { 1, 2, 4 };

    (void)state;
    assert_int_equal(hash_mapping_size_set(&hash, HASH_MAPPING_MAX + 1), INVALID);
    assert_int_equal(hash_mapping_size_set(&hash, UINT32_MAX), INVALID);
    assert_int_equal(hash_mapping_check(&hash, 1, 0), INVALID); /* there is none */
    assert_int_equal(hash_mapping_size_set(&hash, 64), OK);
    for (unsigned int i = 0; i < RTE_DIM(rows); i++)
        assert_int_equal(hash_mapping_check(&hash, rows[i].nr, rows[i].offset), rows[i].status);
    assert_int_equal(hash_mapping_set(&hash, queues, 3, 0, 4), INVALID);
    assert_int_equal(hash.mapping[0], 0); /* all or nothing */
    assert_int_equal(hash_mapping_set(&hash, queues, 2, 62, 4), OK);
    assert_int_equal(hash.mapping[63], 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(known_values_of_ipv4),     TEST(known_values_of_ipv6),
        TEST(known_value_behind_a_tag), TEST(frames_without_a_hash),
        TEST(queue_is_the_mapped_one),  TEST(key_of_fewer_bytes_is_filled_with_zeros),
        TEST(algorithm_goes_first),     TEST(mapping_has_bounds),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
