/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/bridges.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/sched.h>

#include "eal/nic.h"
#include "eal/pool.h"
#include "net/bridge.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/log.h"

static char names[CONFIG_BRIDGES_MAX * (CONFIG_BRIDGE_NAME_SIZE + 1)];

void bridges_create(const struct config *config)
{
    for (unsigned int i = 0; i < config->nr_bridges; i++) {
        struct bridge *bridge;
        const char *name = config->bridges[i].name;
        int rc = bridge_create(name, &bridge);

        if (rc != 0) {
            log_error("bridge %s cannot be made: %d", name, rc);
            domain_shutdown(SHUTDOWN_poweroff);
        }
        if (i > 0)
            strcat(names, " ");
        strcat(names, name);
    }
}

static bool is_wanted_nic(const struct config_nic *want, const struct port *nic, unsigned int index)
{
    if (want->kind == CONFIG_NIC_INDEX)
        return want->index == index;
    return want->kind == CONFIG_NIC_PCI && nic_has_address(nic, want->pci_domain, want->pci_bus,
                                                           want->pci_device, want->pci_function);
}

static void add_uplink(const struct config_bridge *config, struct port *nic)
{
    int rc = bridge_port_add(bridge_find(config->name), nic, true);

    if (rc == 0)
        log_info("bridge %s: %s is its uplink", config->name, nic->name);
    else
        log_error("bridge %s: %s cannot be its uplink: %s", config->name, nic->name,
                  rc == -EBUSY ? "it is in another bridge" : "no place left");
}

void bridges_add_uplinks(const struct config *config, struct port *const *nics, unsigned int nr)
{
    for (unsigned int b = 0; b < config->nr_bridges; b++) {
        const struct config_bridge *bridge = &config->bridges[b];
        unsigned int i = 0;

        if (bridge->uplink.kind == CONFIG_NIC_NONE)
            continue;
        while (i < nr && !is_wanted_nic(&bridge->uplink, nics[i], i))
            i++;
        if (i < nr)
            add_uplink(bridge, nics[i]);
        else
            log_error("bridge %s has no wire: the NIC of its uplink= is not among the %u NIC%s "
                      "that this domain drives (pci=[...], NICS=)",
                      bridge->name, nr, nr == 1 ? "" : "s");
    }
    for (unsigned int i = 0; i < nr; i++)
        if (!nics[i]->bridge)
            log_warn("%s is in no bridge: name it in bridge=NAME,uplink=%s", nics[i]->name,
                     nics[i]->name);
}

int bridges_attach_vif(struct port *port, const struct vif_wish *wish, const char **why_r)
{
    static char why[sizeof(names) + VIF_NODE_SIZE + 48];
    struct bridge *bridge = bridge_find(wish->bridge);

    if (wish->vlan[0] != '\0') {
        *why_r = "vlan= is not supported yet; without it the guest would see other VLANs' frames";
        return -EOPNOTSUPP;
    }
    if (!bridge) {
        snprintf(why, sizeof(why), "no bridge '%s'; bridges are: %s", wish->bridge, names);
        *why_r = why;
        return -ENOENT;
    }
    int rc = bridge_port_add(bridge, port, false);
    if (rc != 0) {
        snprintf(why, sizeof(why), "bridge '%s' is full", wish->bridge);
        *why_r = why;
    } else if (wish->rate.bytes != 0) {
        log_warn("%s: rate= is not enforced yet", port->name);
    }
    return rc;
}

void bridges_detach_vif(struct port *port)
{
    bridge_port_remove(port);
    /* What a vif leaves behind by mistake shows here, from one vif to the next. */
    log_debug("%s: gone; in use now: %u event channels, %u mapped pages, %u mbufs", port->name,
              evtchn_nr_open(), gnttab_nr_maps(), rte_mempool_in_use_count(mbuf_pool()));
}
