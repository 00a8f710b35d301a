/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/vif_place.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <ferry/address.h>
#include <ferry/policy.h>

#include <rte_jhash.h>

#include "eal/pool.h"
#include "main/topology.h"
#include "net/bridge.h"
#include "net/filter.h"
#include "net/router.h"
#include "net/services.h"
#include "net/vlan.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/xenstore.h"

#define WIRE_MTU RTE_ETHER_MTU /* of every NIC so far */
#define WHY_SIZE VIF_WHY_SIZE
#define NAT_ROUTER_OFFSET 127 /* from a guest's address to its router's, as vif-nat does */
#define NAT_DEFAULT_LEN 16

/* What dom0 said about the vif in this place of the table. */
struct kept {
    uint32_t sum; /* recovery_sum() over all that follows; 0: void */
    domid_t guest;
    uint16_t handle;
    bool given; /* else dom0 says nothing, and policy holds nothing */
    struct policy policy;
};

/* What a vif's port points to. */
struct place {
    bool is_known; /* kept[] was written in this start, or is right */
    struct vlan_set vlans;
    struct filter filter;
    uint64_t reported; /* frames refused, when last said */
    struct log_limit limit;
};

static struct kept kept[VIF_MAX] __outlive;
static struct place places[VIF_MAX];
static bool is_policy_required;
static char why[WHY_SIZE];

void vif_place_init(bool policy_required)
{
    is_policy_required = policy_required;
    memset(places, 0, sizeof(places));
    if (!recovery_resuming())
        memset(kept, 0, sizeof(kept));
}

static uint32_t kept_sum(const struct kept *k)
{
    const size_t skip = offsetof(struct kept, guest);

    return recovery_sum((const char *)k + skip, sizeof(*k) - skip);
}

static bool kept_is_of(const struct kept *k, const struct vif_wish *wish)
{
    return k->sum == kept_sum(k) && k->guest == wish->guest && k->handle == wish->handle;
}

/* A vif's port, from its place; ports and places are in the same order. */
static struct place *place_of(const struct port *port)
{
    for (unsigned int i = 0; i < VIF_MAX; i++)
        if (vif_port(i) == port)
            return &places[i];
    return NULL;
}

static int refuse(int err, const char **why_r)
{
    *why_r = why;
    return err;
}

/* What of a policy can change while the vif is where it is. */
static void limits_set(struct port *port, const struct vif_wish *wish, const struct policy *policy)
{
    const struct config_bridge *bridge = port->bridge ? topology_bridge_config(port->bridge) : NULL;

    (void)wish;
    port->isolated = policy->isolated || (bridge && bridge->isolated);
    port->storm_limit = policy->storm ? policy->storm : bridge ? bridge->storm : 0;
    port->rx_rate = (struct port_rate){ policy->rate_out.bytes, policy->rate_out.interval_us };
    port->tx_rate = (struct port_rate){ policy->rate_in.bytes, policy->rate_in.interval_us };
    port->finish_checksums = policy->tx_checksum_off;
}

/* The filter that ip= and a policy make. Returns 0, or -EINVAL with why. */
static int filter_make(struct filter *filter, const struct vif_wish *wish,
                       const struct policy *policy, bool is_routed)
{
    const char *what = "";

    filter_init(filter, &wish->mac);
    /* A router looks at its guests' addresses itself. */
    if (wish->ip[0] && !is_routed && filter_sources_parse(filter, wish->ip, &what)) {
        snprintf(why, sizeof(why), "ip='%.40s%s': %s", wish->ip, strlen(wish->ip) > 40 ? "..." : "",
                 what);
        return -EINVAL;
    }
    filter_policy_set(filter, policy);
    return 0;
}

static void pins_set(struct port *port, const struct policy *policy, uint16_t vid)
{
    for (unsigned int i = 0; i < policy->nr_stations; i++) {
        struct rte_ether_addr mac;

        memcpy(mac.addr_bytes, policy->stations[i], sizeof(mac.addr_bytes));
        if (bridge_station_pin(port, vid, &mac) != 0)
            log_error("%s: station %u of its policy cannot be set: it is another's", port->name,
                      i + 1);
    }
}

