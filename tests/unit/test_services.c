/* SPDX-License-Identifier: BSD-2-Clause */
/* A real router's address by DHCP: frames in, frames out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_services.h"

static void a_router_gets_its_address_by_dhcp(void **state)
{
    const struct router_addresses *is = router_addresses(lab.router);
    struct seen seen;

    (void)state;
    turn_to_due();
    (void)client_message(&seen);
    assert_mac(seen.ether.dst_addr, ALL_STATIONS);
    assert_int_equal(seen.src, 0);
    assert_int_equal(seen.dst, ip4(EVERYBODY));
    assert_int_equal(nr_lines, 0);
    lease_give_usual();
    assert_int_equal(is->ip4, ip4("192.0.2.1"));
    assert_int_equal(is->len4, 24);
    assert_int_equal(is->gateway4, ip4("192.0.2.254"));
    assert_true(is->has_ip6);
    assert_memory_equal(is->ip6, lab.addresses.ip6, 16);
    assert_int_equal(nr_lines, 1);
    assert_string_equal(last_line(), "bridge xenbr0: address 192.0.2.1/24 by DHCP from 192.0.2.5 "
                                     "for 3600 s; gateway 192.0.2.254; DNS 192.0.2.5");
}

static void answers_by_broadcast_are_taken_too(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    (void)state;
    turn_to_due();
    m = client_message(&seen);
    m = server_message(&m, DHCP_OFFER);
    server_sends(&m, ALL_STATIONS, EVERYBODY);
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_REQUEST);
    m = server_message(&m, DHCP_ACK);
    server_sends(&m, ALL_STATIONS, EVERYBODY);
    assert_true(router_addresses(lab.router)->has_ip4);
}

static void answers_from_another_port_are_not_taken(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    (void)state;
    turn_to_due();
    m = client_message(&seen);
    m = server_message(&m, DHCP_OFFER);
    server_sends_from(1067, &m, ROUTER_WIRE_MAC, "192.0.2.1");
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_DISCOVER);
}

static void a_nic_that_comes_late_has_the_lease(void **state)
{
    struct rte_ether_addr nic = station(77);
    struct dhcp_message m;
    struct seen seen;

    (void)state;
    turn_to_due();
    turn_to_due();
    router_mac_set(lab.router, &nic, lab.now);
    turn(0);
    turn(SECOND / 4);
    assert_true(seen_last(&lab.wire, 67, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &m), 0);
    assert_int_equal(m.type, DHCP_DISCOVER);
    assert_mac(m.chaddr, nic);
    assert_mac(seen.ether.src_addr, nic);
}

static void a_lease_is_renewed_without_a_word(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    (void)state;
    lease_give_usual();
    forget_sent();
    turn_to_due();
    assert_false(seen_last(&lab.wire, 67, &seen)); /* the server is looked for first */
    host_answers_arp();
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_REQUEST);
    assert_int_equal(seen.src, ip4("192.0.2.1"));
    m = server_message(&m, DHCP_ACK);
    server_sends(&m, ROUTER_WIRE_MAC, "192.0.2.1");
    assert_int_equal(nr_lines, 1);
    assert_true(router_addresses(lab.router)->has_ip4);
}

static void a_lease_that_ends_takes_the_address_with_it(void **state)
{
    (void)state;
    lease_give_usual();
    turn(3600 * SECOND);
    assert_false(router_addresses(lab.router)->has_ip4);
    assert_true(router_addresses(lab.router)->has_ip6);
    assert_string_equal(last_line(),
                        "bridge xenbr0: has lost address 192.0.2.1/24: its lease has ended");
    lease_give_usual();
}

