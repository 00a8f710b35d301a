/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest transmit: checksums and cutting that the guest left to us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "fixture_vif_tx.h"
#include "vif/device.h"
#include "xen/gnttab.h"

static uint32_t l4_frame(bool v6, uint8_t protocol, uint32_t payload)
{
    struct rte_mbuf *frame = frame_make_l4(v6, protocol, payload, 0);
    uint32_t len = frame_bytes(frame, bytes, sizeof(bytes));

    rte_pktmbuf_free(frame);
    return len;
}

static void blank_checksum_is_described(void **state)
{
    struct rte_mbuf *frame;
    uint32_t len = l4_frame(false, IPPROTO_UDP, 100);

    (void)state;
    tx_send(&guest, bytes, len, 4096, NETTXF_csum_blank | NETTXF_data_validated, 0);
    loop_turn();
    assert_frame(0, len);
    frame = fake_host.frames[0];
    assert_true(frame->ol_flags == (RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM));
    assert_int_equal(frame->l2_len, 14);
    assert_int_equal(frame->l3_len, 20);
    len = l4_frame(true, IPPROTO_TCP, 100);
    tx_send(&guest, bytes, len, 4096, NETTXF_csum_blank, 0);
    loop_turn();
    frame = fake_host.frames[1];
    assert_true(frame->ol_flags == (RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM));
    assert_int_equal(frame->l3_len, 40);
    assert_int_equal(frame->l4_len, 20);
}

static void validated_checksum_is_described(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 60, 4096, NETTXF_data_validated, 0);
    loop_turn();
    assert_true(fake_host.frames[0]->ol_flags == RTE_MBUF_F_RX_L4_CKSUM_GOOD);
}

static void blank_checksum_of_nonsense_is_refused(void **state)
{
    (void)state;
    tx_send(&guest, bytes, 60, 4096, NETTXF_csum_blank, 0);
    assert_refused(1);
}

/* It would be part of what hardware sums up, or of the length that goes into the sum. */
static void nothing_follows_a_packet_with_a_blank_checksum(void **state)
{
    (void)state;
    for (unsigned int v6 = 0; v6 < 2; v6++) {
        uint32_t len = l4_frame(v6, v6 ? IPPROTO_TCP : IPPROTO_UDP, 1);

        memset(bytes + len, 0xa5, 10000);
        tx_send(&guest, bytes, len + 10000, 4096, NETTXF_csum_blank | NETTXF_data_validated, 0);
        loop_turn();
        assert_frame(2 * v6, len);
        tx_send(&guest, bytes, len + 1, 4096, 0, 0);
        loop_turn();
        assert_frame(2 * v6 + 1, len + 1);
    }
}

