/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom0's own network, moved behind a driver domain that takes its card, and back: an interface on a vif takes the place of
 * the one on the card, with its name, bridge, addresses and routes (dom0_vif= of the configuration).
 */
#ifndef CONTROL_DOM0_MOVE_H
#define CONTROL_DOM0_MOVE_H

#include "cli/dom0_keep.h"
#include "config/dom0_vif.h"
#include "journal/journal.h"
#include "xen/host.h"

/*
 * Plug a vif of a domain that runs into dom0, unless there is one, and make keep's interface of it.
 *
 *   keep  the interface on the card, as it was; without a name, as of a card that dom0 had no driver on, the new
 *         interface is left as it comes
 *
 * Returns 0, or a negative errno after saying what is wrong.
 */
int dom0_move_behind(struct host *host, const struct journal *journal, const struct dom0_vif *vif,
                     const struct dom0_keep *keep);

/*
 * Before a domain is stopped: read dom0's interface on its vif, and unplug it. Nothing to do where its kept configuration
 * has no dom0_vif=, or dom0 no vif of it.
 *
 * Returns 0 and what dom0_keep_dispose() takes, without a name if there was none; or a negative errno after saying why
 * the vif is still there.
 */
int dom0_move_begin(struct host *host, const struct journal *journal, struct dom0_keep *keep_r);

/* Once its card is back: make keep's interface of the one on it. Says what cannot be done. Returns 0 or -EIO. */
int dom0_move_back(const struct journal *journal, const struct dom0_keep *keep);

#endif
