/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DPDK's environment layer on Xen: one lcore, memory in 2 MB segments with true machine addresses,
 * PCI through pcifront, interrupts as event channels.
 *
 * The portable objects of librte_eal.a are linked as they are (mk/dpdk.mk lists them); the files
 * here are what touched an operating system. Where a function here has no comment, DPDK's own
 * header for it is its contract.
 */
#ifndef EAL_EAL_H
#define EAL_EAL_H

#include <stddef.h>
#include <stdint.h>

#include "xen/pcifront.h"

/*
 * Bring the layer up to where memory can be had: heap, memory zones, tail queues,
 * the mbuf pool (eal/pool.h).
 * Once, after libc_run_constructors(). Takes the whole of mm_pool_range() for DPDK's heap.
 *
 *   log_level  RTE_LOG_*: the least important level of DPDK that is logged
 *
 * Returns 0, or a negative errno with the reason logged.
 */
int eal_init(uint32_t log_level) __must_check;

/*
 * Tell the PCI bus what there is, so that drivers can be probed. Once, after eal_init().
 *
 *   devices  nr of them, as pcifront_init() gave them; kept
 *
 * Returns 0 or -ENODEV. Drivers are probed by nic_probe_all() (eal/nic.h).
 */
int eal_devices_add(const struct pcifront_device *devices, unsigned int nr) __must_check;

/*
 * The NICs run, or there are none: note what does not change from here on. After nic_probe_all().
 */
void eal_seal(void);

/*
 * After a restart, in place of libc_run_constructors(), eal_init() and all that follows: verify what
 * the last start left, take back mbufs, go on with alarms and interrupts. nic_resume() is next.
 *
 * Returns NULL, or why it cannot go on: then all of it must be as at a first start, and is made anew.
 */
const char *eal_resume(void) __must_check;

/*
 * Keep a device from reading and writing memory, whatever it was doing. After a restart that does not
 * keep the NICs, for each device, before memory that its rings lie in is used for anything else.
 */
void eal_nic_quiet(const struct pcifront_device *device);

/* Bytes in DPDK's heap, and those of them in use. */
void eal_heap_usage(size_t *size_r, size_t *used_r);

#endif
