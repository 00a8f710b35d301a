/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments: RFC 4787 REQ-14. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_nat.h"
#include "fixture_net.h"

/* The piece of a packet of guest 0 (or to it, by answer()) that starts at offset. */
static struct spec piece(uint8_t protocol, uint16_t offset, uint16_t payload, bool more)
{
    struct spec s = udp_from(0, 5000, 53);

    s.protocol = protocol;
    s.flags = protocol == IPPROTO_TCP ? SYN : 0;
    s.type = protocol == IPPROTO_ICMP && offset == 0 ? 8 : 0;
    s.dport = protocol == IPPROTO_ICMP ? 0 : s.dport;
    s.id = 0x1234;
    s.dont_fragment = false;
    s.offset = offset;
    s.payload = payload;
    s.more_fragments = more;
    if (offset > 0)
        s.sport = s.dport = s.flags = 0;
    return s;
}

static struct spec first_piece(void)
{
    return piece(IPPROTO_UDP, 0, 16, true); /* 24 bytes with the header */
}

static struct spec next_piece(void)
{
    return piece(IPPROTO_UDP, 24, 40, false);
}

static struct spec released(void)
{
    struct rte_mbuf *frame = nat_released();
    struct spec s;

    assert_non_null(frame);
    s = spec_of(frame);
    rte_pktmbuf_free(frame);
    return s;
}

static void assert_same_but_source(const struct spec *was, const struct spec *is)
{
    struct spec want = *was;

    want.src = OUR_ADDRESS;
    want.id = is->id; /* another, looked at elsewhere */
    assert_true(spec_is_same(&want, is));
}

static void fragments_in_order_are_translated(void **state)
{
    const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        struct spec a = piece(protocols[i], 0, 24 - (i == 1 ? 4 : 0), true), is;
        struct spec b = piece(protocols[i], i == 1 ? 40 : 32, 8, true);
        struct spec c = piece(protocols[i], i == 1 ? 48 : 40, 3, false);
        uint16_t id;

        is = out(0, &a, NAT_OK);
        assert_same_but_source(&a, &is);
        id = is.id;
        is = out(0, &b, NAT_OK);
        assert_same_but_source(&b, &is);
        assert_int_equal(is.id, id);
        is = out(0, &c, NAT_OK);
        assert_same_but_source(&c, &is);
        assert_int_equal(is.id, id);
        assert_null(nat_released());
    }
    assert_int_equal(nat_guest_stats(0)->out_frames, 9);
}

static void fragments_that_come_in_are_translated(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), a = answer(&sent), b = next_piece(), is;

    (void)state;
    out(0, &sent, NAT_OK);
    a.dst = b.dst = OUR_ADDRESS;
    b.src = REMOTE;
    a.id = b.id;
    a.more_fragments = true;
    a.dont_fragment = false;
    a.payload = 16;
    is = in(&a, NAT_OK);
    assert_int_equal(is.dst, GUEST_ADDRESS(0));
    assert_int_equal(is.dport, 5000);
    assert_int_equal(is.id, a.id);
    last_guest = 9;
    is = in(&b, NAT_OK);
    assert_int_equal(last_guest, 0);
    b.dst = GUEST_ADDRESS(0);
    assert_true(spec_is_same(&b, &is));
}

/* RFC 4787 REQ-14 a: out of order. */
static void fragments_before_the_first_wait_for_it(void **state)
{
    struct spec first = first_piece(), b = next_piece(), c = b, is;
    uint16_t id;

    (void)state;
    b.more_fragments = true;
    c.offset = 64;
    out(0, &c, NAT_HELD);
    out(0, &b, NAT_HELD);
    assert_null(nat_released());
    id = out(0, &first, NAT_OK).id;
    is = released();
    assert_same_but_source(&c, &is);
    assert_int_equal(is.id, id);
    is = released();
    assert_same_but_source(&b, &is);
    assert_int_equal(is.id, id);
    assert_null(nat_released());
    assert_int_equal(fixture_in_use(), 0);
}

static void fragments_that_come_in_wait_too(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), a = answer(&sent), b = next_piece(), is;

    (void)state;
    out(0, &sent, NAT_OK);
    a.dst = b.dst = OUR_ADDRESS;
    b.src = REMOTE;
    a.id = b.id;
    a.more_fragments = true;
    a.dont_fragment = false;
    a.payload = 16;
    in(&b, NAT_HELD);
    in(&a, NAT_OK);
    is = released();
    b.dst = GUEST_ADDRESS(0);
    assert_true(spec_is_same(&b, &is));
}