static void after_a_restart_the_address_is_there_with_the_first_turn(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    lease_give_usual();
    end(state);
    dhcp_start(state);
    lab.now += 100 * SECOND;
    assert_false(router_addresses(lab.router)->has_ip4);
    turn(0);
    assert_true(router_addresses(lab.router)->has_ip4);
    assert_int_equal(router_addresses(lab.router)->gateway4, ip4("192.0.2.254"));
    assert_int_equal(nr_lines, 1);
    assert_memory_equal(last_line(), "bridge xenbr0: keeps address 192.0.2.1/24 by DHCP", 48);
    m = client_message(&seen);
    assert_int_equal(m.type, DHCP_REQUEST);
    assert_int_equal(m.requested, ip4("192.0.2.1"));
    m = server_message(&m, DHCP_ACK);
    server_sends(&m, ROUTER_WIRE_MAC, "192.0.2.1");
    assert_int_equal(nr_lines, 1);
    turn(3599 * SECOND);
    assert_true(router_addresses(lab.router)->has_ip4);
}

static void after_a_restart_a_server_may_refuse(void **state)
{
    struct dhcp_message m;
    struct seen seen;

    lease_give_usual();
    end(state);
    dhcp_start(state);
    turn(SECOND);
    m = client_message(&seen);
    m = server_message(&m, DHCP_NAK);
    server_sends(&m, ALL_STATIONS, EVERYBODY);
    assert_false(router_addresses(lab.router)->has_ip4);
    assert_string_equal(last_line(), "bridge xenbr0: has lost address 192.0.2.1/24: the DHCP "
                                     "server refuses it");
}

static void an_address_that_is_a_guests_is_not_used(void **state)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);

    (void)state;
    m.yiaddr = ip4("192.0.2.10");
    lease_give(&m);
    assert_false(router_addresses(lab.router)->has_ip4);
    assert_int_equal(nr_lines, 1);
    assert_non_null(strstr(last_line(), "192.0.2.10/24 by DHCP from 192.0.2.5 cannot be used"));
}

static void lines_are_few_whatever_a_server_does(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 50; i++) {
        struct dhcp_message m;
        struct seen seen;

        lease_give_usual();
        turn(1800 * SECOND / 50);
        services_link_up(lab.router, lab.now);
        turn(0);
        m = client_message(&seen);
        m = server_message(&m, DHCP_NAK);
        server_sends(&m, ALL_STATIONS, EVERYBODY);
        forget_sent();
    }
    assert_in_range(nr_lines, 8, 8 + 31);
}

static void silence_is_said_once(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 30; i++)
        turn_to_due();
    assert_int_equal(nr_lines, 1);
    assert_non_null(strstr(last_line(), "no DHCP server answers"));
}

static void guests_are_no_dhcp_servers_for_the_router(void **state)
{
    uint8_t data[DHCP_MESSAGE_MAX];
    struct dhcp_message m;
    struct seen seen;
    uint16_t len;

    (void)state;
    turn_to_due();
    m = client_message(&seen);
    m = server_message(&m, DHCP_OFFER);
    len = dhcp_build(&m, data);
    forget_sent();
    guest_sends(NAT_GUEST, udp_make(ROUTER_GUEST_MAC, GUEST_MAC(NAT_GUEST), "10.0.1.1", 67,
                                    "10.0.1.128", 68, data, len));
    assert_false(seen_last(&lab.wire, 67, &seen));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_router_gets_its_address_by_dhcp, fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(answers_by_broadcast_are_taken_too, fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(answers_from_another_port_are_not_taken, fresh_dhcp_start,
                                        end),
        cmocka_unit_test_setup_teardown(a_nic_that_comes_late_has_the_lease, fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(a_lease_is_renewed_without_a_word, fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(a_lease_that_ends_takes_the_address_with_it,
                                        fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(after_a_restart_the_address_is_there_with_the_first_turn,
                                        fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(after_a_restart_a_server_may_refuse, fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(an_address_that_is_a_guests_is_not_used, fresh_dhcp_start,
                                        end),
        cmocka_unit_test_setup_teardown(lines_are_few_whatever_a_server_does, fresh_dhcp_start,
                                        end),
        cmocka_unit_test_setup_teardown(silence_is_said_once, fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(guests_are_no_dhcp_servers_for_the_router, fresh_dhcp_start,
                                        end),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
