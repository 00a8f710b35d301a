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

/* Whether there is a bridge of Linux' own of this name; whether an interface is in it. */
bool net_is_bridge(const char *name);
bool net_is_port(const char *bridge, const char *interface);
/* Whether an interface, whatever its name, is that of a guest's vif (netback's device vif-GUEST-HANDLE in sysfs). */
bool net_is_vif(const char *interface, uint32_t guest, uint32_t handle);
/* The name of the bridge, if there is exactly one. Returns 0 or -ENOENT. */
int net_bridge_only(char name_r[16]);

/* An interface's MTU; 0 if it cannot be asked. The others return 0 or a negative errno. */
int net_mtu(const char *interface);
int net_mtu_set(const char *interface, int mtu);
int net_mac_set(const char *interface, const uint8_t mac[6]);
int net_rename(const char *interface, const char *name);

/* Whether a port of a bridge forwards frames. */
bool net_port_forwards(const char *bridge, const char *interface);

#endif
