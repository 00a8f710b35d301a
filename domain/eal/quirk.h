/* SPDX-License-Identifier: BSD-2-Clause */
/* What single drivers need beyond DPDK's interface. */
#ifndef EAL_QUIRK_H
#define EAL_QUIRK_H

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>

#include "eal/watch.h"

struct quirk {
    const char *driver; /* as it registers itself */
    bool no_msix; /* programs one vector only, whatever the device can */
    bool reports_bad_only; /* of received checksums (eal/rx_flags.h) */

    bool master_after_probe; /* its probe resets the device, and does not need it to use memory */

    /*
     * Where the layout of receive descriptors is known: the ring's name as the driver reserves it, and
     * whether each of its descriptors that the device owns leads to an mbuf of the driver's.
     */
    const char *rx_ring;
    bool (*rx_ring_is_sound)(const void *ring, uint16_t nr);

    /* Read what nic_watch.c looks at;. NULL: cannot be told. */
    void (*look)(const struct rte_pci_device *dev, struct watch_look *look_r);

    /* Called after every start of the device; NULL where there is nothing to mend. */
    void (*after_start)(const struct rte_pci_device *dev);
};

/* Never NULL: a driver without quirks has an empty one. */
const struct quirk *quirk_of(const char *driver);

#endif
