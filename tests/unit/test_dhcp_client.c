/* SPDX-License-Identifier: BSD-2-Clause */
/* The DHCP client, against a server that this test plays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_dhcp.h"

static void a_lease_is_asked_for_offered_requested_and_used(void **state)
{
    uint32_t xid;

    (void)state;
    assert_in_range(dhcp_client_tick(&client, now), now, now + SECOND / 4);
    until_sent();
    xid = sent.xid;
    assert_int_equal(sent.type, DHCP_DISCOVER);
    assert_int_equal(sent_src, 0);
    assert_int_equal(sent_dst, EVERYBODY);
    assert_memory_equal(&sent.chaddr, &mac, 6);
    assert_int_equal(sent.client_id_len, 7);
    assert_int_equal(sent.client_id[0], 1);
    assert_memory_equal(&sent.client_id[1], &mac, 6);
    assert_int_equal(give_type(DHCP_OFFER), 0);
    assert_int_equal(nr_sent, 2);
    assert_int_equal(sent.type, DHCP_REQUEST);
    assert_int_equal(sent.xid, xid);
    assert_int_equal(sent.requested, OURS);
    assert_int_equal(sent.server, SERVER);
    assert_int_equal(sent_src, 0);
    assert_int_equal(sent_dst, EVERYBODY);
    assert_int_equal(nr_bound, 0);
    assert_int_equal(give_type(DHCP_ACK), 0);
    assert_int_equal(nr_bound, 1);
    assert_int_equal(client.lease.addr, OURS);
    assert_int_equal(client.lease.len, 24);
    assert_int_equal(client.lease.gateway, SERVER);
    assert_int_equal(client.lease.nr_dns, 1);
    assert_int_equal(client.lease.ends, now + 3600 * SECOND);
    assert_int_equal(dhcp_client_tick(&client, now), now + 1800 * SECOND);
}

static void discovers_become_rarer_up_to_a_minute_or_so(void **state)
{
    uint64_t wanted = 2 * SECOND;

    (void)state;
    until_sent();
    for (unsigned int i = 0; i < 12; i++) {
        uint64_t before = now;
        uint32_t xid = sent.xid;

        until_sent();
        assert_int_equal(sent.type, DHCP_DISCOVER);
        assert_int_equal(sent.xid, xid);
        assert_in_range(now - before, wanted * 3 / 4, wanted * 5 / 4);
        assert_in_range(sent.secs, i ? 1 : 0, 65535);
        wanted = wanted < 64 * SECOND ? wanted * 2 : wanted;
    }
}

/* The vector of 16 bytes in the appendix of "SipHash: a fast short-input PRF", reference code. */
static void random_numbers_are_siphashs(void **state)
{
    const uint64_t low = 0x0706050403020100, high = 0x0f0e0d0c0b0a0908;
    const uint64_t key[2] = { low, high };

    (void)state;
    assert_true(random_hash(key, low, high) == 0x3f2acc7f57c29bdb);
}

static void xids_and_waits_differ_between_seeds(void **state)
{
    uint64_t waits[2];
    uint32_t xids[2];

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        now = 1000 * SECOND;
        dhcp_client_start(&client, &client_ops, SLOT, IDENTITY, &mac, 42 + i, now);
        until_sent();
        waits[i] = now;
        xids[i] = sent.xid;
    }
    assert_int_not_equal(xids[0], xids[1]);
    assert_int_not_equal(waits[0], waits[1]);
}

/* One thing is wrong with an otherwise good message. */
static void spoil(struct dhcp_message *m, unsigned int how)
{
    switch (how) {
    case 0:
        m->xid ^= 1;
        break;
    case 1:
        m->chaddr = other_mac;
        break;
    case 2:
        m->op = DHCP_TO_SERVER;
        break;
    case 3:
        m->has &= ~DHCP_HAS_SERVER;
        break;
    case 4:
        m->has &= ~DHCP_HAS_LEASE;
        break;
    case 5:
        m->mask = IP(255, 0, 255, 0);
        break;
    case 6:
        m->mask = IP(254, 0, 0, 0);
        break;
    case 7:
        m->yiaddr = 0;
        break;
    case 8:
        m->yiaddr = IP(127, 0, 0, 1);
        break;
    case 9:
        m->yiaddr = IP(224, 0, 0, 1);
        break;
    case 10:
        m->yiaddr = IP(192, 0, 2, 0);
        break;
    case 11:
        m->yiaddr = IP(192, 0, 2, 255);
        break;
    case 12:
        m->server = IP(255, 255, 255, 255);
        break;
    case 13:
        m->type = DHCP_INFORM;
        break;
    case 14:
        m->mask = 0;
        break;
    }
}
#define SPOILS 15

