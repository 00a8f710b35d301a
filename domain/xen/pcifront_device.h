/* SPDX-License-Identifier: BSD-2-Clause */
/* Scanning a device, behind pcifront_init(). */
#ifndef XEN_PCIFRONT_DEVICE_H
#define XEN_PCIFRONT_DEVICE_H

#include "xen/pcifront_config.h"

/*
 * Read what a device is and where its BARs are, and add it to pcifront_devices(). Returns 0 or an
 * error of pcifront_read(); -ENODEV too for what is no ordinary device (a bridge, or nobody
 * answers), -ENOSPC for one too many.
 */
int pcifront_device_add(const struct pci_address *address) __must_check;

/* All devices added so far. */
const struct pcifront_device *pcifront_devices(unsigned int *nr_r);

#endif
