/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DHCP client against a server that knows its xid and MAC, or does not: whatever comes when, a lease that is used
 * is a sane one within its time, and the client never wants to be called again at once for ever.
 */
#include "fuzz.h"
#include "net/address.h"
#include "net/dhcp_client.h"

#define SECOND 1000000000ull
#define STEPS_MAX 64
#define AT_XID 4
#define AT_YIADDR 16
#define AT_CHADDR 28
#define MESSAGE_MIN 240

static const struct rte_ether_addr macs[2] = { { { 2, 0, 0, 0, 0, 1 } }, { { 2, 0, 0, 0, 0, 2 } } };

static struct dhcp_client client;
static uint64_t now;
static bool is_used; /* by what the client has said */
static unsigned int nr_sent; /* since the time has passed */

static void on_send(struct dhcp_client *c, rte_be32_t src, rte_be32_t dst, const void *payload,
                    uint16_t len, uint64_t at)
{
    struct dhcp_message m;

    FUZZ_CHECK(c == &client && at == now && dhcp_parse(payload, len, &m) == 0);
    FUZZ_CHECK(m.op == DHCP_TO_SERVER && m.xid == client.xid && m.ciaddr == src);
    FUZZ_CHECK(src == 0 || (is_used && src == client.lease.addr));
    FUZZ_CHECK(dst == UINT32_MAX || (is_used && dst == client.lease.server));
    FUZZ_CHECK(nr_sent++ < 16);
}

static void on_bound(struct dhcp_client *c, uint64_t at)
{
    (void)c;
    FUZZ_CHECK(at == now);
    is_used = true;
}

static void on_lost(struct dhcp_client *c, enum dhcp_loss loss, uint64_t at)
{
    (void)c;
    FUZZ_CHECK(at == now && is_used && loss <= DHCP_LOSS_MAC);
    is_used = false;
}

static const struct dhcp_client_ops ops = { on_send, on_bound, on_lost };

static void lease_check(void)
{
    const struct dhcp_lease *lease = &client.lease;

    FUZZ_CHECK(client.has_lease == is_used);
    if (!is_used)
        return;
    FUZZ_CHECK(ip4_is_host(lease->addr) && ip4_is_host(lease->server));
    FUZZ_CHECK(lease->len >= 8 && lease->len <= 32 && lease->nr_dns <= DHCP_DNS_MAX);
    FUZZ_CHECK(lease->gateway == 0 || ip4_is_host(lease->gateway));
    FUZZ_CHECK(lease->mtu == 0 || (lease->mtu >= 576 && lease->mtu <= 9000));
    FUZZ_CHECK(lease->begins <= now && lease->t1 <= lease->t2 && lease->t2 <= lease->ends);
    FUZZ_CHECK(lease->ends - lease->begins >= 60 * SECOND);
}

static void tick(void)
{
    uint64_t due = dhcp_client_tick(&client, now);

    FUZZ_CHECK(due > now);
    FUZZ_CHECK(!is_used || now < client.lease.ends);
    nr_sent = 0;
}

/* A message of the input's, with the right xid and MAC, and the right address, if the kind says so. */
static void message_give(struct fuzz_input *input, uint8_t kind)
{
    const uint8_t *bytes;
    size_t len = fuzz_take(input, MESSAGE_MIN + fuzz_u8(input), &bytes);
    uint8_t *copy = fuzz_copy(bytes, len);
    rte_be32_t xid = rte_cpu_to_be_32(client.xid);

    if (len >= MESSAGE_MIN && (kind & 8)) {
        memcpy(copy + AT_XID, &xid, sizeof(xid));
        memcpy(copy + AT_CHADDR, &client.mac, sizeof(client.mac));
    }
    if (len >= MESSAGE_MIN && (kind & 16) && client.has_lease)
        memcpy(copy + AT_YIADDR, &client.lease.addr, sizeof(client.lease.addr));
    (void)dhcp_client_input(&client, copy, (uint32_t)len, now);
    free(copy);
}

static void restart(void)
{
    bool had = is_used, has;

    is_used = false;
    dhcp_client_start(&client, &ops, 0, 7, &macs[0], 9, now);
    has = dhcp_client_resume(&client, now);
    FUZZ_CHECK(has == is_used && (!has || had));
}

static void step(struct fuzz_input *input)
{
    uint8_t kind = fuzz_u8(input);

    switch (kind & 7) {
    case 0:
        now += fuzz_u8(input) * SECOND;
        break;
    case 1:
        now = RTE_MIN(client.due, now + (1ull << 52));
        break;
    case 2:
        dhcp_client_mac_set(&client, &macs[kind >> 3 & 1], now);
        break;
    case 3:
        dhcp_client_link_up(&client, now);
        break;
    case 4:
        restart();
        break;
    default:
        message_give(input, kind);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    now = 1000 * SECOND;
    is_used = false;
    nr_sent = 0;
    dhcp_lease_keep(0, 7, NULL);
    dhcp_client_start(&client, &ops, 0, 7, &macs[0], 9, now);
    for (unsigned int i = 0; i < STEPS_MAX && input.left; i++) {
        step(&input);
        tick();
        lease_check();
    }
    return 0;
}