static void offers_that_are_wrong_are_not_taken(void **state)
{
    (void)state;
    until_sent();
    for (unsigned int how = 0; how < SPOILS; how++) {
        struct dhcp_message offer = reply(DHCP_OFFER);

        spoil(&offer, how);
        assert_int_equal(give(&offer), -EINVAL);
        assert_int_equal(client.state, DHCP_SELECTING);
    }
    assert_int_equal(nr_sent, 1);
    assert_int_equal(give_type(DHCP_OFFER), 0);
}

static void acks_that_are_wrong_are_not_taken(void **state)
{
    struct dhcp_message ack;

    (void)state;
    until_sent();
    assert_int_equal(give_type(DHCP_OFFER), 0);
    for (unsigned int how = 0; how < SPOILS; how++) {
        ack = reply(DHCP_ACK);
        spoil(&ack, how);
        assert_int_equal(give(&ack), -EINVAL);
    }
    ack = reply(DHCP_ACK);
    ack.yiaddr = IP(192, 0, 2, 8); /* not what was offered */
    assert_int_equal(give(&ack), -EINVAL);
    ack = reply(DHCP_ACK);
    ack.server = OTHER_SERVER;
    assert_int_equal(give(&ack), -EINVAL);
    assert_int_equal(nr_bound, 0);
    assert_int_equal(give_type(DHCP_ACK), 0);
    assert_int_equal(nr_bound, 1);
}

static void nothing_is_taken_that_was_not_asked_for(void **state)
{
    (void)state;
    sent.xid = client.xid;
    assert_int_equal(give_type(DHCP_OFFER), -EINVAL); /* nothing was sent yet */
    assert_int_equal(give_type(DHCP_ACK), -EINVAL);
    assert_int_equal(give_type(DHCP_NAK), -EINVAL);
    until_sent();
    assert_int_equal(give_type(DHCP_ACK), -EINVAL); /* nothing was requested yet */
    assert_int_equal(give_type(DHCP_NAK), -EINVAL);
    assert_int_equal(give_type(DHCP_OFFER), 0);
    assert_int_equal(give_type(DHCP_OFFER), -EINVAL); /* one is enough */
    assert_int_equal(give_type(DHCP_ACK), 0);
    assert_int_equal(give_type(DHCP_ACK), -EINVAL); /* again, while bound */
    assert_int_equal(give_type(DHCP_NAK), -EINVAL);
    assert_int_equal(nr_bound, 1);
    assert_int_equal(nr_lost, 0);
}

static void a_request_that_nobody_answers_is_given_up(void **state)
{
    (void)state;
    until_sent();
    assert_int_equal(give_type(DHCP_OFFER), 0);
    for (unsigned int i = 1; i < 4; i++) {
        until_sent();
        assert_int_equal(sent.type, DHCP_REQUEST);
    }
    until_sent();
    assert_int_equal(sent.type, DHCP_DISCOVER);
}

static void a_server_that_refuses_what_it_offered_slows_the_client_down(void **state)
{
    uint64_t begun = now;
    uint32_t xid = 0;

    (void)state;
    for (unsigned int i = 0; i < 10; i++) {
        until_sent();
        assert_int_equal(sent.type, DHCP_DISCOVER);
        assert_int_not_equal(sent.xid, xid);
        xid = sent.xid;
        assert_int_equal(give_type(DHCP_OFFER), 0);
        assert_int_equal(give_type(DHCP_NAK), 0);
    }
    assert_true(now - begun > 240 * SECOND);
    assert_int_equal(nr_lost, 0);
}

static void a_nak_of_another_server_is_not_heeded(void **state)
{
    struct dhcp_message nak;

    (void)state;
    until_sent();
    assert_int_equal(give_type(DHCP_OFFER), 0);
    nak = reply(DHCP_NAK);
    nak.server = OTHER_SERVER;
    assert_int_equal(give(&nak), -EINVAL);
    nak.has = 0;
    assert_int_equal(give(&nak), -EINVAL);
    assert_int_equal(client.state, DHCP_REQUESTING);
}

