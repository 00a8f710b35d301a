/* SPDX-License-Identifier: BSD-2-Clause */
/* The bridges of the configuration: made at boot, joined by vifs and NICs. */
#ifndef MAIN_BRIDGES_H
#define MAIN_BRIDGES_H

#include "main/config.h"
#include "net/port.h"
#include "vif/vif.h"

/* Make them all. Ends the domain with a log line if the table cannot hold them. */
void bridges_create(const struct config *config);

/*
 * Put NICs where the configuration wants them; what it names and is not there, and what is there
 * and is named nowhere, is logged.
 *
 *   nics  nr of them, in the order of pci=[...]
 */
void bridges_add_uplinks(const struct config *config, struct port *const *nics, unsigned int nr);

/* For struct vif_host: see there. */
int bridges_attach_vif(struct port *port, const struct vif_wish *wish, const char **why_r);
void bridges_detach_vif(struct port *port);

#endif
