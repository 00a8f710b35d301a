/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP and DNS of a real router toward its guests: frames in, frames out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_services.h"
#include "net/nat.h"

static void the_mtu_of_the_net_is_taken_and_told_to_guests(void **state)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);
    uint8_t long_answer[1400] = { 0 };

    (void)state;
    m.has |= DHCP_HAS_MTU;
    m.mtu = 1400;
    lease_give(&m);
    assert_non_null(strstr(last_line(), "; MTU 1400"));
    assert_null(strstr(last_line(), "not taken"));
    assert_int_equal(mtu_offered(), 1400);
    assert_int_equal(router_udp_send(lab.router, NULL, ip4("192.0.2.1"), 9, ip4(EVERYBODY), 9,
                                     long_answer, 1373, NULL, lab.now),
                     -EMSGSIZE);
    turn(3600 * SECOND);
    assert_int_equal(mtu_offered(), 0);
    assert_int_equal(router_udp_send(lab.router, NULL, ip4("192.0.2.1"), 9, ip4(EVERYBODY), 9,
                                     long_answer, 1373, NULL, lab.now),
                     0);
}

static void a_long_mtu_is_not_taken(void **state)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);

    (void)state;
    m.has |= DHCP_HAS_MTU;
    m.mtu = 9000;
    lease_give(&m);
    assert_non_null(strstr(last_line(), "; MTU 9000 is not taken"));
    assert_int_equal(mtu_offered(), 0);
}

static void the_mtu_of_a_long_wire_is_the_most_that_is_taken(void **state)
{
    struct dhcp_message none = { 0 }, m = server_message(&none, DHCP_ACK);

    (void)state;
    router_mtu_set(lab.router, 8000); /* mtu= of the bridge */
    assert_int_equal(services_init(42, on_line), 0);
    assert_int_equal(services_router_add(lab.router, true, NULL, 0), 0);
    guest_serve(true, true, 16);
    m.has |= DHCP_HAS_MTU;
    m.mtu = 9000;
    lease_give(&m);
    assert_non_null(strstr(last_line(), "; MTU 9000 is not taken"));
    assert_int_equal(router_mtu(lab.router), 8000);
    assert_int_equal(mtu_offered(), 0);
    turn(3600 * SECOND);
    m.mtu = 4000;
    lease_give(&m);
    assert_int_equal(router_mtu(lab.router), 4000);
    turn(3600 * SECOND);
    assert_int_equal(router_mtu(lab.router), 8000);
}

static void a_guest_gets_its_address_while_the_router_has_none_yet(void **state)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER), offer;
    struct seen seen;

    (void)state;
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &offer), 0);
    assert_mac(seen.ether.src_addr, ROUTER_GUEST_MAC);
    assert_mac(seen.ether.dst_addr, GUEST_MAC(NAT_GUEST));
    assert_int_equal(seen.src, ip4("10.0.1.128"));
    assert_int_equal(seen.dst, ip4("10.0.1.1"));
    assert_int_equal(seen.sport, 67);
    assert_int_equal(offer.type, DHCP_OFFER);
    assert_int_equal(offer.yiaddr, ip4("10.0.1.1"));
    assert_int_equal(offer.mask, ip4("255.255.0.0"));
    assert_int_equal(offer.router, ip4("10.0.1.128"));
    assert_int_equal(offer.nr_dns, 1);
    assert_int_equal(offer.dns[0], ip4("10.0.1.128"));
    assert_false(offer.has & DHCP_HAS_MTU);
    assert_false(seen_last(&lab.wire, 0, &seen));
}

static void a_guest_renews_its_lease_by_unicast(void **state)
{
    struct dhcp_message m = guest_message(DHCP_REQUEST), ack;
    struct seen seen;

    (void)state;
    m.ciaddr = ip4("10.0.1.1");
    guest_sends_dhcp(&m, "10.0.1.1", "10.0.1.128");
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &ack), 0);
    assert_int_equal(ack.type, DHCP_ACK);
    assert_int_equal(ack.mask, ip4("255.255.255.0")); /* no length was configured */
}