/* VLANs by bridge=NAME.TAG, vlan= or the policy: one of them at most. */
static int vlans_find(const struct vif_wish *wish, const struct policy *policy,
                      struct vlan_set *vlans, bool *has_vlans, struct bridge **bridge_r)
{
    char name[BRIDGE_NAME_SIZE];
    const char *what = "";
    const char *list = policy->vlan[0] ? policy->vlan : wish->vlan;

    *has_vlans = false;
    *bridge_r = bridge_find(wish->bridge);
    if (!*bridge_r) {
        if (vlan_bridge_parse(wish->bridge, name, sizeof(name), vlans, has_vlans, &what)) {
            snprintf(why, sizeof(why), "bridge='%.40s': %s; bridges are: %s", wish->bridge, what,
                     topology_bridge_names());
            return -EINVAL;
        }
        *bridge_r = bridge_find(name);
    }
    if (!*bridge_r) {
        snprintf(why, sizeof(why), "no bridge '%.40s'; bridges are: %s", wish->bridge,
                 topology_bridge_names());
        return -ENOENT;
    }
    if (!list[0])
        return 0;
    if (*has_vlans || (policy->vlan[0] && wish->vlan[0])) {
        snprintf(why, sizeof(why),
                 "VLANs are said twice; accepted: one of bridge=NAME.VID, vlan= "
                 "and `vlan` in the policy");
        return -EINVAL;
    }
    *has_vlans = true;
    if (vlan_list_parse(list, vlans, &what)) {
        snprintf(why, sizeof(why), "vlan='%.40s': %s", list, what);
        return -EINVAL;
    }
    return 0;
}

static int bridge_wish_check(const struct vif_wish *wish, const struct bridge *bridge)
{
    const struct config_bridge *config = topology_bridge_config(bridge);

    if (wish->gatewaydev[0])
        snprintf(why, sizeof(why),
                 "gatewaydev='%s' means nothing to %s; accepted: with "
                 "script=vif-route or script=vif-nat",
                 wish->gatewaydev, wish->script[0] ? wish->script : "vif-bridge");
    else if (wish->mtu > WIRE_MTU && config->uplink.kind != CONFIG_NIC_NONE)
        snprintf(why, sizeof(why),
                 "mtu='%u' does not fit the wire of bridge %s; accepted: up to %u", wish->mtu,
                 config->name, WIRE_MTU);
    else
        return 0;
    return -EINVAL;
}

static int bridge_attach(struct port *port, const struct vif_wish *wish,
                         const struct policy *policy)
{
    struct place *place = &places[wish->index];
    struct bridge *bridge;
    bool has_vlans;
    int err = vlans_find(wish, policy, &place->vlans, &has_vlans, &bridge);

    if (!err)
        err = bridge_wish_check(wish, bridge);
    if (!err)
        err = filter_make(&place->filter, wish, policy, false);
    if (err)
        return err;
    port->vlans = has_vlans ? &place->vlans : NULL;
    port->filter = filter_is_needed(&place->filter) ? &place->filter : NULL;
    err = bridge_port_add(bridge, port, false);
    if (err) {
        snprintf(why, sizeof(why), "bridge '%s' is full", bridge_name(bridge));
        return err;
    }
    limits_set(port, wish, policy);
    pins_set(port, policy, has_vlans && place->vlans.pvid != VLAN_NONE ? place->vlans.pvid : 0);
    return 0;
}

/* The next address of a list that blanks or commas divide; false at its end. */
static bool address_next(const char **list, const char **at_r, size_t *len_r)
{
    static const char separators[] = " ,\t";

    *at_r = *list + strspn(*list, separators);
    *len_r = strcspn(*at_r, separators);
    *list = *at_r + *len_r;
    return *len_r > 0;
}

