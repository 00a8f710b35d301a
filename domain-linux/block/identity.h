/* SPDX-License-Identifier: BSD-2-Clause */
/* What a disk is, in a number: so that a successor does not write one guest's requests to another disk. */
#ifndef DOMAIN_LINUX_BLOCK_IDENTITY_H
#define DOMAIN_LINUX_BLOCK_IDENTITY_H

#include <stdint.h>

/*
 * A hash of what can be told: the disk's serial number, which for NVMe is its controller's, and its worldwide identifier (wwid in
 * Linux' sysfs: NVMe's namespace, SCSI's page 0x83); its place in sysfs if it has neither, or if several disks have the serial number and
 * it has no wwid; where it begins; its size.
 *
 *   sys         "/sys"; another one for tests
 *   disk        the whole disk's name, "nvme0n1"
 *   start       of a partition, in sectors; 0 for a whole disk
 *   nr_sectors  the size of what is served
 */
uint64_t identity_make(const char *sys, const char *disk, uint64_t start, uint64_t nr_sectors);

#endif