static void only_guests_that_are_served_get_answers(void **state)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER);
    struct seen seen;

    (void)state;
    services_vif_remove(&lab.guests[NAT_GUEST].port);
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_false(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    guest_serve(false, true, 0);
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_false(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    guest_serve(true, false, 0);
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
}

static void a_small_mtu_is_told(void **state)
{
    (void)state;
    assert_int_equal(mtu_offered(), 0);
    lab.guests[NAT_GUEST].port.mtu = 1300;
    assert_int_equal(mtu_offered(), 1300);
}

static void a_query_goes_out_from_the_routers_address_and_its_answer_in(void **state)
{
    struct seen asked, answer;

    (void)state;
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.wire, 53, &asked));
    assert_mac(asked.ether.dst_addr, HOST_MAC);
    assert_int_equal(asked.src, ip4("192.0.2.1"));
    assert_int_equal(asked.dst, ip4("192.0.2.5"));
    assert_in_range(asked.sport, NAT_OWN_PORT_FIRST, NAT_OWN_PORT_LAST);
    assert_int_equal(asked.len, sizeof(query));
    assert_memory_equal(asked.payload + 2, query + 2, sizeof(query) - 2);
    server_answers(&asked, "192.0.2.6", 53);
    server_answers(&asked, "192.0.2.5", 54);
    assert_false(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    server_answers(&asked, "192.0.2.5", 53);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    assert_int_equal(answer.src, ip4("10.0.1.128"));
    assert_int_equal(answer.dst, ip4("10.0.1.1"));
    assert_int_equal(answer.sport, 53);
    assert_memory_equal(answer.payload, query, 2);
}

static void the_routers_other_address_may_be_asked_too(void **state)
{
    struct seen asked, answer;

    (void)state;
    guest_asks("192.0.2.1");
    assert_true(seen_last(&lab.wire, 53, &asked));
    server_answers(&asked, "192.0.2.5", 53);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    assert_int_equal(answer.src, ip4("192.0.2.1"));
}

static void a_query_to_somebody_else_is_left_to_translation(void **state)
{
    struct seen asked;

    (void)state;
    guest_asks("192.0.2.5");
    assert_true(seen_last(&lab.wire, 53, &asked));
    assert_memory_equal(asked.payload, query, sizeof(query));
    forget_sent();
    guest_asks(EVERYBODY);
    assert_false(seen_last(&lab.wire, 53, &asked));
}

static void a_query_is_given_up_in_time(void **state)
{
    struct seen answer;

    (void)state;
    guest_asks("10.0.1.128");
    for (unsigned int i = 0; i < 6; i++) {
        assert_false(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
        turn_to_due();
        if (seen_last(&lab.guests[NAT_GUEST], 5555, &answer))
            break;
    }
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    assert_int_equal(answer.payload[3] & 15, 2);
}

static void a_guest_that_has_gone_gets_no_answers(void **state)
{
    struct seen asked, answer;

    (void)state;
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.wire, 53, &asked));
    services_vif_remove(&lab.guests[NAT_GUEST].port);
    router_vif_remove(&lab.guests[NAT_GUEST].port);
    guest_serve(true, true, 0); /* another one, with the same number */
    server_answers(&asked, "192.0.2.5", 53);
    turn(10 * SECOND);
    assert_false(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
}

static void nobody_on_the_wire_is_served(void **state)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER);
    uint8_t data[DHCP_MESSAGE_MAX];
    uint16_t len = dhcp_build(&m, data);
    struct seen seen;

    (void)state;
    wire_sends(udp_make(ROUTER_WIRE_MAC, HOST_MAC, "192.0.2.5", 4444, "192.0.2.1", 53, query,
                        sizeof(query)));
    wire_sends(udp_make(ALL_STATIONS, HOST_MAC, "0.0.0.0", 68, EVERYBODY, 67, data, len));
    wire_sends(udp_make(ROUTER_WIRE_MAC, HOST_MAC, "192.0.2.5", 68, "192.0.2.1", 67, data, len));
    assert_false(seen_last(&lab.wire, 53, &seen));
    assert_false(seen_last(&lab.wire, 4444, &seen));
    assert_false(seen_last(&lab.wire, 68, &seen));
}

