/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services_uplink.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_jhash.h>

#include "net/bridge.h"
#include "net/dhcp_client.h"
#include "net/dns_forward.h"
#include "net/rate.h"
#include "net/router.h"
#include "net/services.h"

#define NS_PER_SECOND 1000000000ull

/* At most so many lines about one router at once, and one more in each interval. */
#define LINES_BURST 8
#define LINES_NS (60 * NS_PER_SECOND)
#define LINE_SIZE 256

/* When nothing has come back for so many DISCOVERs the admin is told. */
#define DISCOVERS_BEFORE_LINE 4

struct uplink {
    struct dhcp_client client; /* first, so that it is found by it */
    struct router *router; /* NULL: unused */
    bool wants_dns;
    bool has_started; /* the client has; that takes the time */
    bool has_missed; /* it was said that nobody answers */
    uint16_t mtu_max; /* of the bridge: a longer one is not taken */
    struct rate lines;
};

_Static_assert(DHCP_LEASES_MAX >= ROUTER_MAX, "each router's lease can be kept");

static struct uplink uplinks[ROUTER_MAX];
static uint64_t seed_given;
static void (*say_line)(const char *line);

/* A line that grows at its end. */
struct line {
    size_t len;
    char text[LINE_SIZE];
};

static __attribute__((format(printf, 2, 3))) void line_add(struct line *line, const char *format,
                                                           ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(line->text + line->len, LINE_SIZE - line->len, format, args);
    va_end(args);
    line->len += strlen(line->text + line->len);
}

static void line_add_ip4(struct line *line, const char *before, rte_be32_t ip4)
{
    uint32_t n = rte_be_to_cpu_32(ip4);

    line_add(line, "%s%u.%u.%u.%u", before, n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255);
}

static void say(struct uplink *uplink, const struct line *line, uint64_t now)
{
    if (say_line && rate_take(&uplink->lines, LINES_NS, LINES_BURST, now))
        say_line(line->text);
}

static void line_begin(struct line *line, const struct uplink *uplink)
{
    line->len = 0;
    line_add(line, "bridge %s: ", bridge_name(router_bridge(uplink->router)));
}

static void line_add_address(struct line *line, const struct dhcp_lease *lease)
{
    line_add_ip4(line, "", lease->addr);
    line_add(line, "/%u", lease->len);
}

/* "bridge xenbr0: address 192.0.2.7/24 by DHCP from 192.0.2.1 for 3600 s; gateway 192.0.2.1; DNS 192.0.2.1" */
static void say_bound(struct uplink *uplink, uint64_t now)
{
    const struct dhcp_lease *lease = &uplink->client.lease;
    bool is_kept = uplink->client.state == DHCP_REBOOTING;
    struct line line;

    line_begin(&line, uplink);
    line_add(&line, is_kept ? "keeps address " : "address ");
    line_add_address(&line, lease);
    line_add_ip4(&line, " by DHCP from ", lease->server);
    if (lease->ends == UINT64_MAX)
        line_add(&line, " for ever");
    else
        line_add(&line, " for %u s",
                 (unsigned int)((lease->ends - (is_kept ? now : lease->begins)) / NS_PER_SECOND));
    if (lease->gateway)
        line_add_ip4(&line, "; gateway ", lease->gateway);
    else
        line_add(&line, "; no gateway");
    for (unsigned int i = 0; i < lease->nr_dns; i++)
        line_add_ip4(&line, i ? " " : "; DNS ", lease->dns[i]);
    if (lease->mtu && lease->mtu != uplink->mtu_max)
        line_add(&line, "; MTU %u%s", lease->mtu,
                 lease->mtu > uplink->mtu_max ? " is not taken" : "");
    say(uplink, &line, now);
}

static void say_unusable(struct uplink *uplink, uint64_t now)
{
    struct line line;

    line_begin(&line, uplink);
    line_add(&line, "address ");
    line_add_address(&line, &uplink->client.lease);
    line_add_ip4(&line, " by DHCP from ", uplink->client.lease.server);
    line_add(&line, " cannot be used: it, or its gateway, is a guest's");
    say(uplink, &line, now);
}

static void dhcp_send(struct dhcp_client *client, rte_be32_t src, rte_be32_t dst,
                      const void *payload, uint16_t len, uint64_t now)
{
    struct uplink *uplink = (struct uplink *)client;
    int err = router_udp_send(uplink->router, NULL, src, DHCP_CLIENT_PORT, dst, DHCP_SERVER_PORT,
                              payload, len, NULL, now);

    (void)err; /* it is sent again if it is lost */
}

static void mtu_set(struct uplink *uplink, uint16_t said)
{
    router_mtu_set(uplink->router, said && said < uplink->mtu_max ? said : uplink->mtu_max);
}

static bool is_same_net(const struct router_addresses *a, const struct router_addresses *b)
{
    return a->has_ip4 == b->has_ip4 && a->ip4 == b->ip4 && a->len4 == b->len4 &&
           a->gateway4 == b->gateway4;
}

