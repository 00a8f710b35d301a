/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/dhcp_client.h"

#include <errno.h>
#include <string.h>

#define NS_PER_SECOND 1000000000ull
#define BROADCAST RTE_BE32(0xffffffff)

/* The first message goes out within this time (RFC 2131, 4.4.1, would wait up to 10 s: guests are waiting). */
#define START_NS (NS_PER_SECOND / 4)

/* Without an answer so long, then twice as long, up to 64 s, each a quarter more or less (RFC 2131, 4.1). */
#define BACKOFF_NS (2 * NS_PER_SECOND)
#define BACKOFF_DOUBLINGS 5

/* REQUESTs that go unanswered before it is tried otherwise. */
#define REQUESTS_MAX 4

/* When renewing: at least so long between REQUESTs, or a sixteenth of a short lease (RFC 2131, 4.4.5). */
#define RENEW_MIN_NS (60 * NS_PER_SECOND)
#define RENEW_PART 16

/* How long a lease waits for the MAC that it was lent to. */
#define MAC_WAIT_NS (10 * NS_PER_SECOND)

static uint64_t backoff_ns(struct dhcp_client *client, unsigned int nr, uint64_t now)
{
    uint64_t ns = BACKOFF_NS << RTE_MIN(nr, BACKOFF_DOUBLINGS);

    return ns - ns / 4 + random_below(&client->random, now, ns / 2);
}

/* A new exchange, with an xid of its own, whose first message is due after a wait. */
static void exchange_begin(struct dhcp_client *client, enum dhcp_state state, uint64_t wait_ns,
                           uint64_t now)
{
    if (client->state != state)
        client->since = now;
    client->state = state;
    client->xid = (uint32_t)random_next(&client->random, now);
    client->nr_sent = 0;
    client->due = now + wait_ns;
}

static void init_begin(struct dhcp_client *client, uint64_t now)
{
    uint64_t wait = client->nr_failed ? backoff_ns(client, client->nr_failed - 1, now)
                                      : random_below(&client->random, now, START_NS);

    exchange_begin(client, DHCP_INIT, wait, now);
}

static void lease_lose(struct dhcp_client *client, enum dhcp_loss loss, uint64_t now)
{
    client->has_lease = false;
    dhcp_lease_keep(client->slot, client->identity, NULL);
    client->ops->lost(client, loss, now);
    init_begin(client, now);
}

static bool is_our_mac(const struct dhcp_client *client)
{
    return rte_is_same_ether_addr(&client->lease.mac, &client->mac);
}

/* Have a lease confirmed, once the MAC is there that it was lent to. */
static void reboot_begin(struct dhcp_client *client, uint64_t now)
{
    exchange_begin(client, DHCP_REBOOTING, is_our_mac(client) ? 0 : MAC_WAIT_NS, now);
}

void dhcp_client_start(struct dhcp_client *client, const struct dhcp_client_ops *ops,
                       unsigned int slot, uint32_t identity, const struct rte_ether_addr *mac,
                       uint64_t seed, uint64_t now)
{
    uint64_t more = 0;

    memset(client, 0, sizeof(*client));
    client->ops = ops;
    client->slot = slot;
    client->identity = identity;
    client->mac = *mac;
    memcpy(&more, mac, sizeof(*mac));
    random_init(&client->random, seed, more);
    init_begin(client, now);
}

bool dhcp_client_resume(struct dhcp_client *client, uint64_t now)
{
    if (!dhcp_lease_recall(client->slot, client->identity, now, &client->lease))
        return false;
    client->has_lease = true;
    reboot_begin(client, now);
    client->ops->bound(client, now);
    return true;
}

