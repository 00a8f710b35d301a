/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/budget.h"

static const struct vif_shape shapes[] = {
    { .queues = 4, .split = true, .ctrl = true },
    { .queues = 2, .split = true, .ctrl = true },
    { .queues = 1, .split = true, .ctrl = false },
};
static const struct vif_shape least = { .queues = 1 };

struct vif_cost budget_cost(unsigned int queues, unsigned int ports, bool ctrl)
{
    return (struct vif_cost){ .ports = ports - 1 + ctrl, .slots = 2 * (queues - 1) + ctrl };
}

struct vif_cost budget_shape_cost(struct vif_shape shape)
{
    return budget_cost(shape.queues, shape.queues * (shape.split ? 2u : 1u), shape.ctrl);
}

bool budget_fits(unsigned int places, struct vif_cost others, struct vif_cost cost)
{
    return others.ports + cost.ports + places + BUDGET_OTHER_PORTS <= EVTCHN_MAX &&
           others.slots + cost.slots + 2 * places <= GRANT_SLOTS;
}

struct vif_shape budget_offer(unsigned int places, struct vif_cost others)
{
    for (unsigned int i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        if (budget_fits(places, others, budget_shape_cost(shapes[i])))
            return shapes[i];
    }
    return least;
}
