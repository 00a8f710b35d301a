/* SPDX-License-Identifier: BSD-2-Clause */
/* Vifs in bridges: script=vif-bridge and vif-openvswitch. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "main/topology.h"
#include "main/vif_place_internal.h"
#include "net/bridge.h"

static int pins_set(struct port *port, const struct policy *policy, uint16_t vid)
{
    for (unsigned int i = 0; i < policy->nr_stations; i++) {
        struct rte_ether_addr mac;

        memcpy(mac.addr_bytes, policy->stations[i], sizeof(mac.addr_bytes));
        if (vid != VLAN_NONE && bridge_station_pin(port, vid, &mac) == 0)
            continue;
        snprintf(place_why, sizeof(place_why), "station %u of its policy cannot be set: %s", i + 1,
                 vid == VLAN_NONE ? "the vif has no VLAN for untagged frames"
                                  : "it is pinned to another port");
        return -EINVAL;
    }
    return 0;
}

/* As vif-bridge does for old configurations: where there is no xenbrN, ethN may be meant. */
static struct bridge *bridge_find_as_script(const char *name)
{
    struct bridge *bridge = bridge_find(name);
    char other[BRIDGE_NAME_SIZE];

    if (bridge || strncmp(name, "xenbr", 5) != 0)
        return bridge;
    snprintf(other, sizeof(other), "eth%s", name + 5);
    return bridge_find(other);
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
            snprintf(place_why, sizeof(place_why), "bridge='%.40s': %s; bridges are: %s",
                     wish->bridge, what, topology_bridge_names());
            return -EINVAL;
        }
        *bridge_r = bridge_find_as_script(name);
    }
    if (!*bridge_r) {
        snprintf(place_why, sizeof(place_why), "no bridge '%.40s'; bridges are: %s", wish->bridge,
                 topology_bridge_names());
        return -ENOENT;
    }
    if (!list[0])
        return 0;
    if (*has_vlans || (policy->vlan[0] && wish->vlan[0])) {
        snprintf(place_why, sizeof(place_why),
                 "VLANs are said twice; accepted: one of bridge=NAME.VID, vlan= "
                 "and `vlan` in the policy");
        return -EINVAL;
    }
    *has_vlans = true;
    if (vlan_list_parse(list, vlans, &what)) {
        snprintf(place_why, sizeof(place_why), "vlan='%.40s': %s", list, what);
        return -EINVAL;
    }
    return 0;
}

static int bridge_wish_check(const struct vif_wish *wish, const struct bridge *bridge)
{
    const struct config_bridge *config = topology_bridge_config(bridge);
    uint16_t most = config_bridge_mtu(config);

    if (wish->gatewaydev[0])
        snprintf(place_why, sizeof(place_why),
                 "gatewaydev='%s' means nothing to %s; accepted: with "
                 "script=vif-route or script=vif-nat",
                 wish->gatewaydev, wish->script[0] ? wish->script : "vif-bridge");
    else if (wish->mtu > most && config->uplink.kind != CONFIG_NIC_NONE)
        snprintf(place_why, sizeof(place_why),
                 "mtu='%u' does not fit the wire of bridge %s; accepted: up to %u%s", wish->mtu,
                 config->name, most,
                 config->mtu ? "" : ", or more with mtu= of the bridge in extra=");
    else
        return 0;
    return -EINVAL;
}

int place_bridge_attach(struct port *port, const struct vif_wish *wish, const struct policy *policy)
{
    struct place *place = &place_table[wish->index];
    struct bridge *bridge;
    bool has_vlans;
    int err = vlans_find(wish, policy, &place->vlans, &has_vlans, &bridge);

    if (!err)
        err = bridge_wish_check(wish, bridge);
    if (!err)
        err = place_filter_make(&place->filter, wish, policy, false);
    if (err)
        return err;
    port->vlans = has_vlans ? &place->vlans : NULL;
    port->filter = filter_is_needed(&place->filter) ? &place->filter : NULL;
    err = bridge_port_add(bridge, port, false);
    if (err) {
        snprintf(place_why, sizeof(place_why), "bridge '%s' is full", bridge_name(bridge));
        return err;
    }
    place_limits_set(port, bridge, policy);
    port->mtu_usual = config_bridge_mtu(topology_bridge_config(bridge));
    err = pins_set(port, policy, has_vlans ? place->vlans.pvid : 0);
    if (err)
        bridge_port_remove(port);
    return err;
}

/* Out of its bridge and in again: its stations are learned anew. Nothing is forwarded in between. */
int place_bridge_replace(struct port *port, const struct vif_wish *wish,
                         const struct policy *policy, const struct policy *old)
{
    int err;

    bridge_port_remove(port);
    err = place_bridge_attach(port, wish, policy);
    if (err && place_bridge_attach(port, wish, old))
        log_error("%s: in no bridge any more", port->name);
    return err;
}
