/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a device is with a transmit ring, told from the ring in memory: for devices whose registers do
 * not say. Both sides write to it at any time, and what died may have damaged it: every index is bounded.
 *
 * Which driver has which ring is known to eal/quirk.c.
 */
#ifndef EAL_TX_RING_H
#define EAL_TX_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A virtio ring is in one piece of pages: descriptors, the ring of those that are the device's, and the
 * ring of those that it has used. The driver makes as many as the device has room for, which only the
 * length tells; below VIRTIO_RING_MIN it does not.
 * Source: virtio 1.2, 2.7 "Split Virtqueues".
 */
#define VIRTIO_RING_MIN 256

struct virtio_descriptor {
    uint64_t buffer;
    uint32_t length;
    uint16_t flags, next;
};

struct virtio_ring {
    size_t size; /* descriptors, a power of two */
    const volatile struct virtio_descriptor *descriptors;
    const volatile uint16_t *given, *used; /* flags, index of the next, entries */
};

/*
 * Find the parts of a ring.
 *
 *   at, len  its memory, len bytes
 *
 * Returns whether there is a number of descriptors that has this length.
 */
bool virtio_ring_find(const void *at, size_t len, struct virtio_ring *ring_r)
    __attribute__((warn_unused_result));

/*
 * Where the device is (head_r) and where the driver is (tail_r); equal: everything is transmitted. The
 * numbers are for comparison only.
 *
 *   at, len  the ring's memory, len bytes
 *   nr       descriptors in it (vmxnet3)
 *
 * Returns false, and sets nothing, if the ring is not of that layout or too short for nr.
 *
 * vmxnet3's is nr descriptors, then nr completions. In both a bit tells this round's from the last one's,
 * zero at first; a completion names the last descriptor of its frame.
 * Source: DPDK drivers/net/vmxnet3/base/vmxnet3_defs.h, Vmxnet3_TxDesc and Vmxnet3_TxCompDesc.
 */
bool tx_ring_virtio(const void *at, size_t len, uint32_t *head_r, uint32_t *tail_r);
bool tx_ring_vmxnet3(const void *at, size_t len, uint16_t nr, uint32_t *head_r, uint32_t *tail_r);

#endif
