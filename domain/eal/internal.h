/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of eal/. */
#ifndef EAL_INTERNAL_H
#define EAL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <bus_pci_driver.h>
#include <rte_interrupts.h>

#include "xen/pcifront.h"

/* DPDK's log. Lines above `level` (RTE_LOG_*) are dropped. */
void eal_log_init(uint32_t level);

/* Hand mm_pool_range() to DPDK as memory segments. Returns 0 or a negative errno. */
int eal_memory_init(void) __must_check;

/* How long drivers have waited for their hardware, by delays they asked for. */
uint64_t eal_waited_ns(void);

/* What rte_pci_scan() will find. The devices are kept. */
void eal_pci_init(const struct pcifront_device *devices, unsigned int nr);

/* The pcifront side of a device that rte_pci_scan() added. */
const struct pcifront_device *eal_pci_device(const struct rte_pci_device *dev);

/* Let a device read and write memory. Returns 0 or a negative errno. */
int eal_pci_master_enable(const struct rte_pci_device *dev) __must_check;

/*
 * Tie an interrupt handle to a device: chooses MSI-X, MSI or INTx by what the device and its driver
 * can, and sets the handle's type. Nothing is asked of pciback before rte_intr_enable().
 */
int eal_intr_attach(struct rte_intr_handle *handle, const struct rte_pci_device *dev) __must_check;

/* How many events the device has sent, modulo 2^32. */
uint32_t eal_intr_events(const struct rte_intr_handle *handle);

/*
 * After a restart: go on with the event channels of the last start. Each device is taken to have sent
 * an event, its driver's callbacks run. Returns NULL, or what is wrong.
 */
const char *eal_intr_resume(void) __must_check;

/* The same for alarms, which fire when they would have. */
const char *eal_alarms_resume(void) __must_check;

/* Whether DPDK's heap is in order. */
bool eal_heap_is_sound(void) __must_check;

/* Name what of interrupts and of the PCI bus does not change (eal/seal.h). */
void eal_intr_seal(void);
void eal_pci_seal(void);

/* Give a handle's vectors back. */
void eal_intr_detach(struct rte_intr_handle *handle);

#endif
