/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/quirk.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_common.h>
#include <rte_io.h>

#include "eal/pool.h"
#include "eal/tx_ring.h"

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

static bool em_rx_ring_is_sound(const struct rte_memzone *ring, uint16_t nr)
{
    const volatile struct e1000_rx_descriptor *descriptors = ring->addr;

    for (uint16_t i = 0; i < nr; i++)
        if (!(descriptors[i].status & E1000_RX_DONE) &&
            !pool_is_room_of_driver(descriptors[i].buffer))
            return false;
    return true;
}

/*
 * The first generation's chips may leave a frame's checksums alone and say so in a bit ("ignore checksum
 * indication") that the driver does not look at: QEMU's 82540EM always does. Those of it that the driver
 * knows are 82540EM, 82545EM and 82546EB.
 * Source: Intel 8254x manual, 3.2.3.1 "Receive Descriptor Status Field".
 */
static bool em_reports_bad_only(const struct rte_pci_device *dev)
{
    static const uint16_t first_generation[] = { 0x100e, 0x100f, 0x1011, 0x1010, 0x1012, 0x101d };

    for (size_t i = 0; i < sizeof(first_generation) / sizeof(first_generation[0]); i++)
        if (dev->id.device_id == first_generation[i])
            return false;
    return true;
}

/*
 * Source: virtio 1.2, 5.1.6 (the header before a frame).
 */
#define VIRTIO_HEADER 12
#define VIRTIO_WRITE                                                                               \
    2 /* a descriptor's flags: the device writes to it, and none is chained to it */

/* A shorter chain has its descriptors in a table of its own (DPDK: VIRTIO_MAX_TX_INDIRECT). */
#define VIRTIO_TX_CHAIN_MAX 7

static bool virtio_rx_ring_is_sound(const struct rte_memzone *zone, uint16_t nr)
{
    struct virtio_ring ring;
    uint16_t first, last;

    if (!virtio_ring_find(zone->addr, zone->len, &ring))
        return false;
    first = ring.used[1];
    last = ring.given[1];
    if ((uint16_t)(last - first) > nr)
        return false;
    for (; first != last; first++) {
        uint16_t at = ring.given[2 + first % ring.size];

        if (at >= ring.size || ring.descriptors[at].flags != VIRTIO_WRITE ||
            ring.descriptors[at].length != VIRTIO_HEADER + POOL_MBUF_ROOM ||
            !pool_is_room_of_driver(ring.descriptors[at].buffer + VIRTIO_HEADER))
            return false;
    }
    return true;
}

/*
 * vmxnet3 has two receive rings, one behind the other, of as many descriptors. Each descriptor always
 * leads to an mbuf of the driver's, but for the one that is filled next: there the generation bit
 * changes.
 * Source: DPDK drivers/net/vmxnet3/base/vmxnet3_defs.h, Vmxnet3_RxDesc; Linux drivers/net/vmxnet3.
 */
#define VMXNET3_RX_RINGS 2
#define VMXNET3_RX_GENERATION (1u << 31)

struct vmxnet3_rx_descriptor {
    uint64_t buffer;
    uint32_t length;
    uint32_t reserved;
};

static uint32_t vmxnet3_generation(const volatile struct vmxnet3_rx_descriptor *descriptor)
{
    return descriptor->length & VMXNET3_RX_GENERATION;
}

static bool vmxnet3_rx_ring_is_sound(const struct rte_memzone *ring, uint16_t nr)
{
    const volatile struct vmxnet3_rx_descriptor *descriptors = ring->addr;

    if (ring->len < VMXNET3_RX_RINGS * nr * sizeof(*descriptors))
        return false;
    for (unsigned int r = 0; r < VMXNET3_RX_RINGS; r++, descriptors += nr) {
        uint16_t next = 1;

        while (next < nr &&
               vmxnet3_generation(&descriptors[next]) == vmxnet3_generation(&descriptors[0]))
            next++;
        for (uint16_t i = 0; i < nr; i++)
            if (i != next % nr && !pool_is_room_of_driver(descriptors[i].buffer))
                return false;
    }
    return true;
}

/*
 * Source: Intel 82574 datasheet, 10.2.2.2 "Device Status Register", 10.2.5.5, 10.2.5.6 and 10.2.6.7, 10.2.6.8 (heads
 * and tails), 10.2.7.4 "Missed Packets Count", which a read clears and nothing else of ours reads.
 */
#define E1000_STATUS 0x0008
#define E1000_STATUS_TXOFF 0x10
#define E1000_RDH 0x2810
#define E1000_RDT 0x2818
#define E1000_TDH 0x3810
#define E1000_TDT 0x3818
#define E1000_MPC 0x4010

static void em_look(const struct quirk_nic *nic, struct watch_look *look_r)
{
    const char *registers = nic->dev->mem_resource[0].addr;
    uint32_t status = rte_read32(registers + E1000_STATUS);

    *look_r = (struct watch_look){
        .is_gone = status == UINT32_MAX,
        .is_paused = (status & E1000_STATUS_TXOFF) != 0,
        .patience_ns = WATCH_STUCK_NS,
        .tx_head = rte_read32(registers + E1000_TDH),
        .tx_tail = rte_read32(registers + E1000_TDT),
        .tx_round = nic->nr_tx,
        .rx_head = rte_read32(registers + E1000_RDH),
        .rx_tail = rte_read32(registers + E1000_RDT),
        .rx_missed = rte_read32(registers + E1000_MPC),
    };
}

