/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NICs: a port (net/port.h) over each device that one of the drivers in this image knows.
 *
 * One receive and one transmit queue; promiscuous, as a bridge needs it; checksum offloads where the
 * device has them. Short frames are padded by the hardware of every driver in mk/dpdk.mk.
 */
#ifndef EAL_NIC_H
#define EAL_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "net/port.h"
#include "xen/pcifront.h"

/*
 * Probe the devices that eal_devices_add() was told of, start them, and make a port of each. Blocking, for
 * as long as drivers wait for their hardware; how long is logged. Links come up later, by event.
 *
 *   ports_r  room for max ports, in the order of the devices; they live as long as the domain
 *   mtu_of   the longest packet that the NIC is to carry, bytes, or 0: nobody says, then 1500; asked of each before
 *            it is started
 *
 * A NIC with more than 1500 receives frames in pieces, as chains of mbufs.
 *
 * Returns the number of ports. A device that cannot be used, or that no driver in this image knows,
 * is left out with a line in the log. -EMSGSIZE: a NIC cannot carry packets so long (the log says
 * which, and what it can), which no restart mends.
 */
int nic_probe_all(struct port **ports_r, unsigned int max,
                  uint16_t (*mtu_of)(const struct port *nic)) __must_check;

/*
 * After a restart that keeps the NICs, once eal_resume() has found nothing against it: the same ports
 * again, in the same order, in no bridge; statistics go on. Returns their number.
 */
int nic_resume(struct port **ports_r, unsigned int max) __must_check;

/* How full a NIC's rings are; NIC_UNKNOWN where it cannot be told. Costs some reads of registers. */
#define NIC_UNKNOWN UINT32_MAX
struct nic_rings {
    uint32_t rx_filled,
        rx_size; /* descriptors with frames that wait to be taken, about; all there are */
    uint32_t tx_used, tx_size; /* descriptors, or frames, that are not sent yet; all there are */
    uint32_t nr_backlog; /* frames that have no room in the transmit ring yet */
};
void nic_rings(struct port *port, struct nic_rings *rings_r);

/* What the NIC and its driver lost, since the NIC was started. */
struct nic_errors {
    uint64_t nr_missed; /* came when the NIC had no room */
    uint64_t nr_no_buffers; /* mbufs that the driver did not get */
    uint64_t nr_rx_errors, nr_tx_errors; /* damaged; could not be sent */
};

/*
 * Reads all counters of the device, which takes up to tenths of a millisecond: for seldom. Returns false if it
 * cannot be told, or not now.
 */
bool nic_errors(struct port *port, struct nic_errors *errors_r);

/* N of its name "nicN": its place among the devices of pci=, also if one before it could not be started. */
unsigned int nic_number(const struct port *port);

/* Whether this port is the NIC at that PCI address, as the domain sees it. */
bool nic_has_address(const struct port *port, uint16_t domain, uint8_t bus, uint8_t device,
                     uint8_t function);

#endif
