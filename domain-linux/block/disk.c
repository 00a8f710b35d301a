/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "block/identity.h"
#include "block/request.h"
#include "block/serial.h"

/* In sectors; a whole disk begins at 0. */
static uint64_t start_of(const char *sys)
{
    char path[PATH_MAX], text[32] = "";
    int fd;

    snprintf(path, sizeof(path), "%.4000s/start", sys);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    close(fd);
    return strtoull(text, NULL, 10);
}

/* "8:0" of a directory of sysfs. */
static int device_of(const char *sys, dev_t *device_r)
{
    char path[PATH_MAX], text[32] = "";
    unsigned int in_major, in_minor;
    int fd, err = 0;

    snprintf(path, sizeof(path), "%.4000s/dev", sys);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (read(fd, text, sizeof(text) - 1) < 0)
        err = -errno;
    close(fd);
    if (!err && sscanf(text, "%u:%u", &in_major, &in_minor) != 2)
        err = -EIO;
    if (!err)
        *device_r = makedev(in_major, in_minor);
    return err;
}

/* A partition's directory is in its disk's. */
static int identify(struct disk *disk)
{
    char link[64], sys[PATH_MAX], above[PATH_MAX], part[PATH_MAX], *of;
    int err;

    snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(disk->device), minor(disk->device));
    if (!realpath(link, sys))
        snprintf(sys, sizeof(sys), "%s", link);
    snprintf(part, sizeof(part), "%.4000s/partition", sys);
    strcpy(above, sys);
    of = access(part, F_OK) == 0 ? dirname(above) : above;
    err = device_of(of, &disk->whole);
    disk->start = start_of(sys);
    disk->identity = identity_make("/sys", basename(of), disk->start, disk->nr_sectors);
    return err;
}

bool disk_conflicts(const struct disk *a, const struct disk *b)
{
    if (a->whole != b->whole || (a->is_read_only && b->is_read_only))
        return false;
    return a->start < b->start + b->nr_sectors && b->start < a->start + a->nr_sectors;
}

static int look(struct disk *disk, const char **why_r)
{
    int sector_size, is_protected = 0, err;
    unsigned int physical;
    uint64_t bytes;
    struct stat seen;

    if (fstat(disk->fd, &seen) || !S_ISBLK(seen.st_mode)) {
        *why_r = "it is no block device: disks, partitions and volumes can be served, files not";
        return -ENOTBLK;
    }
    if (ioctl(disk->fd, BLKGETSIZE64, &bytes) || ioctl(disk->fd, BLKSSZGET, &sector_size) ||
        ioctl(disk->fd, BLKPBSZGET, &physical) || ioctl(disk->fd, BLKROGET, &is_protected)) {
        *why_r = "its size cannot be asked for";
        return -errno;
    }
    if (sector_size != REQUEST_SECTOR_SIZE) {
        *why_r = "its logical sectors have not 512 bytes, and such disks are not served";
        return -EMEDIUMTYPE;
    }
    if (is_protected && !disk->is_read_only) {
        *why_r = "it can only be read; say mode r in the guest's disk line";
        return -EROFS;
    }
    disk->device = seen.st_rdev;
    disk->nr_sectors = bytes / REQUEST_SECTOR_SIZE;
    disk->physical_sector_size = physical;
    err = identify(disk);
    if (err)
        *why_r = "the kernel does not say which disk it is of (/sys/dev/block)";
    return err;
}

static int target_resolve(const char *target, char path[SERIAL_PATH_SIZE], const char **why_r)
{
    int err;

    if (strncmp(target, "/dev/", 5) != 0 || strlen(target) >= SERIAL_PATH_SIZE ||
        strstr(target, "/../")) {
        *why_r = "a target is a block device of the driver domain: /dev/...";
        return -EINVAL;
    }
    if (strncmp(target, SERIAL_DIR, strlen(SERIAL_DIR)) != 0) {
        strcpy(path, target);
        return 0;
    }
    err = serial_find("/sys", target + strlen(SERIAL_DIR), path);
    if (err)
        *why_r = err == -ENOTUNIQ ? "several disks have this serial number"
                                  : "no disk has this serial number";
    return err;
}

int disk_open(const char *target, bool is_read_only, struct disk *disk_r, const char **why_r)
{
    struct disk disk = { .fd = -1, .is_read_only = is_read_only };
    char path[SERIAL_PATH_SIZE];
    int err = target_resolve(target, path, why_r);

    if (err)
        return err;
    /* With O_EXCL of a writer nothing else in the domain has it: no file system, no other writer. */
    disk.fd =
        open(path, (is_read_only ? O_RDONLY : O_RDWR | O_EXCL) | O_DIRECT | O_NONBLOCK | O_CLOEXEC);
    if (disk.fd < 0) {
        err = -errno;
        *why_r = strerror(-err);
        return err == -ENXIO || err == -ENODEV || err == -ENOMEDIUM ? -ENOENT : err;
    }
    err = look(&disk, why_r);
    if (err) {
        close(disk.fd);
        return err;
    }
    *disk_r = disk;
    return 0;
}

void disk_close(struct disk *disk)
{
    if (disk->fd >= 0)
        close(disk->fd);
    disk->fd = -1;
}
