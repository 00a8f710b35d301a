/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of disks that stay: by what the disk says it is, where /dev/sda is the one that came first. */
#ifndef DOMAIN_LINUX_BLOCK_SERIAL_H
#define DOMAIN_LINUX_BLOCK_SERIAL_H

#include <stddef.h>

#define SERIAL_DIR "/dev/disk/by-serial/"
#define SERIAL_SIZE 64
#define SERIAL_PATH_SIZE 300

/*
 * The serial number of a whole disk.
 *
 *   sys       "/sys"; another one for tests
 *   disk      its name, "nvme0n1"
 *   serial_r  printable, without blanks at its ends; blanks and slashes within are '_'
 *
 * Returns 0, or -ENOENT if it has none.
 */
int serial_read(const char *sys, const char *disk, char serial_r[SERIAL_SIZE]);

/* How many disks have this serial number. */
unsigned int serial_count(const char *sys, const char *serial);

/*
 * The device that SERIAL or SERIAL-partN names.
 *
 *   path_r  "/dev/nvme0n1p2"
 *
 * Returns 0; -ENOENT if no disk has this serial number; -ENOTUNIQ if several have.
 */
int serial_find(const char *sys, const char *name, char path_r[SERIAL_PATH_SIZE]);

#endif
