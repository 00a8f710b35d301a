/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of flows over a restart of the kernel. */
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
#include "net/nat_table.h"

static unsigned int restart(void)
{
    memset(&nat_table, 0xee, sizeof(nat_table));
    return nat_resume((uint32_t)rand());
}

static void join(unsigned int guest, unsigned int who)
{
    assert_int_equal(nat_guest_add((uint8_t)guest, IDENTITY(who), OUTSIDE), 0);
    nat_guest_address_set((uint8_t)guest, rte_cpu_to_be_32(GUEST_ADDRESS(who)));
}

static void address(void)
{
    nat_outside_set(OUTSIDE, rte_cpu_to_be_32(OUR_ADDRESS), now);
}

/* Every flow is in one place, and where it should be. */
static void assert_sound(void)
{
    static uint8_t seen[NAT_FLOWS];
    unsigned int nr = 0, pending = 0;

    memset(seen, 0, sizeof(seen));
    for (uint16_t i = nat_table.free; i != NAT_NO_FLOW_INDEX; i = nat_flows[i].inside_next, nr++) {
        assert_int_equal(nat_flows[i].check, 0);
        assert_int_equal(seen[i]++, 0);
    }
    for (unsigned int c = 0; c < NAT_WAITING_CHAINS; c++)
        for (uint16_t i = nat_table.waiting[c]; i != NAT_NO_FLOW_INDEX;
             i = nat_flows[i].inside_next, pending++)
            assert_int_equal(seen[i]++, 0);
    assert_int_equal(pending, nat_table.nr_waiting);
    for (unsigned int g = 0; g < NAT_GUESTS; g++) {
        unsigned int count = 0;

        for (unsigned int c = 0; c < NAT_CLASSES; c++) {
            uint16_t older = NAT_NO_FLOW_INDEX;

            for (uint16_t i = nat_table.guests[g].lists[c].oldest; i != NAT_NO_FLOW_INDEX;
                 i = nat_flows[i].younger) {
                assert_int_equal(seen[i]++, 0);
                assert_int_equal(nat_flows[i].older, older);
                assert_int_equal(nat_flows[i].key.guest, g);
                assert_int_equal(nat_flow_class(&nat_flows[i]), c);
                assert_int_equal(nat_flows[i].check, nat_flow_check(&nat_flows[i]));
                assert_ptr_equal(nat_table_find(&nat_flows[i].key), &nat_flows[i]);
                if (nat_flows[i].outside_address)
                    assert_ptr_equal(nat_table_find_outside(&nat_flows[i]), &nat_flows[i]);
                assert_true(older == NAT_NO_FLOW_INDEX ||
                            nat_flows[older].seen <= nat_flows[i].seen);
                older = i;
                count++;
            }
            assert_int_equal(nat_table.guests[g].lists[c].youngest, older);
        }
        assert_int_equal(nat_table.guests[g].count, count);
        nr += count;
    }
    assert_int_equal(nr + pending, NAT_FLOWS);
}

static void establish(unsigned int guest, uint16_t sport)
{
    struct spec s = tcp_from(guest, sport, 80, SYN), back;

    s = out(guest, &s, NAT_OK);
    back = answer(&s);
    back.flags = SYN | ACK;
    in(&back, NAT_OK);
}

static struct spec segment_in(uint16_t dport)
{
    struct spec s = tcp_from(0, 80, dport, ACK);

    s.src = REMOTE;
    s.dst = OUR_ADDRESS;
    return s;
}

static void a_connection_goes_on_as_soon_as_its_guest_is_there(void **state)
{
    struct spec back = segment_in(5000);

    (void)state;
    establish(0, 5000);
    assert_int_equal(restart(), 1);
    assert_sound();
    address();
    in(&back, NAT_LOCAL);
    join(9, 0); /* at another place */
    assert_int_equal(in(&back, NAT_OK).dst, GUEST_ADDRESS(0));
    assert_int_equal(last_guest, 9);
    assert_sound();
    now += 7439 * SECOND;
    in(&back, NAT_OK);
}

static void it_does_so_with_a_port_of_its_own_choice_too(void **state)
{
    struct spec sent = tcp_from(1, 5000, 80, ACK);
    uint16_t port;

    (void)state;
    establish(0, 5000);
    establish(1, 5000);
    port = out(1, &sent, NAT_OK).sport;
    assert_int_not_equal(port, 5000);
    restart();
    address();
    join(1, 1);
    join(0, 0);
    assert_int_equal(out(1, &sent, NAT_OK).sport, port);
    sent.dst++; /* the same mapping */
    sent.flags = SYN;
    assert_int_equal(out(1, &sent, NAT_OK).sport, port);
    assert_sound();
}