/* What all messages have. The identifier is of the MAC (RFC 2132, 9.14), so that servers know us whatever they go by. */
static void message_send(struct dhcp_client *client, struct dhcp_message *m, rte_be32_t dst,
                         uint64_t now)
{
    uint8_t data[DHCP_MESSAGE_MAX];

    m->op = DHCP_TO_SERVER;
    m->xid = client->xid;
    m->secs = (uint16_t)RTE_MIN((now - client->since) / NS_PER_SECOND, (uint64_t)UINT16_MAX);
    m->chaddr = client->mac;
    m->client_id[0] = 1; /* Ethernet */
    memcpy(&m->client_id[1], &client->mac, sizeof(client->mac));
    m->client_id_len = 1 + sizeof(client->mac);
    m->has |= DHCP_HAS_WISHES;
    if (client->nr_sent++ == 0)
        client->asked = now;
    client->ops->send(client, m->ciaddr, dst, data, dhcp_build(m, data), now);
}

static void discover_send(struct dhcp_client *client, uint64_t now)
{
    struct dhcp_message m = { .type = DHCP_DISCOVER };

    client->state = DHCP_SELECTING;
    message_send(client, &m, BROADCAST, now);
    client->due = now + backoff_ns(client, client->nr_sent - 1, now);
}

/* Which address is asked for stands elsewhere in each state (RFC 2131, 4.3.2, table 4). */
static void request_send(struct dhcp_client *client, uint64_t now)
{
    struct dhcp_message m = { .type = DHCP_REQUEST };
    bool is_requesting = client->state == DHCP_REQUESTING;

    if (is_requesting || client->state == DHCP_REBOOTING) {
        m.has = DHCP_HAS_REQUESTED | (is_requesting ? DHCP_HAS_SERVER : 0);
        m.requested = is_requesting ? client->offered : client->lease.addr;
        m.server = is_requesting ? client->server : 0;
    } else {
        m.ciaddr = client->lease.addr;
    }
    message_send(client, &m, client->state == DHCP_RENEWING ? client->lease.server : BROADCAST,
                 now);
}

/* Half of the time that is left, but not too soon, nor later than it ends (RFC 2131, 4.4.5). */
static uint64_t renew_next(const struct dhcp_client *client, uint64_t end, uint64_t now)
{
    uint64_t least =
        RTE_MIN((client->lease.ends - client->lease.begins) / RENEW_PART, (uint64_t)RENEW_MIN_NS);
    uint64_t left = end > now ? end - now : 0;

    return RTE_MIN(end, now + RTE_MAX(left / 2, least));
}

/* Renew as the time of the lease demands, or do nothing yet. */
static void lease_tick(struct dhcp_client *client, uint64_t now)
{
    const struct dhcp_lease *lease = &client->lease;

    if (now < lease->t1) {
        client->state = DHCP_BOUND;
        client->due = lease->t1;
        return;
    }
    /* Each request has its own xid, so that an answer tells to which request, and since when it holds. */
    exchange_begin(client, now < lease->t2 ? DHCP_RENEWING : DHCP_REBINDING, 0, now);
    request_send(client, now);
    client->due = renew_next(client, client->state == DHCP_RENEWING ? lease->t2 : lease->ends, now);
}

static void requesting_tick(struct dhcp_client *client, uint64_t now)
{
    if (client->nr_sent == REQUESTS_MAX) {
        client->nr_failed++;
        init_begin(client, now);
        return;
    }
    request_send(client, now);
    client->due = now + backoff_ns(client, client->nr_sent - 1, now);
}

/* Without an answer a lease is good for as long as it was lent (RFC 2131, 3.2, 4). */
static void rebooting_tick(struct dhcp_client *client, uint64_t now)
{
    if (!is_our_mac(client))
        lease_lose(client, DHCP_LOSS_MAC, now);
    else if (client->nr_sent == REQUESTS_MAX)
        lease_tick(client, now);
    else
        requesting_tick(client, now);
}

