/* SPDX-License-Identifier: BSD-2-Clause */
/* What a DHCP client makes of a lease, and what of it outlives a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_dhcp.h"
#include "net/dhcp_lease.c"

static void times_that_are_said_are_kept_to_if_they_are_sane(void **state)
{
    static const struct {
        uint32_t lease, t1, t2, is1, is2;
    } cases[] = {
        { 3600, 1000, 2000, 1000, 2000 },
        { 3600, 0, 0, 1800, 3150 },
        { 3600, 3000, 2000, 1000, 2000 },
        { 3600, 1000, 3600, 1000, 3150 },
        { 3600, 1, 2, 1800, 3150 },
        { 3600, 4000, 5000, 1575, 3150 },
        { 3600, UINT32_MAX, UINT32_MAX, 1575, 3150 },
        { 0, 0, 0, 30, 52 },
        { 10, 5, 8, 30, 52 },
        { 59, 20, 40, 20, 40 },
        { UINT32_MAX - 1, UINT32_MAX / 4, UINT32_MAX / 2, UINT32_MAX / 4, UINT32_MAX / 2 },
    };

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dhcp_message ack;

        setup(state);
        ack = reply(DHCP_ACK);
        ack.has |= DHCP_HAS_T1 | DHCP_HAS_T2;
        ack.lease = cases[i].lease;
        ack.t1 = cases[i].t1;
        ack.t2 = cases[i].t2;
        lease_bind_with(&ack);
        assert_int_equal((client.lease.t1 - now) / SECOND, cases[i].is1);
        assert_int_equal((client.lease.t2 - now) / SECOND, cases[i].is2);
        assert_int_equal((client.lease.ends - now) / SECOND,
                         cases[i].lease < 60 ? 60 : cases[i].lease);
    }
}

static void a_lease_for_ever_is_never_renewed(void **state)
{
    struct dhcp_message ack = reply(DHCP_ACK);

    (void)state;
    ack.lease = DHCP_FOREVER;
    lease_bind_with(&ack);
    assert_true(dhcp_client_tick(&client, now) == UINT64_MAX);
    now += 1ull << 60;
    assert_true(dhcp_client_tick(&client, now) == UINT64_MAX);
    assert_int_equal(nr_lost, 0);
}

static void a_mask_that_is_missing_is_that_of_the_class(void **state)
{
    static const struct {
        rte_be32_t addr;
        uint8_t len;
    } cases[] = { { IP(10, 1, 2, 3), 8 }, { IP(172, 16, 0, 9), 16 }, { IP(192, 168, 0, 9), 24 } };

    for (unsigned int i = 0; i < 3; i++) {
        struct dhcp_message ack;

        setup(state);
        ack = reply(DHCP_ACK);
        ack.has &= ~DHCP_HAS_MASK;
        ack.yiaddr = cases[i].addr;
        lease_bind_with(&ack);
        assert_int_equal(client.lease.len, cases[i].len);
    }
}

static void a_gateway_that_cannot_be_reached_is_left_out(void **state)
{
    static const struct {
        rte_be32_t mask, gateway, is;
    } cases[] = {
        { IP(255, 255, 255, 0), IP(192, 0, 3, 1), 0 },
        { IP(255, 255, 255, 0), OURS, 0 },
        { IP(255, 255, 255, 0), IP(192, 0, 2, 255), 0 },
        { IP(255, 255, 255, 0), IP(192, 0, 2, 0), 0 },
        { IP(255, 255, 255, 0), IP(192, 0, 2, 254), IP(192, 0, 2, 254) },
        { IP(255, 255, 255, 254), IP(192, 0, 2, 6), IP(192, 0, 2, 6) },
        { IP(255, 255, 255, 255), IP(192, 0, 9, 1), IP(192, 0, 9, 1) },
        { IP(255, 255, 255, 255), OURS, 0 },
        { IP(255, 255, 255, 255), IP(224, 0, 0, 1), 0 },
    };

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dhcp_message ack;

        setup(state);
        ack = reply(DHCP_ACK);
        ack.mask = cases[i].mask;
        ack.router = cases[i].gateway;
        lease_bind_with(&ack);
        assert_int_equal(client.lease.gateway, cases[i].is);
    }
}

static void odd_servers_and_odd_mtus_are_left_out(void **state)
{
    static const struct {
        uint16_t said, is;
    } mtus[] = { { 0, 0 }, { 68, 0 }, { 575, 0 }, { 576, 576 }, { 9000, 9000 }, { 9001, 0 } };

    for (unsigned int i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        struct dhcp_message ack;

        setup(state);
        ack = reply(DHCP_ACK);
        ack.nr_dns = 3;
        ack.dns[0] = IP(127, 0, 0, 53);
        ack.dns[1] = IP(9, 9, 9, 9);
        ack.dns[2] = 0;
        ack.has |= DHCP_HAS_MTU;
        ack.mtu = mtus[i].said;
        lease_bind_with(&ack);
        assert_int_equal(client.lease.mtu, mtus[i].is);
        assert_int_equal(client.lease.nr_dns, 1);
        assert_int_equal(client.lease.dns[0], IP(9, 9, 9, 9));
    }
}

static void after_a_restart_the_address_is_used_at_once_and_confirmed(void **state)
{
    uint64_t ends;

    (void)state;
    lease_bind();
    ends = client.lease.ends;
    now += 5 * SECOND;
    client_start();
    assert_true(dhcp_client_resume(&client, now));
    assert_int_equal(nr_bound, 1);
    assert_int_equal(client.lease.addr, OURS);
    assert_int_equal(client.lease.ends, ends);
    assert_int_equal(nr_sent, 0);
    until_sent();
    assert_int_equal(sent.type, DHCP_REQUEST);
    assert_int_equal(sent.requested, OURS);
    assert_int_equal(sent.ciaddr, 0);
    assert_false(sent.has & DHCP_HAS_SERVER);
    assert_int_equal(sent_dst, EVERYBODY);
    assert_int_equal(give_type(DHCP_ACK), 0);
    assert_int_equal(nr_bound, 2);
    assert_int_equal(client.lease.ends, now + 3600 * SECOND);
}

static void without_an_answer_a_lease_goes_on_after_a_restart(void **state)
{
    uint64_t t1;

    (void)state;
    lease_bind();
    t1 = client.lease.t1;
    client_start();
    assert_true(dhcp_client_resume(&client, now));
    for (unsigned int i = 0; i < 4; i++)
        until_sent();
    until_sent();
    assert_int_equal(now, t1);
    assert_int_equal(client.state, DHCP_RENEWING);
    assert_int_equal(nr_lost, 0);
}

static void a_lease_that_is_refused_after_a_restart_is_lost(void **state)
{
    (void)state;
    lease_bind();
    client_start();
    assert_true(dhcp_client_resume(&client, now));
    until_sent();
    assert_int_equal(give_type(DHCP_NAK), 0);
    assert_int_equal(nr_lost, 1);
    assert_int_equal(loss, DHCP_LOSS_REFUSED);
    client_start();
    assert_false(dhcp_client_resume(&client, now)); /* nor is it kept */
}