/*
 * The device's status is in a structure that a capability of the vendor's kind leads to. A device that was
 * reset behind the driver's back, or switched off the bus, is not ready any more; one that needs a reset
 * says so.
 * Source: virtio 1.2, 2.1 "Device Status Field", 4.1.4 "Virtio Structure PCI Capabilities".
 */
#define VIRTIO_CAPABILITY 0x09
#define VIRTIO_COMMON 1
#define VIRTIO_STATUS 20
#define VIRTIO_DRIVER_OK 0x04
#define VIRTIO_NEEDS_RESET 0x40
#define VIRTIO_ROUND 65536 /* indices of rings are of 16 bits */
#define PCI_CAPABILITIES 0x34
#define PCI_CAPABILITIES_MAX 48

struct virtio_capability {
    uint8_t id, next, len, type, bar, reserved[3];
    uint32_t offset, length;
};

static const char *virtio_status_find(const struct rte_pci_device *dev)
{
    struct virtio_capability found;
    uint8_t at;

    if (rte_pci_read_config(dev, &at, 1, PCI_CAPABILITIES) != 1)
        return NULL;
    for (unsigned int i = 0; at != 0 && i < PCI_CAPABILITIES_MAX; i++, at = found.next) {
        if (rte_pci_read_config(dev, &found, sizeof(found), at) != sizeof(found))
            return NULL;
        if (found.id != VIRTIO_CAPABILITY || found.type != VIRTIO_COMMON ||
            found.bar >= PCI_MAX_RESOURCE)
            continue;
        const struct rte_mem_resource *bar = &dev->mem_resource[found.bar];
        bool is_within =
            bar->addr && bar->len > VIRTIO_STATUS && found.offset <= bar->len - VIRTIO_STATUS - 1;
        return is_within ? (const char *)bar->addr + found.offset + VIRTIO_STATUS : NULL;
    }
    return NULL;
}

/* No register tells whether the other side takes frames slowly: a halt is what lasts longer than that. */
static void virtio_look(const struct quirk_nic *nic, struct watch_look *look_r)
{
    const unsigned int ready = VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET;
    uint8_t status = nic->status ? rte_read8(nic->status) : VIRTIO_DRIVER_OK;

    *look_r = (struct watch_look){
        .is_gone = status == UINT8_MAX,
        .is_lost = (status & ready) != VIRTIO_DRIVER_OK,
        .patience_ns = WATCH_FULL_NS,
    };
    if (nic->tx_ring &&
        tx_ring_virtio(nic->tx_ring->addr, nic->tx_ring->len, &look_r->tx_head, &look_r->tx_tail))
        look_r->tx_round = VIRTIO_ROUND;
}

/*
 * No register and no command tells whether the device has its configuration still, or whether a queue
 * stands: what GET_QUEUE_STATUS writes is left alone by QEMU. The ring tells of both; of the receiving side, counters do.
 */
static void vmxnet3_look(const struct quirk_nic *nic, struct watch_look *look_r)
{
    *look_r = (struct watch_look){ .patience_ns = WATCH_FULL_NS };
    if (nic->tx_ring && tx_ring_vmxnet3(nic->tx_ring->addr, nic->tx_ring->len, nic->nr_tx,
                                        &look_r->tx_head, &look_r->tx_tail))
        look_r->tx_round = nic->nr_tx;
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
      .tells_errors = true,
      .no_msix = true,
      .reports_bad_only = em_reports_bad_only,
      .prepares_sums_only =
          true, /* eth_em_prep_pkts(); the driver has no TSO, which needs another sum */
      .master_after_probe = true,
      .rx_ring = "eth_p%u_q0_rx_ring",
      .rx_ring_is_sound = em_rx_ring_is_sound,
      .look = em_look,
      .after_start = em_after_start },
    { .driver = "net_e1000_igb", .tells_errors = true, .master_after_probe = true },
    { .driver = "net_igc", .tells_errors = true, .master_after_probe = true },
    { .driver = "net_ixgbe", .tells_errors = true, .master_after_probe = true },
    { .driver = "net_virtio",
      .tells_errors = true,
      .descriptors_max = VIRTIO_RING_MIN, /* as QEMU's rings are: what does not fit is not given */
      .tx_chain_max = VIRTIO_TX_CHAIN_MAX,
      .one_interrupt_per_frame = true,
      .receives_uncut = true,
      .master_after_probe = true,
      .rx_ring = "port%u_vq0",
      .rx_ring_is_sound = virtio_rx_ring_is_sound,
      .tx_ring = "port%u_vq1",
      .status_find = virtio_status_find,
      .look = virtio_look },
    { .driver = "net_vmxnet3",
      .tells_errors = true,
      .tells_missed = true, /* VMXNET3_CMD_GET_STATS, pktsRxOutOfBuf */
      .one_rx_buffer = true, /* it leaves maxNumRxSG at 0, which QEMU takes for 1 */
      .polls_link = true, /* it asks a register for the cause, which reads as none in QEMU */
      .master_after_probe = true,
      .rx_ring = "eth_p%u_q0_rxdesc",
      .rx_ring_is_sound = vmxnet3_rx_ring_is_sound,
      .tx_ring = "eth_p%u_q0_txdesc",
      .look = vmxnet3_look },
};

static const struct quirk none;

const struct quirk *quirk_of(const char *driver)
{
    for (size_t i = 0; driver && i < sizeof(quirks) / sizeof(quirks[0]); i++)
        if (strcmp(quirks[i].driver, driver) == 0)
            return &quirks[i];
    return &none;
}