static void what_waits_for_another_packet_goes_on_waiting(void **state)
{
    struct spec first = first_piece(), b = next_piece(), c;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        c = b;
        c.id += i == 0;
        c.dst += i == 1;
        c.src += i == 2;
        c.protocol = i == 3 ? IPPROTO_TCP : c.protocol;
        out(0, &c, NAT_HELD);
    }
    out(0, &first, NAT_OK);
    assert_null(nat_released());
    assert_int_equal(fixture_in_use(), 4);
}

static void what_waits_too_long_is_dropped(void **state)
{
    struct spec first = first_piece(), b = next_piece();

    (void)state;
    out(0, &b, NAT_HELD);
    now += SECOND;
    b.id++;
    out(0, &b, NAT_HELD);
    assert_true(nat_tick(now) == START + 2 * SECOND);
    assert_int_equal(fixture_in_use(), 2);
    assert_true(nat_tick(START + 2 * SECOND) == START + 3 * SECOND);
    assert_int_equal(fixture_in_use(), 1);
    out(0, &first, NAT_OK);
    assert_null(nat_released());
    nat_tick(START + 3 * SECOND);
    assert_int_equal(fixture_in_use(), 0);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_UNHELD], 2);
}

static void a_guest_has_four_frames_that_wait(void **state)
{
    struct spec b = next_piece(), other = b;

    (void)state;
    for (unsigned int i = 0; i < 4; i++, b.id++)
        out(0, &b, NAT_HELD);
    out(0, &b, NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_UNHELD], 1);
    other.src = GUEST_ADDRESS(1);
    out(1, &other, NAT_HELD);
    other.src = REMOTE;
    other.dst = OUR_ADDRESS;
    for (unsigned int i = 0; i < 16; i++, other.id++)
        in(&other, NAT_HELD);
    in(&other, NAT_DROP);
    assert_int_equal(nat_outside_stats(OUTSIDE)->dropped[NAT_UNHELD], 1);
    assert_int_equal(fixture_in_use(), 21);
}

/* Who sends there the most keeps no other's from waiting. */
static void senders_outside_share_16_frames_that_wait(void **state)
{
    struct spec sent = udp_from(0, 5000, 53), a = answer(&sent), b = next_piece(), c = b, is;

    (void)state;
    out(0, &sent, NAT_OK);
    a.id = b.id;
    a.more_fragments = true;
    a.dont_fragment = false;
    a.payload = 16;
    b.src = REMOTE;
    c.src = REMOTE + 1;
    a.dst = b.dst = c.dst = OUR_ADDRESS;
    for (unsigned int i = 0; i < 16; i++, c.id++)
        in(&c, NAT_HELD);
    in(&b, NAT_HELD);
    assert_int_equal(nat_outside_stats(OUTSIDE)->dropped[NAT_UNHELD], 1);
    in(&c, NAT_DROP);
    assert_int_equal(fixture_in_use(), 16);
    in(&a, NAT_OK);
    is = released();
    b.dst = GUEST_ADDRESS(0);
    assert_true(spec_is_same(&b, &is));
    in(&c, NAT_HELD);
    assert_int_equal(fixture_in_use(), 16);
}

/* The oldest goes; what is fair is left. */
static void of_the_sender_with_most_the_oldest_makes_room(void **state)
{
    struct spec c = next_piece(), d = c;

    (void)state;
    c.dst = d.dst = OUR_ADDRESS;
    c.src = REMOTE + 1;
    d.src = REMOTE + 2;
    for (unsigned int i = 0; i < 16; i++, c.id++, now++)
        in(&c, NAT_HELD);
    for (unsigned int i = 0; i < 8; i++, d.id++)
        in(&d, NAT_HELD);
    in(&d, NAT_DROP);
    in(&c, NAT_DROP);
    /* Of the first sender's the last 8 are there, the first of which came at START + 8. */
    assert_true(nat_tick(START + 2 * SECOND + 7) == START + 2 * SECOND + 8);
    assert_int_equal(fixture_in_use(), 16);
}

static void all_together_have_64_frames_that_wait(void **state)
{
    struct spec b = next_piece();
    unsigned int nr = 0;

    (void)state;
    for (uint8_t guest = 2; guest < 30; guest++)
        assert_int_equal(nat_guest_add(guest, IDENTITY(guest), OUTSIDE), 0);
    for (unsigned int i = 0; i < 30 * 4; i++) {
        b.src = GUEST_ADDRESS(i % 30);
        b.id = (uint16_t)i;
        nr += try_out(i % 30, &b, NULL) == NAT_HELD;
    }
    assert_int_equal(nr, 64);
    assert_int_equal(fixture_in_use(), 64);
    for (uint8_t guest = 0; guest < 30; guest++)
        nat_guest_remove(guest);
    assert_int_equal(fixture_in_use(), 0);
}