static void the_address_may_be_known_later(void **state)
{
    struct spec back = segment_in(5000), sent = tcp_from(0, 5000, 80, ACK);

    (void)state;
    establish(0, 5000);
    restart();
    join(0, 0);
    out(0, &sent, NAT_DROP);
    address();
    in(&back, NAT_OK);
    out(0, &sent, NAT_OK);
}

static void another_address_ends_what_waits(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        nat_fixture_start(NULL);
        establish(0, 5000);
        establish(0, 5001);
        restart();
        if (i)
            join(0, 0);
        nat_outside_set(OUTSIDE, rte_cpu_to_be_32(OUR_ADDRESS + 1), now);
        if (!i)
            join(0, 0);
        assert_int_equal(nat_guest_flows(0), 0);
        assert_sound();
    }
}

static void another_outside_ends_what_waits(void **state)
{
    (void)state;
    establish(0, 5000);
    restart();
    assert_int_equal(nat_guest_add(0, IDENTITY(0), OUTSIDE + 1), 0);
    assert_int_equal(nat_guest_flows(0), 0);
    assert_sound();
}

static void a_guest_of_another_identity_gets_nothing(void **state)
{
    struct spec back = segment_in(5000);

    (void)state;
    establish(0, 5000);
    restart();
    address();
    join(0, 0 + NAT_WAITING_CHAINS); /* waits in the same chain */
    assert_int_equal(nat_guest_flows(0), 0);
    in(&back, NAT_LOCAL);
    assert_sound();
}

static void a_first_start_knows_nothing(void **state)
{
    (void)state;
    establish(0, 5000);
    nat_fixture_start(NULL);
    assert_int_equal(nat_guest_flows(0), 0);
    assert_int_equal(restart(), 0);
}

static void forwarded_flows_go_on(void **state)
{
    struct spec syn = segment_in(80), sent, stranger = tcp_from(1, 80, 4000, ACK);

    (void)state;
    syn.flags = SYN;
    syn.sport = 4000;
    assert_int_equal(
        nat_forward_add(OUTSIDE, IPPROTO_TCP, 80, rte_cpu_to_be_32(GUEST_ADDRESS(0)), 8080), 0);
    sent = in(&syn, NAT_OK);
    sent = answer(&sent);
    sent.flags = SYN | ACK;
    out(0, &sent, NAT_OK);
    restart();
    address();
    join(0, 0);
    join(1, 1);
    sent.flags = ACK;
    assert_int_equal(out(0, &sent, NAT_OK).sport, 80);
    syn.flags = ACK;
    assert_int_equal(in(&syn, NAT_OK).dport, 8080);
    out(1, &stranger, NAT_DROP);
    assert_sound();
}

static void tracked_flows_go_on(void **state)
{
    struct spec sent = tcp_from(5, 5000, 80, SYN), back = answer(&sent);
    struct rte_mbuf *frame;

    (void)state;
    sent.v6 = back.v6 = true;
    back.flags = SYN | ACK;
    assert_int_equal(nat_guest_add(5, IDENTITY(5), NAT_NO_OUTSIDE), 0);
    frame = spec_frame(&sent);
    assert_int_equal(nat_track_open(5, frame, true, now), 0);
    rte_pktmbuf_free(frame);
    assert_int_equal(restart(), 1);
    assert_int_equal(nat_guest_add(6, IDENTITY(5), NAT_NO_OUTSIDE), 0);
    frame = spec_frame(&back);
    assert_int_equal(nat_track(6, frame, false, now), NAT_TRACK_KNOWN);
    rte_pktmbuf_free(frame);
    assert_sound();
}

static void ages_go_on(void **state)
{
    struct spec a = udp_from(0, 5000, 53), b = udp_from(0, 5001, 53);

    (void)state;
    out(0, &a, NAT_OK);
    now += 200 * SECOND;
    out(0, &b, NAT_OK);
    restart();
    address();
    join(0, 0);
    now += 101 * SECOND;
    nat_tick(now);
    assert_int_equal(nat_guest_flows(0), 1);
    now += 200 * SECOND;
    nat_tick(now);
    assert_int_equal(nat_guest_flows(0), 0);
}

static void the_oldest_goes_first_as_before(void **state)
{
    (void)state;
    srand(7);
    for (unsigned int n = 0; n < 500; n++) {
        struct spec s = udp_from(0, (uint16_t)(5000 + rand() % 200), 53);

        now += 2 * SECOND * (unsigned int)(rand() & 1);
        out(0, &s, NAT_OK);
    }
    for (unsigned int n = 0; n < 50; n++)
        establish(0, (uint16_t)(5000 + n));
    assert_sound();
    restart();
    assert_sound();
    join(0, 0);
    assert_sound();
}