static int addresses_take(const struct vif_wish *wish, struct router_vif_config *config)
{
    const char *list = wish->ip, *at;
    size_t len;

    while (address_next(&list, &at, &len)) {
        uint8_t addr[16], bits;
        bool is_ip6;

        if (prefix_parse(at, len, &is_ip6, addr, &bits) || bits == 0) {
            snprintf(why, sizeof(why),
                     "ip='%.*s' is no address; accepted: IPv4 and IPv6 addresses with or without "
                     "/LEN, divided by blanks",
                     (int)RTE_MIN(len, (size_t)40), at);
            return -EINVAL;
        }
        if ((is_ip6 ? config->nr_ip6 : config->nr_ip4) == ROUTER_PREFIXES_MAX) {
            snprintf(why, sizeof(why), "ip= has too many addresses; accepted: %u of each kind",
                     ROUTER_PREFIXES_MAX);
            return -EINVAL;
        }
        if (is_ip6) {
            memcpy(config->ip6[config->nr_ip6].addr, addr, 16);
            config->ip6[config->nr_ip6++].len = bits;
        } else {
            memcpy(&config->ip4[config->nr_ip4].addr, addr, 4);
            config->ip4[config->nr_ip4++].len = bits;
        }
    }
    return 0;
}

/* As the script does without ip=: 10, the domain's id in two bytes, the vif's number from 1. */
static void nat_address_make(const struct vif_wish *wish, struct router_vif_config *config)
{
    uint32_t addr = 10u << 24 | (uint32_t)wish->guest << 8 | ((wish->handle + 1u) & 0xff);

    config->nr_ip4 = 1;
    config->ip4[0] =
        (struct router_prefix4){ .addr = rte_cpu_to_be_32(addr), .len = NAT_DEFAULT_LEN };
}

/* A vif-nat guest has one IPv4 address, and its router one that is 127 above it. */
static int nat_settle(const struct vif_wish *wish, struct router_vif_config *config)
{
    uint32_t addr;

    config->nat = config->serve_dhcp = config->serve_dns = true;
    if (!wish->ip[0])
        nat_address_make(wish, config);
    if (config->nr_ip4 != 1 || config->nr_ip6 != 0) {
        snprintf(why, sizeof(why),
                 "ip='%.40s': vif-nat takes one IPv4 address (none: it is made from "
                 "the domain's id); IPv6 is routed by vif-route",
                 wish->ip);
        return -EINVAL;
    }
    addr = rte_be_to_cpu_32(config->ip4[0].addr);
    if ((addr & 0xff) == 0 || (addr & 0xff) + NAT_ROUTER_OFFSET >= 255) {
        snprintf(why, sizeof(why),
                 "ip='%.40s': vif-nat gives the router the address %u above it; "
                 "accepted: last numbers from 1 to %u",
                 wish->ip, NAT_ROUTER_OFFSET, 254 - NAT_ROUTER_OFFSET);
        return -EINVAL;
    }
    config->router_ip4 = rte_cpu_to_be_32(addr + NAT_ROUTER_OFFSET);
    return 0;
}

static int routed_wish_check(const struct vif_wish *wish, const struct policy *policy)
{
    if (wish->vlan[0] || policy->vlan[0])
        snprintf(why, sizeof(why),
                 "vlan='%.40s': a routed vif is in no VLAN; accepted: with "
                 "script=vif-bridge or script=vif-openvswitch",
                 wish->vlan[0] ? wish->vlan : policy->vlan);
    else if (policy->storm || policy->nr_stations)
        snprintf(why, sizeof(why), "the policy's `storm` and `station` are for vifs in bridges");
    else
        return 0;
    return -EINVAL;
}

/* A guest is known by its MAC after a restart, and when it comes again with another id. */
static uint32_t identity_of(const struct rte_ether_addr *mac, bool is_nat)
{
    uint32_t words[2] = { 0 };

    memcpy(words, mac, sizeof(*mac));
    return rte_jhash_2words(words[0], words[1], is_nat);
}