/* Called again each time that the lease is renewed: only what is new makes a difference, and a line. */
static void dhcp_bound(struct dhcp_client *client, uint64_t now)
{
    struct uplink *uplink = (struct uplink *)client;
    const struct dhcp_lease *lease = &client->lease;
    struct router_addresses addresses = *router_addresses(uplink->router);

    addresses.has_ip4 = true;
    addresses.ip4 = lease->addr;
    addresses.len4 = lease->len;
    addresses.gateway4 = lease->gateway;
    uplink->has_missed = false;
    mtu_set(uplink, lease->mtu);
    if (uplink->wants_dns)
        dns_forward_servers_set((uint8_t)client->slot, lease->dns, lease->nr_dns);
    if (is_same_net(&addresses, router_addresses(uplink->router)))
        return;
    if (router_addresses_set(uplink->router, &addresses, now))
        say_unusable(uplink, now);
    else
        say_bound(uplink, now);
}

static void dhcp_lost(struct dhcp_client *client, enum dhcp_loss loss, uint64_t now)
{
    static const char *const why[] = { [DHCP_LOSS_ENDED] = "its lease has ended",
                                       [DHCP_LOSS_REFUSED] = "the DHCP server refuses it",
                                       [DHCP_LOSS_MAC] = "it was lent to another MAC" };
    struct uplink *uplink = (struct uplink *)client;
    struct router_addresses addresses = *router_addresses(uplink->router);
    struct line line;
    int err;

    addresses.has_ip4 = false;
    err = router_addresses_set(uplink->router, &addresses, now);
    (void)err; /* what is left was right before */
    mtu_set(uplink, 0);
    if (uplink->wants_dns)
        dns_forward_servers_set((uint8_t)client->slot, NULL, 0);
    line_begin(&line, uplink);
    line_add(&line, "has lost address ");
    line_add_address(&line, &client->lease);
    line_add(&line, ": %s", why[loss]);
    say(uplink, &line, now);
}

static const struct dhcp_client_ops ops = { dhcp_send, dhcp_bound, dhcp_lost };

void services_uplink_init(uint64_t seed, void (*say)(const char *line))
{
    memset(uplinks, 0, sizeof(uplinks));
    seed_given = seed;
    say_line = say;
}

void services_uplink_add(struct router *router, bool wants_dns)
{
    struct uplink *uplink = &uplinks[router_index(router)];

    *uplink =
        (struct uplink){ .router = router, .wants_dns = wants_dns, .mtu_max = router_mtu(router) };
}

/* A bridge of this name has the lease that it had before a restart. */
static void start(struct uplink *uplink, uint64_t now)
{
    const char *name = bridge_name(router_bridge(uplink->router));
    unsigned int index = router_index(uplink->router);

    dhcp_client_start(&uplink->client, &ops, index, rte_jhash(name, (uint32_t)strlen(name), 0),
                      router_mac(uplink->router), seed_given, now);
    uplink->has_started = true;
    (void)dhcp_client_resume(&uplink->client, now);
}

static bool is_dhcp(const struct uplink *uplink)
{
    return uplink->router && uplink->has_started;
}

/* Servers are in the bridge: no guest behind the router is one for it. */
void services_uplink_handle(const struct router_udp *udp)
{
    struct uplink *uplink = &uplinks[router_index(udp->router)];

    if (!udp->vif && is_dhcp(uplink) && udp->sport == DHCP_SERVER_PORT)
        (void)dhcp_client_input(&uplink->client, udp->payload, udp->len, udp->now);
}

void services_link_up(const struct router *router, uint64_t now)
{
    struct uplink *uplink = &uplinks[router_index(router)];

    if (is_dhcp(uplink))
        dhcp_client_link_up(&uplink->client, now);
}

static void missed_say(struct uplink *uplink, uint64_t now)
{
    struct line line;

    if (uplink->has_missed || uplink->client.state != DHCP_SELECTING ||
        uplink->client.nr_sent < DISCOVERS_BEFORE_LINE)
        return;
    uplink->has_missed = true;
    line_begin(&line, uplink);
    line_add(&line, "no DHCP server answers so far; it is tried again");
    say(uplink, &line, now);
}

static uint64_t uplink_tick(struct uplink *uplink, uint64_t now)
{
    uint64_t due;

    if (!uplink->has_started)
        start(uplink, now);
    dhcp_client_mac_set(&uplink->client, router_mac(uplink->router), now);
    due = dhcp_client_tick(&uplink->client, now);
    missed_say(uplink, now);
    return due;
}

uint64_t services_uplink_tick(uint64_t now)
{
    uint64_t due = UINT64_MAX;

    for (unsigned int i = 0; i < ROUTER_MAX; i++)
        if (uplinks[i].router)
            due = RTE_MIN(due, uplink_tick(&uplinks[i], now));
    return due;
}
