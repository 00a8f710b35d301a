/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/serial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VPD_HEAD 4 /* of SCSI's page 0x80: the number follows */

/* virtio-blk; NVMe, of its controller; SCSI. */
static const struct {
    const char *file;
    size_t skip;
} places[] = { { "serial", 0 }, { "device/serial", 0 }, { "device/vpd_pg80", VPD_HEAD } };

static void tidy(const char *bytes, size_t len, char serial_r[SERIAL_SIZE])
{
    size_t nr = 0;

    while (len && (bytes[len - 1] <= ' ' || bytes[len - 1] > '~'))
        len--;
    while (len && (*bytes <= ' ' || *bytes > '~')) {
        bytes++;
        len--;
    }
    for (size_t i = 0; i < len && nr < SERIAL_SIZE - 1; i++)
        serial_r[nr++] = bytes[i] <= ' ' || bytes[i] > '~' || bytes[i] == '/' ? '_' : bytes[i];
    serial_r[nr] = '\0';
}

int serial_read(const char *sys, const char *disk, char serial_r[SERIAL_SIZE])
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char path[SERIAL_PATH_SIZE], bytes[256];
        ssize_t len;
        int fd;

        if (snprintf(path, sizeof(path), "%s/block/%s/%s", sys, disk, places[i].file) >=
            (int)sizeof(path))
            continue;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        len = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
        if (fd >= 0)
            close(fd);
        if (len <= (ssize_t)places[i].skip)
            continue;
        tidy(bytes + places[i].skip, (size_t)len - places[i].skip, serial_r);
        if (*serial_r)
            return 0;
    }
    return -ENOENT;
}

/* "-part12" at the end; returns where it begins, or NULL. */
static const char *part_of(const char *name)
{
    size_t len = strlen(name), digits = 0;

    while (digits < len && name[len - 1 - digits] >= '0' && name[len - 1 - digits] <= '9')
        digits++;
    if (digits == 0 || len - digits < 5 || strncmp(name + len - digits - 5, "-part", 5) != 0)
        return NULL;
    return name + len - digits - 5;
}

static void path_make(const char *disk, const char *part, char path_r[SERIAL_PATH_SIZE])
{
    size_t len = strlen(disk);
    bool ends_in_digit = len && disk[len - 1] >= '0' && disk[len - 1] <= '9';

    if (part)
        snprintf(path_r, SERIAL_PATH_SIZE, "/dev/%s%s%s", disk, ends_in_digit ? "p" : "", part + 5);
    else
        snprintf(path_r, SERIAL_PATH_SIZE, "/dev/%s", disk);
}

/* How many disks have the serial number; disk_r: the last one's name. */
static unsigned int disks_find(const char *sys, const char *wanted, size_t len,
                               char disk_r[NAME_MAX + 1])
{
    char dir[SERIAL_PATH_SIZE], serial[SERIAL_SIZE];
    const struct dirent *entry;
    unsigned int nr = 0;
    DIR *disks;

    snprintf(dir, sizeof(dir), "%s/block", sys);
    disks = opendir(dir);
    while (disks && (entry = readdir(disks))) {
        if (entry->d_name[0] == '.' || serial_read(sys, entry->d_name, serial))
            continue;
        if (strlen(serial) != len || memcmp(serial, wanted, len) != 0)
            continue;
        snprintf(disk_r, NAME_MAX + 1, "%s", entry->d_name);
        nr++;
    }
    if (disks)
        closedir(disks);
    return nr;
}

unsigned int serial_count(const char *sys, const char *serial)
{
    char disk[NAME_MAX + 1];

    return disks_find(sys, serial, strlen(serial), disk);
}

int serial_find(const char *sys, const char *name, char path_r[SERIAL_PATH_SIZE])
{
    const char *part = part_of(name);
    char disk[NAME_MAX + 1];
    unsigned int nr = disks_find(sys, name, part ? (size_t)(part - name) : strlen(name), disk);

    if (nr == 1)
        path_make(disk, part, path_r);
    return nr == 1 ? 0 : nr ? -ENOTUNIQ : -ENOENT;
}
