/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of an image's NIC drivers drives a device: the drivers carry their PCI ids as text. Pure. */
#ifndef CONTROL_DRIVER_H
#define CONTROL_DRIVER_H

#include <stddef.h>
#include <stdint.h>

struct driver_device {
    uint16_t vendor, device, subvendor, subdevice;
};

#define DRIVER_NAME_SIZE 32

/*
 *   image, len  a kernel image; whatever is in it, nothing behind its end is looked at
 *   name_r      the driver's, set on success
 *
 * Returns 0, -ENODEV if no driver of the image has the device's ids, or -ENOENT if it has no drivers: it is no
 * image of Ferry's.
 * Source: DPDK buildtools/pmdinfogen.py, "PMD_INFO_STRING"; rte_pci_match() of DPDK.
 */
int driver_find(const char *image, size_t len, const struct driver_device *device,
                char name_r[DRIVER_NAME_SIZE]);

#endif
