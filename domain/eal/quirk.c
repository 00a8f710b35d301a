/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/quirk.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_io.h>

#include "eal/pool.h"

/*
 * em and igb set the interrupt throttle to its maximum, 16.8 ms between two interrupts, at every
 * start. 200 units of 256 ns are 51 us.
 * Source: Intel 82574 datasheet, 10.2.4.3 "Interrupt Throttling Rate - ITR".
 */
#define E1000_ITR 0x00c4
#define E1000_ITR_UNITS 200

/*
 * em switches the checking of IPv4 headers on and relies on reset for that of TCP and UDP, which not
 * all its chips have on after reset.
 * Source: the same, 10.2.5.9 "Receive Checksum Control - RXCSUM".
 */
#define E1000_RXCSUM 0x5000
#define E1000_RXCSUM_IPOFLD 0x100
#define E1000_RXCSUM_TUOFLD 0x200

/*
 * Once the device is done with a descriptor it sets "done" in it; the driver clears that when it gives
 * the descriptor back with another buffer.
 * Source: the same, 7.1.4 "Legacy Receive Descriptor Format".
 */
struct e1000_rx_descriptor {
    uint64_t buffer; /* machine address */
    uint16_t length, checksum;
    uint8_t status, errors;
    uint16_t special;
};
#define E1000_RX_DONE 0x01

static bool em_rx_ring_is_sound(const void *ring, uint16_t nr)
{
    const volatile struct e1000_rx_descriptor *descriptors = ring;

    for (uint16_t i = 0; i < nr; i++)
        if (!(descriptors[i].status & E1000_RX_DONE) &&
            !pool_is_room_of_driver(descriptors[i].buffer))
            return false;
    return true;
}

/*
 * Source: the same, 10.2.2.2 "Device Status Register", 10.2.5.5, 10.2.5.6 and 10.2.6.7, 10.2.6.8 (heads
 * and tails), 10.2.7.4 "Missed Packets Count", which a read clears and nothing else of ours reads.
 */
#define E1000_STATUS 0x0008
#define E1000_STATUS_TXOFF 0x10
#define E1000_RDH 0x2810
#define E1000_RDT 0x2818
#define E1000_TDH 0x3810
#define E1000_TDT 0x3818
#define E1000_MPC 0x4010

static void em_look(const struct rte_pci_device *dev, struct watch_look *look_r)
{
    const char *registers = dev->mem_resource[0].addr;
    uint32_t status = rte_read32(registers + E1000_STATUS);

    *look_r = (struct watch_look){
        .is_gone = status == UINT32_MAX,
        .is_paused = (status & E1000_STATUS_TXOFF) != 0,
        .tx_head = rte_read32(registers + E1000_TDH),
        .tx_tail = rte_read32(registers + E1000_TDT),
        .rx_head = rte_read32(registers + E1000_RDH),
        .rx_tail = rte_read32(registers + E1000_RDT),
        .rx_missed = rte_read32(registers + E1000_MPC),
    };
}

static void em_after_start(const struct rte_pci_device *dev)
{
    char *registers = dev->mem_resource[0].addr;

    rte_write32(E1000_ITR_UNITS, registers + E1000_ITR);
    rte_write32(rte_read32(registers + E1000_RXCSUM) | E1000_RXCSUM_IPOFLD | E1000_RXCSUM_TUOFLD,
                registers + E1000_RXCSUM);
}

static const struct quirk quirks[] = {
    { .driver = "net_e1000_em",
      .no_msix = true,
      .reports_bad_only = true,
      .master_after_probe = true,
      .rx_ring = "rx_ring",
      .rx_ring_is_sound = em_rx_ring_is_sound,
      .look = em_look,
      .after_start = em_after_start },
    { .driver = "net_e1000_igb", .master_after_probe = true },
    { .driver = "net_igc", .master_after_probe = true },
    { .driver = "net_ixgbe", .master_after_probe = true },
};

static const struct quirk none;

const struct quirk *quirk_of(const char *driver)
{
    for (size_t i = 0; driver && i < sizeof(quirks) / sizeof(quirks[0]); i++)
        if (strcmp(quirks[i].driver, driver) == 0)
            return &quirks[i];
    return &none;
}
