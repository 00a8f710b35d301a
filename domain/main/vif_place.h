/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a vif goes and what it may do: what its vif line and dom0's policy say becomes a place in a bridge or
 * behind a router, VLANs, a filter and limits. What is not understood or cannot be held to refuses the vif.
 * docs/topology.md has it all for users.
 *
 * dom0's policy outlives a restart of the kernel, with a sum over it: a vif that goes on forwards nothing
 * before it holds again.
 */
#ifndef MAIN_VIF_PLACE_H
#define MAIN_VIF_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/port.h"
#include "vif/vif.h"

/* Nothing is known of any vif but what the last start kept. Once. */
void vif_place_init(bool policy_required);

/* For struct vif_host: see there. */
int vif_place_policy(struct port *port, const struct vif_wish *wish, const char *text, size_t len,
                     const char **why_r);
int vif_place_attach(struct port *port, const struct vif_wish *wish, const char **why_r);
void vif_place_detach(struct port *port);

/* Say on the console, not too often, whose frames were refused, and why. */
void vif_place_report(void);

/* Read the policies again whenever dom0 writes them. Returns 0 or a negative errno of xenstore's. */
int vif_place_watch(void) __attribute__((warn_unused_result));

#endif
