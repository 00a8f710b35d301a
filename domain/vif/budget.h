/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What vifs share: slots of the grant window and event channels, of which SCHEDOP_poll takes 128. Each
 * place of the table is sure of one queue with one channel, so a full table can be served. What is left goes
 * to those that come first, for more queues, split channels and a control ring: docs/decisions/0014.
 */
#ifndef VIF_BUDGET_H
#define VIF_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/cpu.h"
#include "xen/evtchn.h"
#include "xen/frames.h"

/* Channels for what is no vif: xenstore, console, pcifront, and the NICs' interrupts. */
#define BUDGET_OTHER_PORTS 12

/* What a vif is offered, or uses. */
struct vif_shape {
    uint8_t queues; /* 0: nothing */
    bool split; /* two event channels a queue */
    bool ctrl; /* a control ring */
};

/* What it takes beyond the one channel and the two slots that each place is sure of. */
struct vif_cost {
    unsigned int ports, slots;
};

struct vif_cost budget_cost(unsigned int queues, unsigned int ports, bool ctrl) __must_check;
struct vif_cost budget_shape_cost(struct vif_shape shape) __must_check; /* if all of it is used */

/*
 * The best that can be offered.
 *
 *   places  that there are
 *   others  what all other vifs take, or were offered
 */
struct vif_shape budget_offer(unsigned int places, struct vif_cost others) __must_check;

/* Whether there is room for it beside the others. */
bool budget_fits(unsigned int places, struct vif_cost others, struct vif_cost cost) __must_check;

#endif
