/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files that place vifs share. Not for others: see vif_place.h. */
#ifndef MAIN_VIF_PLACE_INTERNAL_H
#define MAIN_VIF_PLACE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <ferry/policy.h>
#include <ferry/vlan.h>

#include "main/vif_place.h"
#include "net/filter.h"
#include "xen/log.h"

struct bridge;

/* What a vif's port points to. */
struct place {
    bool is_known; /* kept[] was written in this start, or is right */
    struct vlan_set vlans;
    struct filter filter;
    uint64_t reported; /* frames refused, when last said */
    struct log_limit limit;
};

extern struct place place_table[VIF_MAX];

/* A sentence for the user: why a vif or a policy is refused. */
extern char place_why[VIF_WHY_SIZE];

/*
 * What of a policy can change while the vif is where it is.
 *
 *   in  the bridge that it is in, or that its router is in
 */
void place_limits_set(struct port *port, const struct bridge *in, const struct policy *policy);

/* The filter that ip= and a policy make; a router looks at ip= itself. 0, or -EINVAL with place_why. */
int place_filter_make(struct filter *filter, const struct vif_wish *wish,
                      const struct policy *policy, bool is_routed);

/* vif_place_bridge.c, vif_place_router.c: all return 0, or a negative errno with place_why. */
int place_bridge_attach(struct port *port, const struct vif_wish *wish,
                        const struct policy *policy);
int place_router_attach(struct port *port, const struct vif_wish *wish, const struct policy *policy,
                        bool is_nat);

/* Another policy in place of the old one, which holds on if it is refused. */
int place_bridge_replace(struct port *port, const struct vif_wish *wish,
                         const struct policy *policy, const struct policy *old);
int place_router_replace(struct port *port, const struct vif_wish *wish,
                         const struct policy *policy, const struct policy *old);

/* Nothing happens if it is behind no router. */
void place_router_remove(struct port *port);

#endif