static void a_lease_ends_in_time_while_it_is_to_be_confirmed(void **state)
{
    uint64_t ends;

    (void)state;
    lease_bind();
    ends = client.lease.ends;
    now = ends - SECOND;
    client_start();
    assert_true(dhcp_client_resume(&client, now));
    until_sent();
    assert_int_equal(client.state, DHCP_REBOOTING);
    assert_int_equal(dhcp_client_tick(&client, now), ends);
}

static void a_lease_that_has_ended_is_not_taken_up(void **state)
{
    (void)state;
    lease_bind();
    now = client.lease.ends;
    client_start();
    assert_false(dhcp_client_resume(&client, now));
    until_sent();
    assert_int_equal(sent.type, DHCP_DISCOVER);
}

static void a_clock_that_went_back_and_another_identity_end_a_lease(void **state)
{
    (void)state;
    lease_bind();
    now = client.lease.begins - 1;
    client_start();
    assert_false(dhcp_client_resume(&client, now));
    now++;
    dhcp_client_start(&client, &client_ops, SLOT, IDENTITY + 1, &mac, 1, now);
    assert_false(dhcp_client_resume(&client, now));
    dhcp_client_start(&client, &client_ops, SLOT + 1, IDENTITY, &mac, 1, now);
    assert_false(dhcp_client_resume(&client, now));
    dhcp_client_start(&client, &client_ops, SLOT, IDENTITY, &mac, 1, now);
    assert_true(dhcp_client_resume(&client, now));
}