/* Ports that wait are not given to others. */
static void a_port_is_kept_for_who_is_not_there_yet(void **state)
{
    struct spec other = tcp_from(1, 5000, 81, SYN), low = tcp_from(1, 5000, 80, ACK);

    (void)state;
    establish(0, 5000);
    restart();
    address();
    join(1, 1);
    out(1, &low, NAT_DROP);
    assert_int_not_equal(out(1, &other, NAT_OK).sport, 5000);
    join(0, 0);
    assert_int_equal(nat_guest_flows(0), 1);
    assert_sound();
}

static void what_waits_for_more_than_a_minute_ends(void **state)
{
    struct spec other = tcp_from(1, 5000, 80, SYN);

    (void)state;
    establish(0, 5000);
    restart();
    address();
    join(1, 1);
    assert_true(nat_tick(now) == now + 60 * SECOND);
    now += 60 * SECOND - 1;
    nat_tick(now);
    assert_int_equal(nat_table.nr_waiting, 1);
    now += 1;
    nat_tick(now);
    assert_int_equal(nat_table.nr_waiting, 0);
    assert_sound();
    assert_int_equal(out(1, &other, NAT_OK).sport, 5000);
}

/* Who is there first does not push out who is not there yet, but for its own share. */
static void what_waits_is_not_pushed_out(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < NAT_FLOWS; n++) {
        struct spec s = udp_from(0, 5000, 53);

        s.dst += n;
        out(0, &s, NAT_OK);
    }
    assert_int_equal(restart(), NAT_FLOWS);
    address();
    join(1, 1);
    for (unsigned int n = 0; n < 1000; n++) {
        struct spec s = udp_from(1, 6000, 53);

        s.dst += n;
        out(1, &s, NAT_OK);
    }
    assert_sound();
    assert_int_equal(nat_guest_flows(1), NAT_FLOWS / NAT_GUESTS);
    join(0, 0);
    assert_int_equal(nat_guest_flows(0), NAT_FLOWS - NAT_FLOWS / NAT_GUESTS);
    assert_sound();
}

static void a_full_table_comes_back_whole_again_and_again(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < NAT_FLOWS; n++) {
        struct spec s = udp_from(n & 1, (uint16_t)(5000 + n / 5), 53);

        s.dst += n;
        now += SECOND / 100;
        out(n & 1, &s, NAT_OK);
    }
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(restart(), NAT_FLOWS);
        assert_sound();
        address();
        join(1, 1);
        join(0, 0);
        assert_sound();
        assert_int_equal(nat_guest_flows(0), NAT_FLOWS / 2);
        assert_int_equal(nat_guest_flows(1), NAT_FLOWS / 2);
    }
    nat_guest_remove(0);
    nat_guest_remove(1);
    assert_sound();
}

/* Each bit of what the check covers, and of the check itself. */
static void a_damaged_flow_is_dropped(void **state)
{
    struct spec back = segment_in(5000), other = segment_in(5001);

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof(struct nat_flow); bit++) {
        size_t byte = bit / 8;
        bool is_checked = byte < offsetof(struct nat_flow, state) ||
                          (byte >= offsetof(struct nat_flow, identity) &&
                           byte < offsetof(struct nat_flow, inside_next));
        struct nat_key key;
        struct spec sent = tcp_from(0, 5000, 80, ACK);
        struct nat_packet packet;
        struct rte_mbuf *frame;

        if (byte == offsetof(struct nat_flow, key.guest))
            continue; /* not covered, and set anew */
        now = START;
        nat_fixture_start(NULL);
        establish(0, 5000);
        establish(0, 5001);
        frame = spec_frame(&sent);
        assert_int_equal(nat_packet_read(frame, &packet), 0);
        rte_pktmbuf_free(frame);
        key = nat_key_of(&packet, 0, OUTSIDE, true);
        ((uint8_t *)nat_table_find(&key))[byte] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(restart(), is_checked ? 1 : 2);
        address();
        join(0, 0);
        in(&other, NAT_OK);
        if (is_checked)
            in(&back, NAT_LOCAL);
        nat_tick(now + SECOND);
        assert_int_equal(restart(), nat_guest_flows(0) + nat_table.nr_waiting);
    }
}

