/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_dhcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

const struct rte_ether_addr mac = { { 0, 0x16, 0x3e, 1, 2, 3 } };
const struct rte_ether_addr other_mac = { { 0, 0x16, 0x3e, 9, 9, 9 } };

struct dhcp_client client;
uint64_t now, due;
struct dhcp_message sent;
rte_be32_t sent_src, sent_dst;
unsigned int nr_sent, nr_bound, nr_lost;
enum dhcp_loss loss;

static void on_send(struct dhcp_client *c, rte_be32_t src, rte_be32_t dst, const void *payload,
                    uint16_t len, uint64_t at)
{
    assert_ptr_equal(c, &client);
    assert_int_equal(at, now);
    assert_int_equal(dhcp_parse(payload, len, &sent), 0);
    assert_int_equal(sent.op, DHCP_TO_SERVER);
    assert_false(sent.is_broadcast);
    assert_int_equal(sent.ciaddr, src);
    sent_src = src;
    sent_dst = dst;
    nr_sent++;
}

static void on_bound(struct dhcp_client *c, uint64_t at)
{
    assert_int_equal(at, now);
    assert_true(c->has_lease);
    nr_bound++;
}

static void on_lost(struct dhcp_client *c, enum dhcp_loss why, uint64_t at)
{
    assert_int_equal(at, now);
    assert_false(c->has_lease);
    loss = why;
    nr_lost++;
}

const struct dhcp_client_ops client_ops = { on_send, on_bound, on_lost };

void client_start(void)
{
    memset(&client, 0xa5, sizeof(client));
    dhcp_client_start(&client, &client_ops, SLOT, IDENTITY, &mac, 42, now);
    nr_sent = nr_bound = nr_lost = 0;
    due = now;
}

int setup(void **state)
{
    (void)state;
    now = 1000 * SECOND;
    dhcp_lease_keep(SLOT, IDENTITY, NULL);
    client_start();
    return 0;
}

void until_sent(void)
{
    unsigned int before = nr_sent;

    for (unsigned int i = 0; nr_sent == before; i++) {
        assert_true(i < 10);
        due = dhcp_client_tick(&client, now);
        if (nr_sent != before)
            break;
        assert_true(due > now && due != UINT64_MAX);
        now = due - 1;
        assert_true(dhcp_client_tick(&client, now) == due && nr_sent == before);
        now = due;
    }
    assert_true(dhcp_client_tick(&client, now) > now);
    assert_int_equal(nr_sent, before + 1);
}

struct dhcp_message reply(enum dhcp_type type)
{
    struct dhcp_message m = { .op = DHCP_TO_CLIENT,
                              .type = type,
                              .xid = sent.xid,
                              .yiaddr = type == DHCP_NAK ? 0 : OURS,
                              .chaddr = mac,
                              .has = DHCP_HAS_SERVER,
                              .server = SERVER };

    if (type == DHCP_NAK)
        return m;
    m.has |= DHCP_HAS_MASK | DHCP_HAS_ROUTER | DHCP_HAS_LEASE;
    m.mask = IP(255, 255, 255, 0);
    m.router = SERVER;
    m.lease = 3600;
    m.nr_dns = 1;
    m.dns[0] = SERVER;
    return m;
}

int give(const struct dhcp_message *m)
{
    uint8_t data[DHCP_MESSAGE_MAX];

    return dhcp_client_input(&client, data, dhcp_build(m, data), now);
}

int give_type(enum dhcp_type type)
{
    struct dhcp_message m = reply(type);

    return give(&m);
}

void lease_bind_with(const struct dhcp_message *wanted)
{
    struct dhcp_message ack = *wanted, offer = *wanted;

    until_sent();
    assert_int_equal(sent.type, DHCP_DISCOVER);
    offer.type = DHCP_OFFER;
    offer.xid = ack.xid = sent.xid;
    assert_int_equal(give(&offer), 0);
    assert_int_equal(sent.type, DHCP_REQUEST);
    assert_int_equal(give(&ack), 0);
    assert_int_equal(client.state, DHCP_BOUND);
    assert_int_equal(nr_bound, 1);
}

void lease_bind(void)
{
    struct dhcp_message ack = reply(DHCP_ACK);

    lease_bind_with(&ack);
}
