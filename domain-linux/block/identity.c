/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/identity.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/serial.h"

#define HASH_START 0xcbf29ce484222325ull /* FNV-1a, 64 bits */
#define HASH_TIMES 0x100000001b3ull
#define WWID_SIZE 256

static uint64_t hash(uint64_t so_far, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        so_far = (so_far ^ ((const uint8_t *)bytes)[i]) * HASH_TIMES;
    return so_far;
}

/* With its NUL: where one ends and the next begins makes a difference. */
static uint64_t text_hash(uint64_t so_far, const char *text)
{
    return hash(so_far, text, strlen(text) + 1);
}

/* NVMe's is the block device's own, SCSI's is its device's. Returns whether there is one. */
static bool wwid_read(const char *sys, const char *disk, char wwid_r[WWID_SIZE])
{
    static const char *const places[] = { "wwid", "device/wwid" };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char path[PATH_MAX];
        ssize_t len;
        int fd;

        snprintf(path, sizeof(path), "%.1000s/block/%.255s/%s", sys, disk, places[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        len = fd < 0 ? -1 : read(fd, wwid_r, WWID_SIZE - 1);
        if (fd >= 0)
            close(fd);
        wwid_r[len > 0 ? len : 0] = '\0';
        wwid_r[strcspn(wwid_r, "\n")] = '\0';
        if (*wwid_r)
            return true;
    }
    return false;
}

static uint64_t place_hash(uint64_t so_far, const char *sys, const char *disk)
{
    char path[PATH_MAX], place[PATH_MAX];

    snprintf(path, sizeof(path), "%.1000s/block/%.255s", sys, disk);
    return text_hash(so_far, realpath(path, place) ? place : path);
}

uint64_t identity_make(const char *sys, const char *disk, uint64_t start, uint64_t nr_sectors)
{
    char serial[SERIAL_SIZE] = "", wwid[WWID_SIZE] = "";
    bool has_serial = serial_read(sys, disk, serial) == 0;
    bool has_wwid = wwid_read(sys, disk, wwid);
    uint64_t sum = text_hash(text_hash(HASH_START, has_serial ? serial : ""), wwid);

    if (!has_wwid && (!has_serial || serial_count(sys, serial) != 1))
        sum = place_hash(sum, sys, disk);
    sum = hash(sum, &start, sizeof(start));
    return hash(sum, &nr_sectors, sizeof(nr_sectors));
}