/* The guest's own addresses, each by itself in the router; with its length for DHCP in ip4[0] of config. */
static int routed_attach(struct port *port, const struct vif_wish *wish,
                         const struct policy *policy, bool is_nat)
{
    static struct router_vif_config config;
    struct place *place = &places[wish->index];
    const char *what = "";
    struct router *router;
    uint8_t dhcp_len;
    int err = routed_wish_check(wish, policy);

    memset(&config, 0, sizeof(config));
    if (!err && topology_router_find(wish->gatewaydev, wish->bridge, &router, &what)) {
        snprintf(why, sizeof(why), "script=%s: %s", wish->script, what);
        err = -ENOENT;
    }
    if (!err)
        err = addresses_take(wish, &config);
    if (!err && !is_nat && config.nr_ip4 + config.nr_ip6 == 0) {
        snprintf(why, sizeof(why), "script=vif-route needs ip=: nobody could reach the guest");
        err = -EINVAL;
    }
    if (!err && is_nat)
        err = nat_settle(wish, &config);
    if (!err)
        err = filter_make(&place->filter, wish, policy, true);
    if (err)
        return err;
    config.guest_mac = wish->mac;
    config.identity = identity_of(&wish->mac, is_nat);
    dhcp_len = config.ip4[0].len;
    if (is_nat)
        config.ip4[0].len = 32; /* no more of the net than its address is the guest's */
    port->vlans = NULL;
    port->filter = filter_is_needed(&place->filter) ? &place->filter : NULL;
    limits_set(port, wish, policy);
    err = router_vif_add(router, port, wish->index, &config, &what);
    if (err) {
        snprintf(why, sizeof(why), "ip='%.40s': %s", wish->ip, err == -EINVAL ? what : "no place");
        return err;
    }
    return is_nat ? services_vif_add(port, dhcp_len) : 0;
}

/* Returns 0 and whether the vif is routed, by which script; or -EINVAL. */
static int script_parse(const char *script, bool *is_routed, bool *is_nat)
{
    *is_nat = strcmp(script, "vif-nat") == 0;
    *is_routed = *is_nat || strcmp(script, "vif-route") == 0;
    if (*is_routed || !script[0] || strcmp(script, "vif-bridge") == 0 ||
        strcmp(script, "vif-openvswitch") == 0)
        return 0;
    snprintf(why, sizeof(why),
             "script='%s' is not understood; accepted: vif-bridge, vif-openvswitch, "
             "vif-route, vif-nat",
             script);
    return -EINVAL;
}

/* The vif is behind its router and stays there, with its flows. */
static int routed_replace(struct port *port, const struct vif_wish *wish,
                          const struct policy *policy)
{
    static struct filter filter;
    struct place *place = &places[wish->index];
    int err = routed_wish_check(wish, policy);

    if (!err)
        err = filter_make(&filter, wish, policy, true);
    if (err)
        return err;
    memcpy(filter.drops, place->filter.drops, sizeof(filter.drops));
    place->filter = filter;
    port->filter = filter_is_needed(&place->filter) ? &place->filter : NULL;
    limits_set(port, wish, policy);
    return 0;
}

/* Out of its bridge and in again: its stations are learned anew. Nothing is forwarded in between. */
static int bridged_replace(struct port *port, const struct vif_wish *wish,
                           const struct policy *policy)
{
    int err;

    bridge_port_remove(port);
    err = bridge_attach(port, wish, policy);
    if (err && bridge_attach(port, wish, &kept[wish->index].policy))
        log_error("%s: in no bridge any more", port->name);
    return err;
}

