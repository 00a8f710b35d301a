/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading PCI configuration space: the parts that need no device. Numbers come from pciback and from
 * hardware; none is believed.
 * Source: PCI Local Bus Specification 3.0, 6.1, 6.2.5 and 6.7.
 */
#ifndef XEN_PCIFRONT_CONFIG_H
#define XEN_PCIFRONT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/cpu.h"
#include "xen/pcifront.h"

#define PCI_ID 0x00 /* vendor, device */
#define PCI_CLASS 0x08 /* revision, class */
#define PCI_HEADER_TYPE 0x0e
#define PCI_BAR 0x10
#define PCI_SUBSYSTEM 0x2c
#define PCI_CAPABILITIES 0x34
#define PCI_INTERRUPT 0x3c /* line, pin */
#define PCI_HEADER_SIZE 0x40
#define PCI_CONFIG_SIZE 0x1000 /* with PCI Express's extended part */

#define PCI_CAPABILITY_MSI 0x05
#define PCI_CAPABILITY_MSIX 0x11

struct pci_address {
    uint16_t domain;
    uint8_t bus, dev, fn;
};

/*
 * "dddd:bb:dd.f" in hexadecimal, each part with one to four digits, nothing before or behind.
 * Returns 0 or -EINVAL.
 */
int pci_address_parse(const char *text, struct pci_address *address_r) __must_check;

/* Whether a BAR's value says that the next BAR is its upper half. */
bool pci_bar_is_wide(uint32_t value);

/*
 * A BAR from its value and from what it read after all ones were written; for a 64-bit BAR both are
 * of the pair, for others the upper halves are ignored. A BAR that makes no sense becomes one that
 * is not there: a size that is no power of two, an address that is no multiple of it or that wraps,
 * nothing assigned, other flags the second time.
 */
void pci_bar_decode(uint64_t value, uint64_t sized, struct pcifront_bar *bar_r);

/* One byte of a device's configuration space; 0 or a negative errno. */
typedef int pci_read_byte_fn(void *ctx, unsigned int offset, uint8_t *value_r);

/* Told of each capability as it is passed; may be NULL. */
typedef void pci_capability_fn(void *ctx, unsigned int offset);

/*
 * Walk the list of capabilities up to the first with this id. Bounded: a list that runs in circles
 * or out of its part of configuration space ends there.
 * Returns its offset, or 0.
 */
unsigned int pci_capability_walk(pci_read_byte_fn *read, pci_capability_fn *seen, void *ctx,
                                 uint8_t id);

/* Whether a byte of the header stays what it is while nobody writes to it. */
bool pci_header_is_constant(unsigned int offset);

/* Whether a read or write of this form is one at all. */
bool pci_access_is_valid(unsigned int offset, unsigned int size);

#endif
