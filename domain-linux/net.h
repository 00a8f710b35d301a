/* SPDX-License-Identifier: BSD-2-Clause */
/* Bridges and network cards, by Linux' own interfaces. */
#ifndef DOMAIN_LINUX_NET_H
#define DOMAIN_LINUX_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_NICS_MAX 32

struct net_nic {
    char name[16]; /* "": its driver has made no interface, or not yet, and its mac is not known */
    char pci[128]; /* where it is, for the order of cards */
    uint8_t mac[6];
};

/* Every card with a PCI device behind it, and every PCI device that is a network card, by their PCI addresses. Returns how many. */
size_t net_nics(struct net_nic nics_r[NET_NICS_MAX]);

/* A bridge without spanning tree, that forwards at once, and is up. Returns 0 or a negative errno. */
int net_bridge_make(const char *name);
/* Returns 0 or a negative errno. */
int net_bridge_join(const char *bridge, const char *interface);
int net_up(const char *interface);

/* Whether a port of a bridge forwards frames. */
bool net_port_forwards(const char *bridge, const char *interface);

#endif
