/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom0's own network, moved behind a driver domain that takes its card, and back: an interface on a vif takes the place of
 * the one on the card, with its name, bridge, addresses and routes (dom0_vif= of the configuration).
 */
#ifndef CONTROL_DOM0_MOVE_H
#define CONTROL_DOM0_MOVE_H

#include "cli/dom0_record.h"
#include "journal/journal.h"
#include "xen/host.h"

/* The terminal may be one over dom0's network, and go away with it: neither that nor a signal of its keys ends this process. */
void dom0_signals_ignore(void);

/* Whether dom0 can have vifs: loads xen-netfront. Says what is wrong. Returns 0 or -ENODEV. */
int dom0_netfront_wanted(void);

/*
 * Plug a vif of a domain that runs into dom0, unless this one is there, and make keep's interface of it.
 *
 *   keep  the interface on the card, as it was; without a name, as of a card that dom0 had no driver on, the new
 *         interface is left as it comes
 *
 * Returns 0; -ENODEV if dom0 has no interface, -EIO if not all of it could be set; after saying what is wrong.
 */
int dom0_move_behind(struct host *host, const struct journal *journal, const struct dom0_vif *vif,
                     const struct dom0_keep *keep);

/*
 * Before a domain is stopped: read dom0's interface on its vif, and write the record of it (cli/dom0_record.h). From then on
 * dom0_signals_ignore() holds. Nothing to do where its kept configuration has no dom0_vif=, or dom0 no such vif, or the id is another
 * domain's by now: record_r->vif.bridge is "" then. Where dom0 had not the card before the domain, nothing is written, as nothing comes back.
 *
 * The caller holds the name's guard. Returns 0 with what dom0_record_dispose() takes; or a negative errno after saying why the domain
 * cannot be stopped. Nothing was changed then.
 */
int dom0_move_begin(struct host *host, const struct journal *journal, struct dom0_record *record_r);

/* Unplug dom0's vif of a domain, if it is there. Returns 0, or -EIO after saying what is wrong. */
int dom0_move_unplug(struct host *host, const struct journal *journal, const struct dom0_vif *vif);

/* The domain runs on: its vif, and the interface on it, again. Returns what dom0_move_behind() does; 0 where there was none. */
int dom0_move_undo(struct host *host, const struct journal *journal,
                   const struct dom0_record *record);

/* Of a domain that is gone: dom0's driver has its card again, or is bound to it here. Make the interface of the one on it. Says what cannot be done. Returns 0, -ENODEV
 * if there is no interface, -EIO. */
int dom0_move_back(struct host *host, const char *name, const struct dom0_record *record);

#endif