int vif_place_policy(struct port *port, const struct vif_wish *wish, const char *text, size_t len,
                     const char **why_r)
{
    static struct policy policy;
    struct place *place = &places[wish->index];
    struct kept *k = &kept[wish->index];
    char error[POLICY_ERROR_SIZE];
    int err = 0;

    policy_init(&policy);
    if (!text && is_policy_required) {
        snprintf(why, sizeof(why),
                 "dom0 has no policy for it, and extra= says policy=required: `ferry "
                 "policy` loads one");
        return refuse(-ENOENT, why_r);
    }
    if (text && policy_parse(text, len, &policy, error)) {
        snprintf(why, sizeof(why), "its policy: %s", error);
        return refuse(-EINVAL, why_r);
    }
    if (port->bridge)
        err = bridged_replace(port, wish, &policy);
    else if (port->router)
        err = routed_replace(port, wish, &policy);
    if (err)
        return refuse(err, why_r);
    k->sum = 0;
    barrier();
    k->guest = wish->guest;
    k->handle = wish->handle;
    k->given = text != NULL;
    k->policy = policy;
    k->sum = kept_sum(k);
    place->is_known = true;
    return 0;
}

int vif_place_attach(struct port *port, const struct vif_wish *wish, const char **why_r)
{
    const struct kept *k = &kept[wish->index];
    bool is_routed, is_nat;
    int err = 0;

    if (!places[wish->index].is_known && !kept_is_of(k, wish)) {
        snprintf(why, sizeof(why), "what is kept of its policy is damaged");
        err = -EBADMSG;
    }
    if (!err)
        err = script_parse(wish->script, &is_routed, &is_nat);
    if (!err)
        err = is_routed ? routed_attach(port, wish, &k->policy, is_nat)
                        : bridge_attach(port, wish, &k->policy);
    return err ? refuse(err, why_r) : 0;
}

static uint64_t refused_of(const struct port *port, const struct filter *filter)
{
    uint64_t sum =
        port->stats.rx_drops_vlan + port->stats.rx_drops_storm + port->stats.rx_drops_pinned;

    for (unsigned int i = 1; i < FILTER_NR_REASONS; i++)
        sum += filter->drops[i];
    return sum;
}

static void part_add(char *text, size_t size, const char *name, uint64_t nr)
{
    size_t len = strlen(text);

    if (nr)
        snprintf(text + len, size - len, "%s%s %lu", len ? ", " : "", name, nr);
}

static void refused_say(const struct port *port, struct place *place)
{
    char text[256] = "";

    for (unsigned int i = 1; i < FILTER_NR_REASONS; i++)
        part_add(text, sizeof(text), filter_reason_name(i), place->filter.drops[i]);
    part_add(text, sizeof(text), "VLAN", port->stats.rx_drops_vlan);
    part_add(text, sizeof(text), "storm", port->stats.rx_drops_storm);
    part_add(text, sizeof(text), "station", port->stats.rx_drops_pinned);
    log_limited(&place->limit, LOG_WARN, "%s: frames refused so far: %s", port->name, text);
}

void vif_place_report(void)
{
    for (unsigned int i = 0; i < VIF_MAX; i++) {
        const struct port *port = vif_port(i);
        uint64_t refused = port ? refused_of(port, &places[i].filter) : 0;

        if (port && refused != places[i].reported)
            refused_say(port, &places[i]);
        places[i].reported = refused;
    }
}

void vif_place_detach(struct port *port)
{
    struct place *place = place_of(port);

    services_vif_remove(port);
    router_vif_remove(port);
    bridge_port_remove(port);
    port->filter = NULL;
    port->vlans = NULL;
    place->is_known = false;
    memset(&place->filter, 0, sizeof(place->filter));
    place->reported = 0;
    /* What a vif leaves behind by mistake shows here, from one vif to the next. */
    log_debug("%s: gone; in use now: %u event channels, %u mapped pages, %u mbufs", port->name,
              evtchn_nr_open(), gnttab_nr_maps(), rte_mempool_in_use_count(mbuf_pool()));
}

static void policies_changed(void *ctx, const char *path)
{
    (void)ctx;
    (void)path;
    vif_policies_changed();
}

int vif_place_watch(void)
{
    static unsigned int id;

    return xenstore_watch("ferry/policy-generation", policies_changed, NULL, &id);
}
