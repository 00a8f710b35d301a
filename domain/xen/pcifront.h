/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI devices handed to the domain, through xen-pciback in dom0. Never permissive mode: writes that
 * pciback does not allow are dropped by it, and the drivers have to live with that.
 * Source: xen/io/pciif.h; Linux drivers/pci/xen-pcifront.c and drivers/xen/xen-pciback for what the
 * nodes mean.
 */
#ifndef XEN_PCIFRONT_H
#define XEN_PCIFRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/cpu.h"

#define PCIFRONT_MAX_DEVICES 8
#define PCIFRONT_NR_BARS 6

struct pcifront_bar {
    uint64_t maddr; /* machine address; 0: not there */
    uint64_t size; /* bytes */
    bool is_io; /* I/O ports, not memory */
};

struct pcifront_device {
    uint16_t domain;
    uint8_t bus, dev, fn; /* as pciback shows them to us: usually 00:00.0 */
    uint16_t vendor, device, subvendor, subdevice;
    uint32_t class; /* base class, sub-class, interface: 24 bits */
    uint8_t irq_line; /* the pirq for INTx */
    struct pcifront_bar bar[PCIFRONT_NR_BARS];
};

/*
 * Find the backend, complete the handshake, scan the devices. Blocking, boot only.
 * Returns the number of devices (0: the domain was given none), or a negative errno with the reason
 * logged. The devices stay ours to read for the life of the domain.
 */
int pcifront_init(const struct pcifront_device **devices_r) __must_check;

/*
 * After a restart, in place of pcifront_init(): go on with the devices of the last start. Everything
 * that pcifront knows outlives a restart and is sealed. Returns their number (0: there were none),
 * -EIO if what is known does not verify, -ENOTCONN if the event channel to pciback is lost.
 * pcifront_watch() takes up watching for dom0's wishes again, once xenstore is there.
 */
int pcifront_resume(const struct pcifront_device **devices_r) __must_check;
int pcifront_watch(void) __must_check;

/*
 * Configuration space; size 1, 2 or 4 bytes, offset a multiple of it. What cannot change is answered
 * from a cache; anything else asks pciback and waits for its answer (0.8 ms in the lab), with no
 * event of ours dispatched meanwhile. Each returns 0, or -EINVAL (offset, size), -ENODEV (taken away
 * from us), -EACCES (pciback refuses), -ETIMEDOUT, -EIO. A write may return 0 and change nothing:
 * pciback drops what is not permitted without a word.
 */
int pcifront_read(const struct pcifront_device *dev, unsigned int offset, unsigned int size,
                  uint32_t *value_r) __must_check;
int pcifront_write(const struct pcifront_device *dev, unsigned int offset, unsigned int size,
                   uint32_t value) __must_check;

/* Offset of the first capability with this id; 0 if the device has none. */
unsigned int pcifront_capability_find(const struct pcifront_device *dev, uint8_t id) __must_check;

/*
 * Ask pciback for interrupts. The pirqs are bound with evtchn_bind_pirq().
 * For MSI-X, nr entries (entry i is table entry i).
 */
int pcifront_msi_enable(const struct pcifront_device *dev, uint32_t *pirq_r) __must_check;
int pcifront_msix_enable(const struct pcifront_device *dev, unsigned int nr, uint32_t *pirqs_r)
    __must_check;
void pcifront_msi_disable(const struct pcifront_device *dev);
void pcifront_msix_disable(const struct pcifront_device *dev);

#endif