/* Any time and any state may stand in a flow: it ends too soon, or as late as any other. */
static void damaged_times_and_states_do_no_harm(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 64 + 256; i++) {
        struct nat_flow *flow;

        nat_fixture_start(NULL);
        establish(0, 5000);
        establish(0, 5001);
        flow = &nat_flows[nat_table.guests[0].lists[NAT_TCP_LONG].oldest];
        if (i < 64)
            flow->seen ^= 1ull << i;
        else
            flow->state = (uint8_t)(i - 64);
        assert_int_equal(restart(), 2);
        address();
        join(0, 0);
        if (i >= 64 && nat_state_phase((uint8_t)(i - 64)) >= NAT_PHASES) {
            /* It is known again as what it is by its next segment. */
            establish(0, 5000);
            nat_tick(now + 3600 * SECOND);
            assert_int_equal(nat_guest_flows(0), 2);
        }
        establish(0, 5000);
        establish(0, 5002);
        for (unsigned int n = 0; n < 3; n++)
            nat_tick(now + 8000 * SECOND);
        assert_int_equal(nat_guest_flows(0), 0);
    }
}

static void rubbish_is_no_flow(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int i = 0; i < sizeof(nat_flows); i++)
        ((uint8_t *)nat_flows)[i] = (uint8_t)rand();
    assert_int_equal(restart(), 0);
    assert_sound();
    memset(nat_flows, 0, sizeof(nat_flows));
    assert_int_equal(restart(), 0);
    memset(nat_flows, 0xff, sizeof(nat_flows));
    assert_int_equal(restart(), 0);
    assert_sound();
}

/* As when damage was not seen: two flows want one port. */
static void flows_that_contradict_each_other_do_not_both_return(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 6; i++) {
        struct nat_flow *a, *b;

        nat_fixture_start(NULL);
        establish(0, 5000);
        establish(0, 5001);
        a = &nat_flows[nat_table.guests[0].lists[NAT_TCP_LONG].oldest];
        b = &nat_flows[nat_table.guests[0].lists[NAT_TCP_LONG].youngest];
        if (i == 0)
            b->outside_port = a->outside_port;
        else if (i == 1)
            b->key = a->key;
        else
            *b = *a;
        if (i == 3)
            a->is_forwarded = b->is_forwarded = 1; /* the mapping does not tell */
        if (i == 4) {
            a->is_forwarded = b->is_forwarded = 1;
            b->key.inside_port++;
        }
        if (i == 5)
            a->outside_address = b->outside_address = 0;
        a->check = nat_flow_check(a);
        b->check = nat_flow_check(b);
        restart();
        address();
        join(0, 0);
        assert_int_equal(nat_guest_flows(0), 1);
        assert_sound();
    }
}

/* A long run of everything, with restarts between. */
static void the_table_stays_sound(void **state)
{
    (void)state;
    srand(3);
    for (unsigned int i = 0; i < 20000; i++) {
        unsigned int guest = (unsigned int)rand() & 1, what = (unsigned int)rand() % 1000;
        struct spec s = what & 1
                            ? tcp_from(guest, (uint16_t)(5000 + rand() % 40), 80, (uint8_t)rand())
                            : udp_from(guest, (uint16_t)(5000 + rand() % 40), 53);

        s.dst += (unsigned int)rand() % 40;
        (void)try_out(guest, &s, &s);
        s = answer(&s);
        s.flags = (uint8_t)rand();
        (void)try_in(&s, NULL);
        now += (uint64_t)rand() % SECOND;
        if (what < 3) {
            restart();
            address();
            join(0, 0);
            join(1, 1);
        } else if (what < 5) {
            nat_guest_remove((uint8_t)guest);
            join(guest, guest);
        } else if (what < 100) {
            nat_tick(now);
        }
        if (i % 100 == 0)
            assert_sound();
    }
    assert_sound();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, nat_fixture_start, nat_fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(a_connection_goes_on_as_soon_as_its_guest_is_there),
        TEST(it_does_so_with_a_port_of_its_own_choice_too),
        TEST(the_address_may_be_known_later),
        TEST(another_address_ends_what_waits),
        TEST(another_outside_ends_what_waits),
        TEST(a_guest_of_another_identity_gets_nothing),
        TEST(a_first_start_knows_nothing),
        TEST(forwarded_flows_go_on),
        TEST(tracked_flows_go_on),
        TEST(ages_go_on),
        TEST(the_oldest_goes_first_as_before),
        TEST(a_port_is_kept_for_who_is_not_there_yet),
        TEST(what_waits_for_more_than_a_minute_ends),
        TEST(what_waits_is_not_pushed_out),
        TEST(a_full_table_comes_back_whole_again_and_again),
        TEST(a_damaged_flow_is_dropped),
        TEST(damaged_times_and_states_do_no_harm),
        TEST(rubbish_is_no_flow),
        TEST(flows_that_contradict_each_other_do_not_both_return),
        TEST(the_table_stays_sound),
    };

    return cmocka_run_group_tests_name("nat_resume", tests, fixture_start, NULL);
}