static void a_lease_is_renewed_with_its_server(void **state)
{
    uint64_t begun = now;

    (void)state;
    lease_bind();
    begun = now;
    until_sent();
    assert_int_equal(now, begun + 1800 * SECOND);
    assert_int_equal(client.state, DHCP_RENEWING);
    assert_int_equal(sent.type, DHCP_REQUEST);
    assert_int_equal(sent.ciaddr, OURS);
    assert_int_equal(sent.has & (DHCP_HAS_REQUESTED | DHCP_HAS_SERVER), 0);
    assert_int_equal(sent_dst, SERVER);
    assert_int_equal(give_type(DHCP_ACK), 0);
    assert_int_equal(nr_bound, 2);
    assert_int_equal(client.lease.ends, now + 3600 * SECOND);
    assert_int_equal(dhcp_client_tick(&client, now), now + 1800 * SECOND);
}

static void without_its_server_any_is_asked_and_in_the_end_the_address_is_lost(void **state)
{
    uint64_t begun;
    unsigned int nr = 0;
    bool is_on_time = false;

    (void)state;
    lease_bind();
    begun = now;
    for (;;) {
        uint64_t before = now;

        until_sent();
        if (sent.type == DHCP_DISCOVER)
            break;
        assert_true(nr++ < 40);
        assert_int_equal(nr_lost, 0);
        assert_true(now == begun + 1800 * SECOND || now == begun + 3150 * SECOND ||
                    now - before >= 60 * SECOND);
        is_on_time |= now == begun + 3150 * SECOND;
        assert_int_equal(sent_dst, now < begun + 3150 * SECOND ? SERVER : EVERYBODY);
        assert_int_equal(sent.ciaddr, OURS);
    }
    assert_true(nr > 5 && is_on_time);
    assert_int_equal(nr_lost, 1);
    assert_int_equal(loss, DHCP_LOSS_ENDED);
    assert_in_range(now, begun + 3600 * SECOND, begun + 3601 * SECOND);
    assert_int_equal(sent_src, 0);
}

static void the_address_is_lost_at_the_end_and_not_before(void **state)
{
    (void)state;
    lease_bind();
    now = client.lease.ends - 1;
    dhcp_client_tick(&client, now);
    assert_int_equal(nr_lost, 0);
    assert_int_equal(dhcp_client_tick(&client, now), now + 1);
    now++;
    dhcp_client_tick(&client, now);
    assert_int_equal(nr_lost, 1);
}

static void another_server_may_take_a_lease_over_when_its_own_is_silent(void **state)
{
    struct dhcp_message ack;

    (void)state;
    lease_bind();
    now = client.lease.t1;
    until_sent();
    ack = reply(DHCP_ACK);
    ack.server = OTHER_SERVER;
    assert_int_equal(give(&ack), -EINVAL);
    now = client.lease.t2;
    until_sent();
    assert_int_equal(client.state, DHCP_REBINDING);
    ack.xid = sent.xid;
    assert_int_equal(give(&ack), 0);
    assert_int_equal(client.lease.server, OTHER_SERVER);
    assert_int_equal(client.state, DHCP_BOUND);
}

static void an_answer_to_an_earlier_request_for_renewal_is_too_late(void **state)
{
    struct dhcp_message ack;

    (void)state;
    lease_bind();
    until_sent();
    ack = reply(DHCP_ACK);
    until_sent();
    assert_int_equal(give(&ack), -EINVAL);
    assert_int_equal(give_type(DHCP_ACK), 0);
    assert_int_equal(client.lease.begins, now);
}

static void a_refused_renewal_ends_the_lease_at_once(void **state)
{
    (void)state;
    lease_bind();
    until_sent();
    assert_int_equal(give_type(DHCP_NAK), 0);
    assert_int_equal(nr_lost, 1);
    assert_int_equal(loss, DHCP_LOSS_REFUSED);
    until_sent();
    assert_int_equal(sent.type, DHCP_DISCOVER);
    assert_int_equal(sent_src, 0);
}

