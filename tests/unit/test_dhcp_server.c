/* SPDX-License-Identifier: BSD-2-Clause */
/* The DHCP server toward one guest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/dhcp_server.h"

#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define GUEST IP(10, 0, 5, 1)
#define ROUTER IP(10, 0, 5, 128)
#define OTHER IP(10, 0, 5, 9)
#define EVERYBODY IP(255, 255, 255, 255)

static const struct dhcp_server_config config = { .mac = { { 0, 0x16, 0x3e, 1, 2, 3 } },
                                                  .addr = GUEST,
                                                  .len = 16,
                                                  .router = ROUTER,
                                                  .has_dns = true };

static struct dhcp_server_answer sent;
static struct dhcp_message answer;

static struct dhcp_message message(enum dhcp_type type)
{
    struct dhcp_message m = {
        .op = DHCP_TO_SERVER, .type = type, .xid = 0xabcdef01, .chaddr = config.mac
    };

    return m;
}

static int serve_as(const struct dhcp_server_config *as, const struct dhcp_message *m)
{
    uint8_t data[DHCP_MESSAGE_MAX];
    uint16_t len = dhcp_build(m, data);
    int type;

    memset(&sent, 0, sizeof(sent));
    type = dhcp_server_input(as, data, len, &sent);
    if (type > 0) {
        assert_int_equal(dhcp_parse(sent.data, sent.len, &answer), 0);
        assert_int_equal(answer.op, DHCP_TO_CLIENT);
        assert_int_equal(answer.type, type);
        assert_int_equal(answer.xid, m->xid);
        assert_memory_equal(&answer.chaddr, &m->chaddr, 6);
        assert_int_equal(answer.server, as->router);
    } else {
        assert_int_equal(sent.len, 0);
    }
    return type;
}

static int serve(const struct dhcp_message *m)
{
    return serve_as(&config, m);
}

static void a_discover_is_offered_the_vifs_address(void **state)
{
    struct dhcp_message m = message(DHCP_DISCOVER);

    (void)state;
    assert_int_equal(serve(&m), DHCP_OFFER);
    assert_int_equal(answer.yiaddr, GUEST);
    assert_int_equal(answer.ciaddr, 0);
    assert_int_equal(answer.mask, IP(255, 255, 0, 0));
    assert_int_equal(answer.router, ROUTER);
    assert_int_equal(answer.nr_dns, 1);
    assert_int_equal(answer.dns[0], ROUTER);
    assert_int_equal(answer.lease, 3600);
    assert_int_equal(answer.t1, 1800);
    assert_int_equal(answer.t2, 3150);
    assert_false(answer.has & DHCP_HAS_MTU);
    assert_int_equal(sent.dst, GUEST);
}

static void another_address_that_is_wished_for_is_not_offered(void **state)
{
    struct dhcp_message m = message(DHCP_DISCOVER);

    (void)state;
    m.has = DHCP_HAS_REQUESTED | DHCP_HAS_LEASE;
    m.requested = OTHER;
    m.lease = DHCP_FOREVER;
    assert_int_equal(serve(&m), DHCP_OFFER);
    assert_int_equal(answer.yiaddr, GUEST);
    assert_int_equal(answer.lease, 3600);
}

static void a_client_that_wants_broadcasts_gets_them(void **state)
{
    struct dhcp_message m = message(DHCP_DISCOVER);

    (void)state;
    m.is_broadcast = true;
    assert_int_equal(serve(&m), DHCP_OFFER);
    assert_int_equal(sent.dst, EVERYBODY);
    assert_true(answer.is_broadcast);
}

static void the_offered_address_is_granted(void **state)
{
    struct dhcp_message m = message(DHCP_REQUEST);

    (void)state;
    m.has = DHCP_HAS_REQUESTED | DHCP_HAS_SERVER;
    m.requested = GUEST;
    m.server = ROUTER;
    assert_int_equal(serve(&m), DHCP_ACK);
    assert_int_equal(answer.yiaddr, GUEST);
    assert_int_equal(answer.lease, 3600);
    assert_int_equal(sent.dst, GUEST);
}

static void an_address_of_before_is_confirmed_or_refused(void **state)
{
    struct dhcp_message m = message(DHCP_REQUEST);

    (void)state;
    m.has = DHCP_HAS_REQUESTED;
    m.requested = GUEST;
    assert_int_equal(serve(&m), DHCP_ACK);
    m.requested = OTHER;
    assert_int_equal(serve(&m), DHCP_NAK);
    assert_int_equal(sent.dst, EVERYBODY);
    assert_int_equal(answer.yiaddr, 0);
    assert_int_equal(answer.has, DHCP_HAS_SERVER);
}

static void a_lease_is_renewed_to_where_it_is_used(void **state)
{
    struct dhcp_message m = message(DHCP_REQUEST);

    (void)state;
    m.ciaddr = GUEST;
    m.is_broadcast = true;
    assert_int_equal(serve(&m), DHCP_ACK);
    assert_int_equal(sent.dst, GUEST);
    assert_int_equal(answer.ciaddr, GUEST);
    assert_int_equal(answer.yiaddr, GUEST);
    m.ciaddr = OTHER;
    assert_int_equal(serve(&m), DHCP_NAK);
}

static void a_request_to_another_server_is_not_answered(void **state)
{
    struct dhcp_message m = message(DHCP_REQUEST);

    (void)state;
    m.has = DHCP_HAS_REQUESTED | DHCP_HAS_SERVER;
    m.requested = GUEST;
    m.server = OTHER;
    assert_int_equal(serve(&m), 0);
}

static void a_request_for_nothing_is_refused(void **state)
{
    struct dhcp_message m = message(DHCP_REQUEST);

    (void)state;
    assert_int_equal(serve(&m), -EINVAL);
}

static void an_inform_is_told_all_but_an_address(void **state)
{
    struct dhcp_message m = message(DHCP_INFORM);

    (void)state;
    m.ciaddr = GUEST;
    assert_int_equal(serve(&m), DHCP_ACK);
    assert_int_equal(answer.yiaddr, 0);
    assert_int_equal(answer.router, ROUTER);
    assert_int_equal(answer.has & (DHCP_HAS_LEASE | DHCP_HAS_T1 | DHCP_HAS_T2), 0);
    assert_int_equal(sent.dst, GUEST);
    m.ciaddr = OTHER;
    assert_int_equal(serve(&m), -EINVAL);
}

static void declines_and_releases_are_not_answered(void **state)
{
    struct dhcp_message m = message(DHCP_DECLINE);

    (void)state;
    assert_int_equal(serve(&m), -EADDRINUSE);
    m = message(DHCP_RELEASE);
    assert_int_equal(serve(&m), 0);
    m = message(DHCP_DISCOVER); /* and nothing has come of it */
    assert_int_equal(serve(&m), DHCP_OFFER);
    assert_int_equal(answer.yiaddr, GUEST);
}

