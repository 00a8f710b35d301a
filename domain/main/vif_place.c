/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/vif_place.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <ferry/policy.h>

#include "eal/pool.h"
#include "main/topology.h"
#include "main/vif_place_internal.h"
#include "net/bridge.h"
#include "net/filter.h"
#include "net/router.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/xenstore.h"

/* What dom0 said about the vif in this place of the table. */
struct kept {
    uint32_t sum; /* recovery_sum() over all that follows; 0: void */
    domid_t guest;
    uint16_t handle;
    bool given; /* else dom0 says nothing, and policy holds nothing */
    struct policy policy;
};

static struct kept kept[VIF_MAX] __outlive;
struct place place_table[VIF_MAX];
static bool is_policy_required;
char place_why[VIF_WHY_SIZE];

void vif_place_init(bool policy_required)
{
    is_policy_required = policy_required;
    memset(place_table, 0, sizeof(place_table));
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
            return &place_table[i];
    return NULL;
}

static int refuse(int err, const char **why_r)
{
    *why_r = place_why;
    return err;
}

void place_limits_set(struct port *port, const struct bridge *in, const struct policy *policy)
{
    const struct config_bridge *bridge = topology_bridge_config(in);

    port->isolated = policy->isolated || bridge->isolated;
    port->storm_limit = policy->storm ? policy->storm : bridge->storm;
    port->rx_rate = (struct port_rate){ policy->rate_out.bytes, policy->rate_out.interval_us };
    port->tx_rate = (struct port_rate){ policy->rate_in.bytes, policy->rate_in.interval_us };
    port->finish_checksums = policy->tx_checksum_off;
}

int place_filter_make(struct filter *filter, const struct vif_wish *wish,
                      const struct policy *policy, bool is_routed)
{
    uint64_t drops[FILTER_NR_REASONS];
    const char *what = "";

    memcpy(drops, filter->drops, sizeof(drops));
    filter_init(filter, &wish->mac);
    memcpy(filter->drops, drops, sizeof(drops));
    /* A router looks at its guests' addresses itself. */
    if (wish->ip[0] && !is_routed && filter_sources_parse(filter, wish->ip, &what)) {
        snprintf(place_why, sizeof(place_why), "ip='%.40s%s': %s", wish->ip,
                 strlen(wish->ip) > 40 ? "..." : "", what);
        return -EINVAL;
    }
    filter_policy_set(filter, policy);
    return 0;
}

/* Returns 0 and whether the vif is routed, by which script; or -EINVAL. */
static int script_parse(const char *script, bool *is_routed, bool *is_nat)
{
    *is_nat = strcmp(script, "vif-nat") == 0;
    *is_routed = *is_nat || strcmp(script, "vif-route") == 0;
    if (*is_routed || !script[0] || strcmp(script, "vif-bridge") == 0 ||
        strcmp(script, "vif-openvswitch") == 0)
        return 0;
    snprintf(place_why, sizeof(place_why),
             "script='%s' is not understood; accepted: vif-bridge, vif-openvswitch, "
             "vif-route, vif-nat",
             script);
    return -EINVAL;
}

int vif_place_policy(struct port *port, const struct vif_wish *wish, const char *text, size_t len,
                     const char **why_r)
{
    static struct policy policy;
    struct place *place = &place_table[wish->index];
    struct kept *k = &kept[wish->index];
    char error[POLICY_ERROR_SIZE];
    int err = 0;

    policy_init(&policy);
    if (!text && is_policy_required) {
        snprintf(place_why, sizeof(place_why),
                 "dom0 has no policy for it, and extra= says policy=required: `ferry "
                 "policy` loads one");
        return refuse(-ENOENT, why_r);
    }
    if (text && policy_parse(text, len, &policy, error)) {
        snprintf(place_why, sizeof(place_why), "its policy: %s", error);
        return refuse(-EINVAL, why_r);
    }
    if (port->bridge)
        err = place_bridge_replace(port, wish, &policy, &k->policy);
    else if (port->router)
        err = place_router_replace(port, wish, &policy, &k->policy);
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

    if (!place_table[wish->index].is_known && !kept_is_of(k, wish)) {
        snprintf(place_why, sizeof(place_why), "what is kept of its policy is damaged");
        err = -EBADMSG;
    }
    if (!err)
        err = script_parse(wish->script, &is_routed, &is_nat);
    if (!err)
        err = is_routed ? place_router_attach(port, wish, &k->policy, is_nat)
                        : place_bridge_attach(port, wish, &k->policy);
    return err ? refuse(err, why_r) : 0;
}

static uint64_t refused_of(const struct port *port, const struct filter *filter)
{
    uint64_t sum = port->stats.rx_drops_vlan + port->stats.rx_drops_storm +
                   port->stats.rx_drops_pinned + port->stats.rx_drops_isolated;

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
    part_add(text, sizeof(text), "isolated", port->stats.rx_drops_isolated);
    log_limited(&place->limit, LOG_WARN, "%s: frames refused so far: %s", port->name, text);
}

void vif_place_report(void)
{
    for (unsigned int i = 0; i < VIF_MAX; i++) {
        const struct port *port = vif_port(i);
        uint64_t refused = port ? refused_of(port, &place_table[i].filter) : 0;

        if (port && refused != place_table[i].reported)
            refused_say(port, &place_table[i]);
        place_table[i].reported = refused;
    }
}

void vif_place_detach(struct port *port)
{
    struct place *place = place_of(port);

    place_router_remove(port);
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