/* Of two guests that send the same id to the same place. */
static void packets_of_two_guests_are_not_mixed(void **state)
{
    struct spec a = first_piece(), b = a, c = next_piece(), d = c;
    uint16_t id;

    (void)state;
    b.src = d.src = GUEST_ADDRESS(1);
    b.sport = 6000;
    id = out(0, &a, NAT_OK).id;
    assert_int_not_equal(out(1, &b, NAT_OK).id, id);
    assert_int_equal(out(0, &c, NAT_OK).id, id);
    assert_int_not_equal(out(1, &d, NAT_OK).id, id);
}

/* RFC 1858, 3. */
static void a_first_fragment_that_hides_the_header_is_dropped(void **state)
{
    struct spec a = piece(IPPROTO_TCP, 0, 4, true);

    (void)state;
    for (uint16_t len = 8; len <= 24; len += 8) {
        struct rte_mbuf *frame = spec_frame(&a);

        rte_pktmbuf_trim(frame, 24 - len);
        *rte_pktmbuf_mtod_offset(frame, uint8_t *, 14 + 3) = (uint8_t)(20 + len);
        assert_int_equal(nat_out(0, frame, now, &last_guest), len < 24 ? NAT_DROP : NAT_OK);
        rte_pktmbuf_free(frame);
    }
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_FRAGMENT], 2);
}

/* RFC 3128. */
static void a_fragment_over_the_header_is_dropped(void **state)
{
    struct spec tcp = piece(IPPROTO_TCP, 8, 16, false), first = first_piece(), over = next_piece();

    (void)state;
    out(0, &tcp, NAT_DROP);
    tcp.offset = 16;
    out(0, &tcp, NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_FRAGMENT], 2);
    out(0, &first, NAT_OK);
    over.offset = 16; /* within the first one's payload */
    out(0, &over, NAT_DROP);
    over.offset = 8;
    out(0, &over, NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_FRAGMENT], 4);
}

static void another_first_fragment_is_dropped_the_same_again_is_not(void **state)
{
    struct spec a = first_piece(), other = a;
    uint16_t id;

    (void)state;
    id = out(0, &a, NAT_OK).id;
    assert_int_equal(out(0, &a, NAT_OK).id, id);
    other.sport++;
    out(0, &other, NAT_DROP);
    other = a;
    other.dport++;
    out(0, &other, NAT_DROP);
    other = a;
    other.payload += 8;
    out(0, &other, NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_FRAGMENT], 3);
    assert_int_equal(nat_guest_flows(0), 1);
}

static void lengths_that_cannot_be_are_dropped(void **state)
{
    struct spec odd = first_piece(), late = next_piece();

    (void)state;
    odd.payload++;
    out(0, &odd, NAT_DROP);
    late.offset = 65512;
    late.payload = 24;
    out(0, &late, NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_FRAGMENT], 2);
    late.payload = 23;
    out(0, &late, NAT_HELD);
}

static void a_fragment_with_an_unfinished_checksum_is_dropped(void **state)
{
    struct spec a = first_piece();

    (void)state;
    a.unfinished = true;
    out(0, &a, NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_FRAGMENT], 1);
}

static void an_error_in_fragments_is_dropped(void **state)
{
    struct spec a = piece(IPPROTO_ICMP, 0, 40, true);

    (void)state;
    a.type = 3;
    out(0, &a, NAT_DROP);
    assert_int_equal(nat_guest_stats(0)->dropped[NAT_FRAGMENT], 1);
}

/* A guest forgets its own oldest packet for the ninth, and nobody else's. */
static void a_guest_has_eight_packets_under_way(void **state)
{
    struct spec a = first_piece(), b = next_piece(), others = a, theirs = b;

    (void)state;
    others.src = theirs.src = GUEST_ADDRESS(1);
    out(1, &others, NAT_OK);
    for (unsigned int i = 0; i < 9; i++, now++, a.id++)
        out(0, &a, NAT_OK);
    for (unsigned int i = 1; i < 9; i++) {
        b.id = (uint16_t)(first_piece().id + i);
        out(0, &b, NAT_OK);
    }
    b.id = first_piece().id;
    out(0, &b, NAT_HELD);
    out(1, &theirs, NAT_OK);
}

