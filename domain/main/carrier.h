/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a vif's `carrier` node says: the link of the wire that its bridge, or its router's, has for an
 * uplink. A bridge without an uplink is always up.
 *
 * Some seconds pass between the start of a NIC and its link: for so long a link that is down is not known
 * to be, and guests are told nothing new. So none is told of a driver that is started anew.
 * Source: xen/io/netif.h, "Link state".
 */
#ifndef MAIN_CARRIER_H
#define MAIN_CARRIER_H

#include <stdbool.h>

#include "net/port.h"
#include "vif/vif.h"

struct bridge;

/* Nothing is known of any NIC. */
void carrier_init(void);

/* A bridge has got its uplink, which lives as long as the domain. */
void carrier_uplink_set(const struct bridge *bridge, const struct port *nic);

/* All NICs there are were named. is_new: they were started just now. */
void carrier_uplinks_known(bool is_new);

/* For struct vif_host. */
enum vif_carrier carrier_of(const struct port *vif);

#endif
