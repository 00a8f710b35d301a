/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI devices as dom0's sysfs shows them. */
#ifndef CONTROL_PCI_H
#define CONTROL_PCI_H

#include <stdbool.h>

#include "util/bdf.h"
#include "util/files.h"
#include "xen/host.h"

/* The sysfs directory, or something in it: name may be "". */
void pci_path(const struct bdf *bdf, const char *name, char path[FILES_PATH_SIZE]);
bool pci_exists(const struct bdf *bdf);

/* A device by its address, or by the name of dom0's interface on it ("eth0"). Returns 0, or -ENODEV
 * after saying what was looked for. */
int pci_find(const char *text, struct bdf *bdf_r);

/* The name of dom0's driver, "" for none. */
void pci_driver(const struct bdf *bdf, char *name, size_t size);

/* Clear Bus Master and mask INTx: no DMA from here on, so that memory behind the NIC's rings may be used for something else. Says so if it cannot. */
void pci_quiet(const struct bdf *bdf);

/* Clear Bus Master only: for a device whose domain goes on and sets it again. */
void pci_master_off(const struct bdf *bdf);

/* Whether Bus Master is clear: it does no DMA. False if that cannot be read. */
bool pci_master_is_off(const struct bdf *bdf);

/* Whether pci_take() would take it from a driver of dom0's. */
bool pci_is_taken_from_dom0(const struct bdf *bdf);
/* Give the device to pciback unless it is there; taken_r tells whether dom0 had a driver on it. */
int pci_take(struct host *host, const struct bdf *bdf, bool *taken_r);
/* Bind a device that no driver has. Returns 0 or a negative errno. */
int pci_bind(const struct bdf *bdf, const char *driver);
/* Back to dom0's driver, as pci_take() found it; nothing to do for one that pciback has not got. */
void pci_give_back(struct host *host, const struct bdf *bdf);

#endif