static void what_was_noted_is_forgotten_after_15_seconds(void **state)
{
    struct spec a = first_piece(), b = next_piece();

    (void)state;
    out(0, &a, NAT_OK);
    now += 15 * SECOND - 1;
    out(0, &b, NAT_OK);
    now += 1;
    out(0, &b, NAT_HELD);
}

static void another_address_ends_what_is_under_way(void **state)
{
    struct spec a = first_piece(), b = next_piece(), c = b;

    (void)state;
    c.src = REMOTE;
    c.dst = OUR_ADDRESS;
    out(0, &a, NAT_OK);
    in(&c, NAT_HELD);
    nat_outside_set(OUTSIDE, rte_cpu_to_be_32(OUR_ADDRESS + 1), now);
    assert_int_equal(fixture_in_use(), 0);
    out(0, &b, NAT_HELD);
}

static void fragments_are_turned_between_guests(void **state)
{
    struct spec a = first_piece(), b = next_piece(), c = b, is;

    (void)state;
    assert_int_equal(
        nat_forward_add(OUTSIDE, IPPROTO_UDP, 53, rte_cpu_to_be_32(GUEST_ADDRESS(1)), 53), 0);
    a.dst = b.dst = c.dst = OUR_ADDRESS;
    b.more_fragments = true;
    c.offset = 64;
    out(0, &c, NAT_HELD);
    is = out(0, &a, NAT_TURNED);
    assert_int_equal(last_guest, 1);
    assert_int_equal(is.dst, GUEST_ADDRESS(1));
    is = released();
    assert_int_equal(is.dst, GUEST_ADDRESS(1));
    assert_int_equal(is.src, OUR_ADDRESS);
    assert_null(nat_released());
    is = out(0, &b, NAT_TURNED);
    assert_int_equal(last_guest, 1);
    assert_int_equal(is.dst, GUEST_ADDRESS(1));
    assert_false(is.wrong_checksum);
}

static void frames_that_nobody_asked_for_are_freed_in_time(void **state)
{
    struct spec first = first_piece(), b = next_piece(), other = udp_from(0, 6000, 53);

    (void)state;
    out(0, &b, NAT_HELD);
    out(0, &first, NAT_OK);
    out(0, &other, NAT_OK);
    assert_null(nat_released());
    nat_tick(now + 2 * SECOND);
    assert_int_equal(fixture_in_use(), 0);
}

static void the_same_address_again_leaves_what_is_under_way(void **state)
{
    struct spec a = first_piece(), b = next_piece(), c = b;

    (void)state;
    c.src = REMOTE;
    c.dst = OUR_ADDRESS;
    out(0, &a, NAT_OK);
    in(&c, NAT_HELD);
    nat_outside_set(OUTSIDE, rte_cpu_to_be_32(OUR_ADDRESS), now);
    assert_int_equal(fixture_in_use(), 1);
    out(0, &b, NAT_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, nat_fixture_start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(fragments_in_order_are_translated),
        TEST(fragments_that_come_in_are_translated),
        TEST(fragments_before_the_first_wait_for_it),
        TEST(fragments_that_come_in_wait_too),
        TEST(what_waits_for_another_packet_goes_on_waiting),
        TEST(what_waits_too_long_is_dropped),
        TEST(a_guest_has_four_frames_that_wait),
        TEST(senders_outside_share_16_frames_that_wait),
        TEST(of_the_sender_with_most_the_oldest_makes_room),
        TEST(all_together_have_64_frames_that_wait),
        TEST(packets_of_two_guests_are_not_mixed),
        TEST(a_first_fragment_that_hides_the_header_is_dropped),
        TEST(a_fragment_over_the_header_is_dropped),
        TEST(another_first_fragment_is_dropped_the_same_again_is_not),
        TEST(lengths_that_cannot_be_are_dropped),
        TEST(a_fragment_with_an_unfinished_checksum_is_dropped),
        TEST(an_error_in_fragments_is_dropped),
        TEST(a_guest_has_eight_packets_under_way),
        TEST(what_was_noted_is_forgotten_after_15_seconds),
        TEST(another_address_ends_what_is_under_way),
        TEST(fragments_are_turned_between_guests),
        TEST(frames_that_nobody_asked_for_are_freed_in_time),
        TEST(the_same_address_again_leaves_what_is_under_way),
    };

    return cmocka_run_group_tests_name("nat_fragment", tests, fixture_start, NULL);
}