static void due_tick(struct dhcp_client *client, uint64_t now)
{
    switch (client->state) {
    case DHCP_INIT:
    case DHCP_SELECTING:
        discover_send(client, now);
        break;
    case DHCP_REQUESTING:
        requesting_tick(client, now);
        break;
    case DHCP_REBOOTING:
        rebooting_tick(client, now);
        break;
    case DHCP_BOUND:
    case DHCP_RENEWING:
    case DHCP_REBINDING:
        lease_tick(client, now);
        break;
    }
}

uint64_t dhcp_client_tick(struct dhcp_client *client, uint64_t now)
{
    if (client->has_lease && now >= client->lease.ends)
        lease_lose(client, DHCP_LOSS_ENDED, now);
    if (now >= client->due)
        due_tick(client, now);
    return client->has_lease ? RTE_MIN(client->due, client->lease.ends) : client->due;
}

/* The first that can be used is taken. */
static int offer_input(struct dhcp_client *client, const struct dhcp_message *m, uint64_t now)
{
    struct dhcp_lease lease;

    if (client->state != DHCP_SELECTING || dhcp_lease_read(m, now, &lease))
        return -EINVAL;
    client->offered = lease.addr;
    client->server = lease.server;
    client->state = DHCP_REQUESTING;
    client->nr_sent = 0;
    requesting_tick(client, now);
    return 0;
}

static int ack_input(struct dhcp_client *client, const struct dhcp_message *m, uint64_t now)
{
    bool is_requesting = client->state == DHCP_REQUESTING;
    struct dhcp_lease lease;

    if (m->yiaddr != (is_requesting ? client->offered : client->lease.addr) ||
        dhcp_lease_read(m, client->asked, &lease))
        return -EINVAL;
    client->lease = lease;
    client->has_lease = true;
    client->nr_failed = 0;
    client->state = DHCP_BOUND;
    client->due = lease.t1;
    dhcp_lease_keep(client->slot, client->identity, &lease);
    client->ops->bound(client, now);
    return 0;
}

static int nak_input(struct dhcp_client *client, uint64_t now)
{
    if (client->has_lease) {
        lease_lose(client, DHCP_LOSS_REFUSED, now);
    } else {
        client->nr_failed++;
        init_begin(client, now);
    }
    return 0;
}

/* Has something been asked for that a server may grant or refuse, and may this one? */
static bool is_answer(const struct dhcp_client *client, const struct dhcp_message *m)
{
    if (!(m->has & DHCP_HAS_SERVER) || client->nr_sent == 0)
        return false;
    switch (client->state) {
    case DHCP_REQUESTING:
        return m->server == client->server;
    case DHCP_RENEWING:
        return m->server == client->lease.server;
    case DHCP_REBOOTING:
    case DHCP_REBINDING:
        return true;
    default:
        return false;
    }
}

int dhcp_client_input(struct dhcp_client *client, const uint8_t *payload, uint32_t len,
                      uint64_t now)
{
    struct dhcp_message m;

    if (dhcp_parse(payload, len, &m) || m.op != DHCP_TO_CLIENT || m.xid != client->xid ||
        !rte_is_same_ether_addr(&m.chaddr, &client->mac))
        return -EINVAL;
    if (m.type == DHCP_OFFER)
        return offer_input(client, &m, now);
    if (m.type == DHCP_ACK && is_answer(client, &m))
        return ack_input(client, &m, now);
    if (m.type == DHCP_NAK && is_answer(client, &m))
        return nak_input(client, now);
    return -EINVAL;
}

void dhcp_client_mac_set(struct dhcp_client *client, const struct rte_ether_addr *mac, uint64_t now)
{
    if (rte_is_same_ether_addr(&client->mac, mac))
        return;
    client->mac = *mac;
    client->nr_failed = 0;
    if (client->has_lease)
        reboot_begin(client, now);
    else
        init_begin(client, now);
}

void dhcp_client_link_up(struct dhcp_client *client, uint64_t now)
{
    if (client->has_lease && is_our_mac(client)) {
        reboot_begin(client, now);
    } else if (!client->has_lease) {
        client->nr_failed = 0;
        init_begin(client, now);
    }
}