static void another_mac_gets_nothing(void **state)
{
    struct dhcp_message m = message(DHCP_DISCOVER);

    (void)state;
    m.chaddr.addr_bytes[5] ^= 1;
    assert_int_equal(serve(&m), -EPERM);
}

static void what_no_client_sends_is_refused(void **state)
{
    static const enum dhcp_type types[] = { DHCP_OFFER, DHCP_ACK, DHCP_NAK };
    struct dhcp_message m;

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        m = message(types[i]);
        assert_int_equal(serve(&m), -EINVAL);
    }
    m = message(DHCP_DISCOVER);
    m.op = DHCP_TO_CLIENT;
    assert_int_equal(serve(&m), -EINVAL);
    m = message(DHCP_DISCOVER);
    m.giaddr = OTHER; /* there is no relay between a guest and its vif */
    assert_int_equal(serve(&m), -EINVAL);
}

static void the_clients_identifier_comes_back(void **state)
{
    struct dhcp_message m = message(DHCP_DISCOVER);

    (void)state;
    m.client_id_len = DHCP_CLIENT_ID_MAX;
    memset(m.client_id, 0x42, sizeof(m.client_id));
    assert_int_equal(serve(&m), DHCP_OFFER);
    assert_int_equal(answer.client_id_len, DHCP_CLIENT_ID_MAX);
    assert_memory_equal(answer.client_id, m.client_id, DHCP_CLIENT_ID_MAX);
    assert_int_equal(answer.lease, 3600);
}

static void an_odd_mtu_is_told_and_dns_only_if_it_is_served(void **state)
{
    struct dhcp_server_config as = config;
    struct dhcp_message m = message(DHCP_DISCOVER);

    (void)state;
    as.mtu = 1400;
    as.has_dns = false;
    assert_int_equal(serve_as(&as, &m), DHCP_OFFER);
    assert_int_equal(answer.mtu, 1400);
    assert_int_equal(answer.nr_dns, 0);
}

static void a_prefix_has_both_ends_in_it_if_it_can(void **state)
{
    (void)state;
    assert_int_equal(dhcp_server_prefix_len(GUEST, ROUTER, 16), 16);
    assert_int_equal(dhcp_server_prefix_len(GUEST, ROUTER, 24), 24);
    assert_int_equal(dhcp_server_prefix_len(GUEST, ROUTER, 25), 24);
    assert_int_equal(dhcp_server_prefix_len(GUEST, ROUTER, 32), 24);
    assert_int_equal(dhcp_server_prefix_len(GUEST, ROUTER, 8), 8);
    assert_int_equal(dhcp_server_prefix_len(IP(192, 168, 7, 127), IP(192, 168, 7, 254), 32), 24);
    assert_int_equal(dhcp_server_prefix_len(IP(192, 168, 7, 5), IP(192, 168, 9, 5), 32), 20);
    assert_int_equal(dhcp_server_prefix_len(IP(203, 0, 113, 5), IP(192, 0, 2, 1), 32), 32);
    assert_int_equal(dhcp_server_prefix_len(IP(203, 0, 113, 5), IP(192, 0, 2, 1), 24), 24);
}

static void noise_is_not_answered(void **state)
{
    uint8_t noise[600];
    uint32_t x = 1;

    (void)state;
    for (unsigned int round = 0; round < 2000; round++) {
        for (unsigned int i = 0; i < sizeof(noise); i++)
            noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
        assert_int_equal(dhcp_server_input(&config, noise, round % sizeof(noise), &sent), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_discover_is_offered_the_vifs_address),
        cmocka_unit_test(another_address_that_is_wished_for_is_not_offered),
        cmocka_unit_test(a_client_that_wants_broadcasts_gets_them),
        cmocka_unit_test(the_offered_address_is_granted),
        cmocka_unit_test(an_address_of_before_is_confirmed_or_refused),
        cmocka_unit_test(a_lease_is_renewed_to_where_it_is_used),
        cmocka_unit_test(a_request_to_another_server_is_not_answered),
        cmocka_unit_test(a_request_for_nothing_is_refused),
        cmocka_unit_test(an_inform_is_told_all_but_an_address),
        cmocka_unit_test(declines_and_releases_are_not_answered),
        cmocka_unit_test(another_mac_gets_nothing),
        cmocka_unit_test(what_no_client_sends_is_refused),
        cmocka_unit_test(the_clients_identifier_comes_back),
        cmocka_unit_test(an_odd_mtu_is_told_and_dns_only_if_it_is_served),
        cmocka_unit_test(a_prefix_has_both_ends_in_it_if_it_can),
        cmocka_unit_test(noise_is_not_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
