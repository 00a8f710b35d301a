/* SPDX-License-Identifier: BSD-2-Clause */
/* VLANs by chance, the same in each run of a test: the caller calls srand(). */
#ifndef FIXTURE_VLAN_H
#define FIXTURE_VLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <ferry/vlan.h>

#include "fixture_net.h"

static inline uint16_t random_vid(void)
{
    return (uint16_t)(rand() % 4);
}

/* What ports carry: VLANs of 0 to 3, sets[i] for the i-th; some are ports without VLANs. */
static inline void random_vlans_make(struct fake_port *ports, struct vlan_set *sets,
                                     unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        vlan_set_clear(&sets[i]);
        for (unsigned int k = 0; k < 3; k++)
            vlan_set_add(&sets[i], random_vid(), rand() & 1);
        if (rand() % 3 == 0)
            vlan_set_access(&sets[i], random_vid());
        else if (rand() & 1)
            vlan_set_pvid(&sets[i], random_vid());
        ports[i].port.vlans = rand() % 4 ? &sets[i] : NULL;
    }
}

#endif
