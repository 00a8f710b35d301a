/* SPDX-License-Identifier: BSD-2-Clause */
/* What single drivers need beyond DPDK's interface. */
#ifndef EAL_QUIRK_H
#define EAL_QUIRK_H

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>
#include <rte_memzone.h>

#include "eal/watch.h"

/* What a look at a NIC needs. */
struct quirk_nic {
    const struct rte_pci_device *dev;
    const char *status; /* where the device tells how it is, as the quirk found it; NULL: unknown */
    const struct rte_memzone *tx_ring; /* of the quirk's name; NULL: unknown */
    uint16_t nr_tx; /* descriptors that were asked for */
};

struct quirk {
    const char *driver; /* as it registers itself */
    bool no_msix; /* programs one vector only, whatever the device can */
    uint16_t descriptors_max; /* of a ring; 0: as for any */
    uint16_t tx_chain_max; /* mbufs behind one descriptor that transmits; 0: each has its own */
    bool polls_link; /* its link interrupts do not arrive everywhere */
    bool receives_uncut; /* gives frames for several, with the size of their pieces, if asked to */
    bool one_rx_buffer; /* a frame that needs more is lost, whatever the driver says */
    bool one_interrupt_per_frame; /* unless it is told not to while nobody waits */

    /* Of received checksums (eal/rx_flags.h). NULL: it tells of good ones. */
    bool (*reports_bad_only)(const struct rte_pci_device *dev);

    /*
     * Its rte_eth_tx_prepare() does nothing but write pseudo-header sums, which net/port.h has there already, and
     * refuse what it was not configured for: frames need not pass it.
     */
    bool prepares_sums_only;

    bool tells_errors; /* its counters are read without waiting for anybody */

    /*
     * One command of a few words brings its counters, among them what it received and what it missed for want of a
     * buffer; the driver tells what it has taken of that. So the watch can look at the receiving side without registers.
     */
    bool tells_missed;

    bool master_after_probe; /* its probe resets the device, and does not need it to use memory */

    /*
     * Where the layout of receive descriptors is known: the name under which the driver reserves the
     * receive ring of queue 0, with %u for the ethdev's id, and whether each of its descriptors that the device
     * owns leads to an mbuf of the driver's. nr: descriptors that were asked for.
     */
    const char *rx_ring;
    bool (*rx_ring_is_sound)(const struct rte_memzone *ring, uint16_t nr);

    /* The same for the transmit ring, where it takes the place of registers. */
    const char *tx_ring;

    /* Where in the device's registers its status is; reads its configuration space, so it is slow. Returns NULL
     * if it is not found. NULL: not needed. */
    const char *(*status_find)(const struct rte_pci_device *dev);

    /* Read what nic_watch.c looks at. NULL: cannot be told. */
    void (*look)(const struct quirk_nic *nic, struct watch_look *look_r);

    /* Called after every start of the device; NULL where there is nothing to mend. */
    void (*after_start)(const struct rte_pci_device *dev);
};

/* Never NULL: a driver without quirks has an empty one. */
const struct quirk *quirk_of(const char *driver);

#endif
