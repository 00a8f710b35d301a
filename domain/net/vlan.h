/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which VLANs a port of a bridge carries, and how (IEEE 802.1Q). VLAN 0 is that of frames without a tag
 * on ports that have no VLANs of their own.
 */
#ifndef NET_VLAN_H
#define NET_VLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VLAN_IDS 4096 /* 1 to 4094 can be used; 4095 is reserved */
#define VLAN_MAX 4094
#define VLAN_NONE UINT16_MAX

struct vlan_set {
    uint16_t pvid; /* VLAN of frames that come in without a tag; VLAN_NONE: they are dropped */
    uint64_t members[VLAN_IDS / 64]; /* VLANs that the port carries */
    uint64_t untagged[VLAN_IDS / 64]; /* those of them that leave without a tag */
};

#endif
