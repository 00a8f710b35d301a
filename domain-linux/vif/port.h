/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's vif and its place in a bridge: what the stock script vif-bridge does (docs/misc/vif-hotplug in Xen's tree; xl-network-configuration(5)),
 * and what `xl devd` does with a vif that is gone. Nothing is kept: xenstore has all of it.
 */
#ifndef DOMAIN_LINUX_VIF_PORT_H
#define DOMAIN_LINUX_VIF_PORT_H

#include <stdint.h>
#include <xenstore.h>

#ifndef PORT_DIR
#define PORT_DIR "backend/vif" /* the domain's own */
#endif

/* What became of it. */
enum port_step {
    PORT_STAYS, /* nothing is to be done, or not yet */
    PORT_PLUGGED, /* its interface is in its bridge, and netback knows */
    PORT_REFUSED, /* said on stderr, and in hotplug-error; not tried again */
    PORT_REMOVED, /* closed, and wanted by nobody: its directory is gone */
};

/* Look at one vif's nodes, and do what comes next. What cannot be read now stays for the next look. */
enum port_step port_look(struct xs_handle *xs, uint32_t guest, uint32_t handle);

#endif