static void gso_frame_is_described(void **state)
{
    struct rte_mbuf *frame;
    uint32_t len = l4_frame(false, IPPROTO_TCP, 60000);

    (void)state;
    tx_send(&guest, bytes, len, 4096, NETTXF_csum_blank | NETTXF_data_validated, 1448);
    loop_turn();
    assert_frame(0, len);
    frame = fake_host.frames[0];
    assert_true(frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
    assert_int_equal(frame->tso_segsz, 1448);
    assert_int_equal(frame->l4_len, 20);
    assert_responses(1, NETIF_RSP_OKAY);
    assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
}

static void gso_frame_over_ipv6_is_described(void **state)
{
    struct rte_mbuf *frame;
    uint32_t len = l4_frame(true, IPPROTO_TCP, 60000);

    (void)state;
    tx_send(&guest, bytes, len, 4096, NETTXF_csum_blank | NETTXF_data_validated, 1428);
    loop_turn();
    assert_frame(0, len);
    frame = fake_host.frames[0];
    assert_true(frame->ol_flags ==
                (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV6));
    assert_int_equal(frame->tso_segsz, 1428);
    assert_int_equal(frame->l3_len, 40);
    assert_int_equal(frame->l4_len, 20);
}

static void gso_without_blank_checksum_gets_its_pseudo_sum(void **state)
{
    (void)state;
    for (unsigned int v6 = 0; v6 < 2; v6++) {
        uint32_t len = l4_frame(v6, IPPROTO_TCP, 5000), at = v6 ? 70 : 50;
        uint16_t sum;

        memcpy(&sum, bytes + at, 2);
        memset(bytes + at, 0xab, 2);
        tx_send(&guest, bytes, len, 4096, 0, 1428);
        loop_turn();
        memcpy(bytes + at, &sum, 2);
        assert_frame(v6, len);
    }
}

static void gso_no_longer_than_a_segment_is_not_cut(void **state)
{
    uint32_t len = l4_frame(false, IPPROTO_TCP, 1000);

    (void)state;
    tx_send(&guest, bytes, len, 4096, NETTXF_csum_blank, 1000);
    loop_turn();
    assert_false(fake_host.frames[0]->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
}

/* GSO types and sizes that must cost the packet. */
static void gso_of_bad_size_or_type_is_refused(void **state)
{
    static const uint16_t rows[][2] = { { 1, 0 },    { 2, 0 },    { 0, 0 },
                                        { 0, 1448 }, { 3, 1448 }, { 255, 1448 } };

    (void)state;
    memcpy(guest.tx_pages, bytes, l4_frame(false, IPPROTO_TCP, 3000));
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
        tx_put(&guest, GUEST_TX_REF, 0, 3054, NETTXF_csum_blank | NETTXF_extra_info);
        tx_extra(&guest, XEN_NETIF_EXTRA_TYPE_GSO, 0, (uint8_t)rows[i][0], rows[i][1]);
        tx_push(&guest);
        loop_turn();
        assert_responses(1, NETIF_RSP_ERROR);
        assert_int_equal(tx_response(&guest, NULL), NETIF_RSP_NULL);
    }
    assert_int_equal(fake_host.nr_frames, 0);
}

/* A frame of a page at most, with GSO of a type. */
static void gso_in_one_extra(uint8_t type, uint32_t len, uint16_t size)
{
    memcpy(guest.tx_pages, bytes, len);
    tx_put(&guest, GUEST_TX_REF, 0, (uint16_t)len, NETTXF_csum_blank | NETTXF_extra_info);
    tx_extra(&guest, XEN_NETIF_EXTRA_TYPE_GSO, 0, type, size);
    tx_push(&guest);
    loop_turn();
}

/* The peer may have a small maximum segment size. */
static void gso_of_small_segments_is_cut(void **state)
{
    uint32_t len = l4_frame(false, IPPROTO_TCP, 3 * 768);

    (void)state;
    for (uint16_t size = 3; size <= 88; size += 5) {
        tx_send(&guest, bytes, len, 4096, NETTXF_csum_blank, size);
        loop_turn();
        assert_int_equal(fake_host.nr_frames, 1);
        assert_true(fake_host.frames[0]->ol_flags & RTE_MBUF_F_TX_TCP_SEG);
        assert_int_equal(fake_host.frames[0]->tso_segsz, size);
        fake_host_empty();
    }
    tx_send(&guest, bytes, l4_frame(false, IPPROTO_TCP, 3 * 768 + 1), 4096, NETTXF_csum_blank, 3);
    loop_turn();
    assert_int_equal(fake_host.nr_frames, 0);
    assert_int_equal(vif_port(0)->stats.rx_errors, 1);
}

static void gso_of_udp_is_refused(void **state)
{
    (void)state;
    tx_send(&guest, bytes, l4_frame(false, IPPROTO_UDP, 3000), 4096, NETTXF_csum_blank, 1448);
    tx_send(&guest, bytes, l4_frame(true, IPPROTO_UDP, 3000), 4096, NETTXF_csum_blank, 1448);
    loop_turn();
    assert_int_equal(fake_host.nr_frames, 0);
    assert_int_equal(vif_port(0)->stats.rx_errors, 2);
}

/* A frame of 5000 bytes of payload for several, after the host did something or other with the one before. */
static const struct rte_mbuf *second_of_two(bool cuts)
{
    fake_host.cuts = cuts;
    for (unsigned int i = 0; i < 2; i++) {
        tx_send(&guest, bytes, l4_frame(false, IPPROTO_TCP, 5000), 4096, NETTXF_csum_blank, 1448);
        loop_turn();
    }
    assert_frame(1, 5000 + 54);
    return fake_host.frames[1];
}

static void what_was_cut_lies_as_pieces_the_next_time(void **state)
{
    const struct rte_mbuf *frame = second_of_two(true);

    (void)state;
    assert_int_equal(frame->nb_segs, 4);
    assert_int_equal(frame->data_len, 54 + 1448);
    assert_int_equal(frame->next->data_len, 1448);
    assert_int_equal(frame->next->next->next->data_len, 5000 - 3 * 1448);
    /* Pieces too long for a buffer, and too many of them, lie as they come. */
    tx_send(&guest, bytes, l4_frame(false, IPPROTO_TCP, 6000), 4096, NETTXF_csum_blank, 2000);
    tx_send(&guest, bytes, l4_frame(false, IPPROTO_TCP, 6000), 4096, NETTXF_csum_blank, 100);
    loop_turn();
    for (unsigned int i = 2; i < 4; i++) {
        assert_frame(i, 6000 + 54);
        assert_int_equal(fake_host.frames[i]->data_len, VIF_MBUF_ROOM);
    }
    /* Somebody takes them whole now: the layout is not worth its copies. */
    fake_host.cuts = false;
    for (unsigned int i = 4; i < 6; i++) {
        tx_send(&guest, bytes, l4_frame(false, IPPROTO_TCP, 5000), 4096, NETTXF_csum_blank, 1448);
        loop_turn();
    }
    assert_int_equal(fake_host.frames[5]->data_len, VIF_MBUF_ROOM);
}

static void what_was_not_cut_lies_as_it_comes(void **state)
{
    (void)state;
    assert_int_equal(second_of_two(false)->data_len, VIF_MBUF_ROOM);
}

static void gso_of_the_other_ip_version_is_refused(void **state)
{
    (void)state;
    gso_in_one_extra(XEN_NETIF_GSO_TYPE_TCPV6, l4_frame(false, IPPROTO_TCP, 3000), 1448);
    gso_in_one_extra(XEN_NETIF_GSO_TYPE_TCPV4, l4_frame(true, IPPROTO_TCP, 3000), 1448);
    assert_int_equal(fake_host.nr_frames, 0);
    assert_int_equal(vif_port(0)->stats.rx_errors, 2);
    gso_in_one_extra(XEN_NETIF_GSO_TYPE_TCPV6, l4_frame(true, IPPROTO_TCP, 3000), 1448);
    assert_int_equal(fake_host.nr_frames, 1);
}

/* Cutting would have to look through them for lengths of their own. */
static void gso_behind_ipv6_extension_headers_is_refused(void **state)
{
    static const uint8_t options[8] = { IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0 };
    uint32_t len = l4_frame(true, IPPROTO_TCP, 3000);

    (void)state;
    memmove(bytes + 62, bytes + 54, len - 54);
    memcpy(bytes + 54, options, sizeof(options));
    bytes[20] = IPPROTO_DSTOPTS;
    bytes[18] = (uint8_t)((len - 54 + 8) >> 8);
    bytes[19] = (uint8_t)(len - 54 + 8);
    gso_in_one_extra(XEN_NETIF_GSO_TYPE_TCPV6, len + 8, 1448);
    assert_int_equal(fake_host.nr_frames, 0);
    assert_int_equal(vif_port(0)->stats.rx_errors, 1);
    /* Without, and as one segment, they pass. */
    tx_put(&guest, GUEST_TX_REF, 0, (uint16_t)(len + 8), NETTXF_csum_blank);
    tx_push(&guest);
    loop_turn();
    assert_int_equal(fake_host.nr_frames, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tx_setup, tx_teardown)
    const struct CMUnitTest tests[] = {
        TEST(blank_checksum_is_described),
        TEST(validated_checksum_is_described),
        TEST(blank_checksum_of_nonsense_is_refused),
        TEST(nothing_follows_a_packet_with_a_blank_checksum),
        TEST(gso_frame_is_described),
        TEST(gso_frame_over_ipv6_is_described),
        TEST(gso_without_blank_checksum_gets_its_pseudo_sum),
        TEST(gso_no_longer_than_a_segment_is_not_cut),
        TEST(gso_of_bad_size_or_type_is_refused),
        TEST(gso_of_small_segments_is_cut),
        TEST(what_was_cut_lies_as_pieces_the_next_time),
        TEST(what_was_not_cut_lies_as_it_comes),
        TEST(gso_of_udp_is_refused),
        TEST(gso_of_the_other_ip_version_is_refused),
        TEST(gso_behind_ipv6_extension_headers_is_refused),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
