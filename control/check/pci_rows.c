/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/pci_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/dmar.h"
#include "check/driver.h"
#include "image/image.h"
#include "image/kind.h"
#include "util/files.h"
#include "xen/pci.h"

#define PCIBACK "/sys/bus/pci/drivers/pciback/"
#define TABLES "/sys/firmware/acpi/tables/"
#define TABLE_MAX 65536

/* Does a list of addresses, one a line, have this one? */
static bool list_has(const char *list, const char *address)
{
    size_t len = strlen(address);

    for (const char *at = list; *at; at += strcspn(at, "\n"), at += *at == '\n')
        if (strncmp(at, address, len) == 0 && strchr("\n", at[len]))
            return true;
    return false;
}

void check_permissive(struct check_row *row, const struct bdf *bdf, bool asked)
{
    char line[8], address[BDF_SIZE], *list;
    int err;

    bdf_format(bdf, address);
    if (asked) {
        check_set(row, CHECK_REFUSED, "the configuration asks for it");
        return;
    }
    if (files_read_line("/sys/module/xen_pciback/parameters/permissive", line, sizeof(line)) > 0 &&
        (line[0] == 'Y' || line[0] == '1')) {
        check_set(row, CHECK_REFUSED, "the xen-pciback module has it on for all devices");
        return;
    }
    err = files_read(PCIBACK "permissive", TABLE_MAX, &list, NULL);
    if (err) {
        check_set(row, err == -ENOENT ? CHECK_UNKNOWN : CHECK_REFUSED, "%spermissive: %s", PCIBACK,
                  err == -ENOENT ? "xen-pciback is not loaded yet" : strerror(-err));
        return;
    }
    if (list_has(list, address))
        check_set(row, CHECK_REFUSED, "pciback has it on for %s", address);
    else
        check_set(row, CHECK_OK, "off");
    free(list);
}

static uint16_t id_read(const struct bdf *bdf, const char *name)
{
    char path[FILES_PATH_SIZE], line[16];

    pci_path(bdf, name, path);
    return files_read_line(path, line, sizeof(line)) > 0 ? (uint16_t)strtoul(line, NULL, 16) : 0;
}

void check_device(const struct bdf *bdf, struct driver_device *device_r)
{
    *device_r = (struct driver_device){ .vendor = id_read(bdf, "vendor"),
                                        .device = id_read(bdf, "device"),
                                        .subvendor = id_read(bdf, "subsystem_vendor"),
                                        .subdevice = id_read(bdf, "subsystem_device") };
}

int check_image(const struct driver_device *device, const char *kernel,
                char name_r[DRIVER_NAME_SIZE])
{
    char *file;
    size_t len;
    int err = files_read(kernel, IMAGE_SIZE_MAX, &file, &len);

    if (err)
        return -EIO;
    err = driver_find(file, len, device, name_r);
    free(file);
    return err;
}

bool check_driver(struct check_row *row, const struct bdf *bdf, const char *kernel)
{
    struct driver_device device;
    char name[DRIVER_NAME_SIZE];
    int err;

    if (kind_is_linux(kernel)) {
        check_set(row, CHECK_UNKNOWN, "a Linux kernel: what its ramdisk drives is not looked at");
        return true;
    }
    check_device(bdf, &device);
    err = check_image(&device, kernel, name);
    if (err == -ENOENT || err == -EIO)
        return false; /* of a file that cannot be read `ferry start` says so itself */
    if (err)
        check_set(row, CHECK_REFUSED, "%s does not drive %04x:%04x", kernel, device.vendor,
                  device.device);
    else
        check_set(row, CHECK_OK, "%s of the image", name);
    return true;
}

void check_reset(struct check_row *row, const struct bdf *bdf)
{
    char path[FILES_PATH_SIZE], methods[64] = "";

    pci_path(bdf, "reset", path);
    if (access(path, W_OK)) {
        check_set(row, CHECK_REFUSED, "dom0's kernel knows no reset for it");
        return;
    }
    pci_path(bdf, "reset_method", path);
    if (files_read_line(path, methods, sizeof(methods)) > 0)
        check_set(row, CHECK_OK, "%s", methods);
    else
        check_set(row, CHECK_OK, "there is one");
}

void check_reserved(struct check_row *row, const struct bdf *bdf)
{
    static const char *const names[] = { "DMAR", "RMAD", "XMAR" };
    struct dmar_region region;
    char *table = NULL;
    size_t len;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !table; i++) {
        char path[FILES_PATH_SIZE];

        snprintf(path, sizeof(path), TABLES "%s", names[i]);
        if (files_read(path, TABLE_MAX, &table, &len))
            table = NULL;
    }
    if (!table) {
        check_set(row, CHECK_UNKNOWN,
                  "not seen: dom0 has no DMAR table (on AMD, IVRS is not read)");
        return;
    }
    switch (dmar_find(table, len, bdf, &region)) {
    case 0:
        check_set(row, CHECK_OK, "none in the DMAR table");
        break;
    case 1:
        check_set(row, CHECK_REFUSED, "RMRR %#lx-%#lx", region.base, region.limit);
        break;
    default:
        check_set(row, CHECK_REFUSED, "the DMAR table makes no sense");
        break;
    }
    free(table);
}
