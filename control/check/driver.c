/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/driver.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define INFO "PMD_INFO_STRING= {\"name\": \""
#define IDS "\"pci_ids\": ["
#define INFO_MAX 65536 /* longer ones are not read to their end */
#define ANY 0xffffu

static bool id_fits(unsigned int id, uint16_t seen)
{
    return id == ANY || id == seen;
}

/* ids: "[vendor, device, subvendor, subdevice], ..." */
static bool ids_have(const char *ids, const struct driver_device *device)
{
    unsigned int vendor, model, subvendor, submodel;

    while (sscanf(ids, " [%u, %u, %u, %u", &vendor, &model, &subvendor, &submodel) == 4) {
        ids = strchr(ids, ']');
        if (!ids)
            return false;
        if (id_fits(vendor, device->vendor) && id_fits(model, device->device) &&
            id_fits(subvendor, device->subvendor) && id_fits(submodel, device->subdevice))
            return true;
        if (*++ids != ',')
            return false;
        ids++;
    }
    return false;
}

/* info: behind INFO. */
static bool info_has(const char *info, const struct driver_device *device,
                     char name_r[DRIVER_NAME_SIZE])
{
    const char *ids = strstr(info, IDS);
    size_t len = strcspn(info, "\"");

    if (!ids || len >= DRIVER_NAME_SIZE || !ids_have(ids + strlen(IDS), device))
        return false;
    memcpy(name_r, info, len);
    name_r[len] = '\0';
    return true;
}

int driver_find(const char *image, size_t len, const struct driver_device *device,
                char name_r[DRIVER_NAME_SIZE])
{
    static char info[INFO_MAX];
    const char *end = image + len, *at = image;
    int err = -ENOENT;

    while ((at = memmem(at, (size_t)(end - at), INFO, strlen(INFO)))) {
        size_t size;

        at += strlen(INFO);
        size = strnlen(at, (size_t)(end - at));
        size = size < sizeof(info) ? size : sizeof(info) - 1;
        memcpy(info, at, size);
        info[size] = '\0';
        if (info_has(info, device, name_r))
            return 0;
        err = -ENODEV;
    }
    return err;
}