static void queries_go_where_dhcp_says(void **state)
{
    struct seen asked, answer;

    (void)state;
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer)); /* nobody to ask yet */
    assert_int_equal(answer.payload[3] & 15, 2);
    lease_give_usual();
    forget_sent();
    guest_asks("10.0.1.128");
    host_answers_arp();
    assert_true(seen_last(&lab.wire, 53, &asked));
    assert_int_equal(asked.dst, ip4("192.0.2.5"));
    turn(3600 * SECOND);
    forget_sent();
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &answer));
    assert_int_equal(answer.payload[3] & 15, 2);
}

static void what_cannot_be_served_is_refused(void **state)
{
    struct fake_port stranger;

    (void)state;
    fake_port_init(&stranger, "vif9", 0);
    assert_int_equal(services_vif_add(&stranger.port, 24), -EINVAL);
    assert_int_equal(services_vif_add(&lab.guests[0].port, 33), -EINVAL);
    assert_int_equal(services_router_add(lab.router, false, NULL, 0), -EEXIST);
    services_vif_remove(&stranger.port);
}

static void without_servers_guests_are_told_of_none(void **state)
{
    struct dhcp_message m = guest_message(DHCP_DISCOVER), offer;
    struct seen seen;

    (void)state;
    assert_int_equal(services_init(1, on_line), 0);
    assert_int_equal(services_router_add(lab.router, false, NULL, 0), 0);
    guest_serve(true, true, 0);
    guest_sends_dhcp(&m, "0.0.0.0", EVERYBODY);
    assert_true(seen_last(&lab.guests[NAT_GUEST], 68, &seen));
    assert_int_equal(dhcp_parse(seen.payload, seen.len, &offer), 0);
    assert_int_equal(offer.nr_dns, 0);
    guest_asks("10.0.1.128");
    assert_true(seen_last(&lab.guests[NAT_GUEST], 5555, &seen));
    assert_int_equal(seen.payload[3] & 15, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_mtu_of_the_net_is_taken_and_told_to_guests,
                                        fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(a_long_mtu_is_not_taken, fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(the_mtu_of_a_long_wire_is_the_most_that_is_taken,
                                        fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(a_guest_gets_its_address_while_the_router_has_none_yet,
                                        fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(a_guest_renews_its_lease_by_unicast, fixed_start, end),
        cmocka_unit_test_setup_teardown(only_guests_that_are_served_get_answers, fixed_start, end),
        cmocka_unit_test_setup_teardown(a_small_mtu_is_told, fixed_start, end),
        cmocka_unit_test_setup_teardown(a_query_goes_out_from_the_routers_address_and_its_answer_in,
                                        fixed_start, end),
        cmocka_unit_test_setup_teardown(the_routers_other_address_may_be_asked_too, fixed_start,
                                        end),
        cmocka_unit_test_setup_teardown(a_query_to_somebody_else_is_left_to_translation,
                                        fixed_start, end),
        cmocka_unit_test_setup_teardown(a_query_is_given_up_in_time, fixed_start, end),
        cmocka_unit_test_setup_teardown(a_guest_that_has_gone_gets_no_answers, fixed_start, end),
        cmocka_unit_test_setup_teardown(nobody_on_the_wire_is_served, fixed_start, end),
        cmocka_unit_test_setup_teardown(queries_go_where_dhcp_says, fresh_dhcp_start, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_served_is_refused, fixed_start, end),
        cmocka_unit_test_setup_teardown(without_servers_guests_are_told_of_none, fixed_start, end),
    };

    return cmocka_run_group_tests(tests, fixture_start, NULL);
}
