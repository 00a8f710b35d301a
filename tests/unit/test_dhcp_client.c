/* SPDX-License-Identifier: BSD-2-Clause */
/* The DHCP client, against a server that this test plays. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/dhcp_client.h"
#include "net/dhcp_lease.c"

#define SECOND 1000000000ull
#define IP(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))
#define OURS IP(192, 0, 2, 7)
#define SERVER IP(192, 0, 2, 1)
#define OTHER_SERVER IP(192, 0, 2, 2)
#define EVERYBODY IP(255, 255, 255, 255)
#define SLOT 2
#define IDENTITY 0x1234

static const struct rte_ether_addr mac = { { 0, 0x16, 0x3e, 1, 2, 3 } };
static const struct rte_ether_addr other_mac = { { 0, 0x16, 0x3e, 9, 9, 9 } };

static struct dhcp_client client;
static uint64_t now, due;

/* What the client has done. */
static struct dhcp_message sent;
static rte_be32_t sent_src, sent_dst;
static unsigned int nr_sent, nr_bound, nr_lost;
static enum dhcp_loss loss;

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

static const struct dhcp_client_ops ops = { on_send, on_bound, on_lost };

static void start(void)
{
    memset(&client, 0xa5, sizeof(client));
    dhcp_client_start(&client, &ops, SLOT, IDENTITY, &mac, 42, now);
    nr_sent = nr_bound = nr_lost = 0;
    due = now;
}

static int setup(void **state)
{
    (void)state;
    now = 1000 * SECOND;
    dhcp_lease_keep(SLOT, IDENTITY, NULL);
    start();
    return 0;
}

/* Let time pass until the client has sent something; it does so at no other time than it has said. */
static void until_sent(void)
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

static struct dhcp_message reply(enum dhcp_type type)
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

static int give(const struct dhcp_message *m)
{
    uint8_t data[DHCP_MESSAGE_MAX];

    return dhcp_client_input(&client, data, dhcp_build(m, data), now);
}

static int give_type(enum dhcp_type type)
{
    struct dhcp_message m = reply(type);

    return give(&m);
}

/* To BOUND, with this answer to the request. */
static void bind_with(const struct dhcp_message *wanted)
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

static void bind(void)
{
    struct dhcp_message ack = reply(DHCP_ACK);

    bind_with(&ack);
}

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

static void xids_and_waits_differ_between_seeds(void **state)
{
    uint64_t waits[2];
    uint32_t xids[2];

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        now = 1000 * SECOND;
        dhcp_client_start(&client, &ops, SLOT, IDENTITY, &mac, 42 + i, now);
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
    bind();
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
    bind();
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
    bind();
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
    bind();
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
    bind();
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
    bind();
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
    bind();
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
        bind_with(&ack);
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
    bind_with(&ack);
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
        bind_with(&ack);
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
        bind_with(&ack);
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
        bind_with(&ack);
        assert_int_equal(client.lease.mtu, mtus[i].is);
        assert_int_equal(client.lease.nr_dns, 1);
        assert_int_equal(client.lease.dns[0], IP(9, 9, 9, 9));
    }
}

static void after_a_restart_the_address_is_used_at_once_and_confirmed(void **state)
{
    uint64_t ends;

    (void)state;
    bind();
    ends = client.lease.ends;
    now += 5 * SECOND;
    start();
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
    bind();
    t1 = client.lease.t1;
    start();
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
    bind();
    start();
    assert_true(dhcp_client_resume(&client, now));
    until_sent();
    assert_int_equal(give_type(DHCP_NAK), 0);
    assert_int_equal(nr_lost, 1);
    assert_int_equal(loss, DHCP_LOSS_REFUSED);
    start();
    assert_false(dhcp_client_resume(&client, now)); /* nor is it kept */
}

static void a_lease_ends_in_time_while_it_is_to_be_confirmed(void **state)
{
    uint64_t ends;

    (void)state;
    bind();
    ends = client.lease.ends;
    now = ends - SECOND;
    start();
    assert_true(dhcp_client_resume(&client, now));
    until_sent();
    assert_int_equal(client.state, DHCP_REBOOTING);
    assert_int_equal(dhcp_client_tick(&client, now), ends);
}

static void a_lease_that_has_ended_is_not_taken_up(void **state)
{
    (void)state;
    bind();
    now = client.lease.ends;
    start();
    assert_false(dhcp_client_resume(&client, now));
    until_sent();
    assert_int_equal(sent.type, DHCP_DISCOVER);
}

static void a_clock_that_went_back_and_another_identity_end_a_lease(void **state)
{
    (void)state;
    bind();
    now = client.lease.begins - 1;
    start();
    assert_false(dhcp_client_resume(&client, now));
    now++;
    dhcp_client_start(&client, &ops, SLOT, IDENTITY + 1, &mac, 1, now);
    assert_false(dhcp_client_resume(&client, now));
    dhcp_client_start(&client, &ops, SLOT + 1, IDENTITY, &mac, 1, now);
    assert_false(dhcp_client_resume(&client, now));
    dhcp_client_start(&client, &ops, SLOT, IDENTITY, &mac, 1, now);
    assert_true(dhcp_client_resume(&client, now));
}

static void a_lease_that_memory_damage_has_reached_is_not_taken_up(void **state)
{
    uint8_t *bytes = (uint8_t *)&kept[SLOT];

    (void)state;
    bind();
    for (unsigned int bit = 0; bit < sizeof(kept[SLOT]) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        start();
        assert_false(dhcp_client_resume(&client, now));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(dhcp_client_resume(&client, now));
}

static void after_a_restart_a_lease_waits_for_its_mac(void **state)
{
    (void)state;
    bind();
    dhcp_client_start(&client, &ops, SLOT, IDENTITY, &other_mac, 42, now);
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
    bind();
    begun = now;
    dhcp_client_start(&client, &ops, SLOT, IDENTITY, &other_mac, 42, now);
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
        cmocka_unit_test_setup(a_new_mac_begins_anew, setup),
        cmocka_unit_test_setup(a_link_that_comes_up_is_asked_over_at_once, setup),
        cmocka_unit_test_setup(noise_changes_nothing, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
