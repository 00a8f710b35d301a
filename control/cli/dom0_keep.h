/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0's interface on a NIC, or on a vif, as it is before that is taken, and how it is made again. */
#ifndef CONTROL_DOM0_KEEP_H
#define CONTROL_DOM0_KEEP_H

#include "cli/dom0_net.h"
#include "util/bdf.h"

#define DOM0_KEEP_ROUTES_MAX 65536 /* bytes of text, for IPv4 and IPv6 each */

struct dom0_keep {
    struct dom0_net net;
    unsigned int index; /* of the interface: a new one is another interface */
    char mtu[16], mac[24], driver[64]; /* "": not known, or none */
    char *routes, *ipv6_routes; /* what `ip route show` says */
};

/*
 * Read it. Without an interface of dom0 on the NIC net.nic.name is "".
 *
 * Returns 0 and what dom0_keep_dispose() takes, or a negative errno after saying what is wrong, -EOPNOTSUPP if it is
 * a state that dom0_keep_restore() could not make again.
 */
int dom0_keep_read(const struct bdf *bdf, struct dom0_keep *keep_r);
void dom0_keep_dispose(struct dom0_keep *keep);

/*
 * Make it again once the NIC is back with its driver: waits for the interface, and gives it its name, bridge,
 * addresses, routes, as far as they are not there. Does nothing where it is still the same interface. Says what
 * cannot be done, and goes on. Returns 0; -ENODEV if there is no interface, -EIO if something was left undone.
 */
int dom0_keep_restore(const struct dom0_keep *keep, const struct bdf *bdf);

/*
 * The same for an interface of dom0's on a vif, in whose place one on a NIC is to come, or the other way round.
 *
 *   devid  the vif's number in dom0: 0 is /local/domain/0/device/vif/0
 *
 * dom0_keep_read_vif() reads no MAC address, and dom0_keep_restore_vif() sets none: a vif's is its own. The latter waits for the
 * interface whatever keep holds; without a name in it that is left as it is.
 */
int dom0_keep_read_vif(int devid, struct dom0_keep *keep_r);
int dom0_keep_restore_vif(const struct dom0_keep *keep, int devid);

#endif