static void a_renewal_may_change_all_but_the_address(void **state)
{
    struct dhcp_message ack;

    (void)state;
    lease_bind();
    until_sent();
    ack = reply(DHCP_ACK);
    ack.yiaddr = IP(192, 0, 2, 8);
    assert_int_equal(give(&ack), -EINVAL);
    ack.yiaddr = OURS;
    ack.router = IP(192, 0, 2, 9);
    ack.lease = 7200;
    assert_int_equal(give(&ack), 0);
    assert_int_equal(client.lease.gateway, IP(192, 0, 2, 9));
    assert_int_equal(client.lease.ends, now + 7200 * SECOND);
}

static void a_new_mac_begins_anew(void **state)
{
    uint32_t xid;
    uint64_t before;

    (void)state;
    for (unsigned int i = 0; i < 5; i++)
        until_sent();
    xid = sent.xid;
    before = now;
    dhcp_client_mac_set(&client, &other_mac, now);
    assert_int_equal(give_type(DHCP_OFFER), -EINVAL); /* to the old one */
    until_sent();
    assert_in_range(now - before, 0, SECOND / 4);
    assert_int_not_equal(sent.xid, xid);
    assert_memory_equal(&sent.chaddr, &other_mac, 6);
}

static void a_link_that_comes_up_is_asked_over_at_once(void **state)
{
    uint64_t before;

    (void)state;
    for (unsigned int i = 0; i < 6; i++)
        until_sent();
    before = now;
    dhcp_client_link_up(&client, now);
    until_sent();
    assert_in_range(now - before, 0, SECOND / 4);
    assert_int_equal(give_type(DHCP_OFFER), 0);
    assert_int_equal(give_type(DHCP_ACK), 0);
    now += 100 * SECOND;
    before = now;
    dhcp_client_link_up(&client, now);
    until_sent();
    assert_int_equal(now, before);
    assert_int_equal(client.state, DHCP_REBOOTING);
    assert_int_equal(sent.requested, OURS);
    assert_int_equal(nr_lost, 0);
}

static void noise_changes_nothing(void **state)
{
    uint8_t noise[600];
    uint32_t x = 7;
    struct dhcp_client before;

    (void)state;
    until_sent();
    before = client;
    for (unsigned int round = 0; round < 2000; round++) {
        for (unsigned int i = 0; i < sizeof(noise); i++)
            noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
        assert_int_equal(dhcp_client_input(&client, noise, round % sizeof(noise), now), -EINVAL);
    }
    assert_memory_equal(&client, &before, sizeof(client));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_lease_is_asked_for_offered_requested_and_used, setup),
        cmocka_unit_test_setup(discovers_become_rarer_up_to_a_minute_or_so, setup),
        cmocka_unit_test_setup(random_numbers_are_siphashs, setup),
        cmocka_unit_test_setup(xids_and_waits_differ_between_seeds, setup),
        cmocka_unit_test_setup(offers_that_are_wrong_are_not_taken, setup),
        cmocka_unit_test_setup(acks_that_are_wrong_are_not_taken, setup),
        cmocka_unit_test_setup(nothing_is_taken_that_was_not_asked_for, setup),
        cmocka_unit_test_setup(a_request_that_nobody_answers_is_given_up, setup),
        cmocka_unit_test_setup(a_server_that_refuses_what_it_offered_slows_the_client_down, setup),
        cmocka_unit_test_setup(a_nak_of_another_server_is_not_heeded, setup),
        cmocka_unit_test_setup(a_lease_is_renewed_with_its_server, setup),
        cmocka_unit_test_setup(without_its_server_any_is_asked_and_in_the_end_the_address_is_lost,
                               setup),
        cmocka_unit_test_setup(the_address_is_lost_at_the_end_and_not_before, setup),
        cmocka_unit_test_setup(another_server_may_take_a_lease_over_when_its_own_is_silent, setup),
        cmocka_unit_test_setup(an_answer_to_an_earlier_request_for_renewal_is_too_late, setup),
        cmocka_unit_test_setup(a_refused_renewal_ends_the_lease_at_once, setup),
        cmocka_unit_test_setup(a_renewal_may_change_all_but_the_address, setup),
        cmocka_unit_test_setup(a_new_mac_begins_anew, setup),
        cmocka_unit_test_setup(a_link_that_comes_up_is_asked_over_at_once, setup),
        cmocka_unit_test_setup(noise_changes_nothing, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