static void a_lease_that_memory_damage_has_reached_is_not_taken_up(void **state)
{
    uint8_t *bytes = (uint8_t *)&kept[SLOT];

    (void)state;
    lease_bind();
    for (unsigned int bit = 0; bit < sizeof(kept[SLOT]) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        client_start();
        assert_false(dhcp_client_resume(&client, now));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(dhcp_client_resume(&client, now));
}

static void after_a_restart_a_lease_waits_for_its_mac(void **state)
{
    (void)state;
    lease_bind();
    dhcp_client_start(&client, &client_ops, SLOT, IDENTITY, &other_mac, 42, now);
    nr_sent = nr_bound = 0;
    assert_true(dhcp_client_resume(&client, now));
    assert_int_equal(nr_bound, 1);
    now += 9 * SECOND;
    dhcp_client_tick(&client, now);
    assert_int_equal(nr_sent, 0);
    dhcp_client_mac_set(&client, &mac, now);
    until_sent();
    assert_int_equal(sent.requested, OURS);
    assert_int_equal(give_type(DHCP_ACK), 0);
    assert_int_equal(nr_lost, 0);
}

static void a_lease_whose_mac_does_not_come_is_lost(void **state)
{
    uint64_t begun;

    (void)state;
    lease_bind();
    begun = now;
    dhcp_client_start(&client, &client_ops, SLOT, IDENTITY, &other_mac, 42, now);
    nr_sent = 0;
    assert_true(dhcp_client_resume(&client, now));
    now += 5 * SECOND;
    dhcp_client_link_up(&client, now);
    sent.xid = client.xid; /* nothing was asked yet */
    for (enum dhcp_type type = DHCP_ACK; type <= DHCP_NAK; type++) {
        struct dhcp_message m = reply(type);

        m.chaddr = other_mac;
        assert_int_equal(give(&m), -EINVAL);
    }
    until_sent();
    assert_in_range(now, begun + 10 * SECOND, begun + 11 * SECOND);
    assert_int_equal(nr_lost, 1);
    assert_int_equal(loss, DHCP_LOSS_MAC);
    assert_int_equal(sent.type, DHCP_DISCOVER);
    assert_memory_equal(&sent.chaddr, &other_mac, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(times_that_are_said_are_kept_to_if_they_are_sane, setup),
        cmocka_unit_test_setup(a_lease_for_ever_is_never_renewed, setup),
        cmocka_unit_test_setup(a_mask_that_is_missing_is_that_of_the_class, setup),
        cmocka_unit_test_setup(a_gateway_that_cannot_be_reached_is_left_out, setup),
        cmocka_unit_test_setup(odd_servers_and_odd_mtus_are_left_out, setup),
        cmocka_unit_test_setup(after_a_restart_the_address_is_used_at_once_and_confirmed, setup),
        cmocka_unit_test_setup(without_an_answer_a_lease_goes_on_after_a_restart, setup),
        cmocka_unit_test_setup(a_lease_that_is_refused_after_a_restart_is_lost, setup),
        cmocka_unit_test_setup(a_lease_ends_in_time_while_it_is_to_be_confirmed, setup),
        cmocka_unit_test_setup(a_lease_that_has_ended_is_not_taken_up, setup),
        cmocka_unit_test_setup(a_clock_that_went_back_and_another_identity_end_a_lease, setup),
        cmocka_unit_test_setup(a_lease_that_memory_damage_has_reached_is_not_taken_up, setup),
        cmocka_unit_test_setup(after_a_restart_a_lease_waits_for_its_mac, setup),
        cmocka_unit_test_setup(a_lease_whose_mac_does_not_come_is_lost, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
