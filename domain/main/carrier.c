/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/carrier.h"

#include <string.h>

#include "main/topology.h"
#include "net/router.h"
#include "xen/clock.h"
#include "xen/timer.h"

#define LINK_PATIENCE_NS 5000000000ull /* copper negotiates for 2 to 3 s */

static struct uplink {
    const struct bridge *bridge;
    const struct port *nic;
} uplinks[CONFIG_BRIDGES_MAX];
static unsigned int nr_uplinks;
static bool are_known;
static uint64_t settled_ns; /* from then on a link that is down is down */
static struct timer timer;

void carrier_init(void)
{
    nr_uplinks = 0;
    are_known = false;
    settled_ns = 0;
    memset(&timer, 0, sizeof(timer));
}

void carrier_uplink_set(const struct bridge *bridge, const struct port *nic)
{
    if (nr_uplinks < CONFIG_BRIDGES_MAX)
        uplinks[nr_uplinks++] = (struct uplink){ bridge, nic };
}

static void settled(void *ctx)
{
    (void)ctx;
    vif_carriers_changed();
}

void carrier_uplinks_known(bool is_new)
{
    are_known = true;
    if (!is_new)
        return;
    settled_ns = clock_now() + LINK_PATIENCE_NS;
    timer_arm(&timer, settled_ns, settled, NULL);
}

static const struct port *uplink_of(const struct bridge *bridge)
{
    for (unsigned int i = 0; i < nr_uplinks; i++)
        if (uplinks[i].bridge == bridge)
            return uplinks[i].nic;
    return NULL;
}

enum vif_carrier carrier_of(const struct port *vif)
{
    const struct bridge *bridge = vif->router ? router_bridge(router_of(vif)) : vif->bridge;
    const struct config_bridge *config = topology_bridge_config(bridge);
    const struct port *nic = uplink_of(bridge);

    if (!config || config->uplink.kind == CONFIG_NIC_NONE || (nic && nic->up))
        return VIF_CARRIER_UP;
    return are_known && clock_now() >= settled_ns ? VIF_CARRIER_DOWN : VIF_CARRIER_UNKNOWN;
}
