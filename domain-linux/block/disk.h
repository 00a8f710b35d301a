/* SPDX-License-Identifier: BSD-2-Clause */
/* A block device that is served. */
#ifndef DOMAIN_LINUX_BLOCK_DISK_H
#define DOMAIN_LINUX_BLOCK_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct disk {
    int fd; /* -1: none; O_DIRECT: what was answered is not in this domain's memory alone */
    dev_t device;
    dev_t whole; /* the disk that it is, or is a partition of */
    uint64_t start; /* there, in sectors */
    bool is_read_only;
    uint64_t nr_sectors; /* of 512 bytes */
    uint32_t physical_sector_size; /* bytes */
    uint64_t identity; /* what it is (block/identity.h) */
};

/*
 * Open a device.
 *
 *   target  of the guest's disk line: "/dev/sda2", or "/dev/disk/by-serial/..." (block/serial.h)
 *   why_r   set on failure, for a message
 *
 * Returns 0; -ENOENT while it is not there: it may still come; or another negative errno.
 */
int disk_open(const char *target, bool is_read_only, struct disk *disk_r, const char **why_r);

/* Whether two that may be open at a time share sectors, and one of them writes: a disk and its partition, too. Pure. */
bool disk_conflicts(const struct disk *a, const struct disk *b);

/* Closes what disk_open() opened; any number of times. */
void disk_close(struct disk *disk);

#endif
