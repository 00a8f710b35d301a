/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/pci.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/log.h"

/* PCI Local Bus Specification 3.0, 6.2.2: the command register. */
#define COMMAND 4
#define COMMAND_MASTER 0x0004u
#define COMMAND_INTX_OFF 0x0400u

void pci_path(const struct bdf *bdf, const char *name, char path[FILES_PATH_SIZE])
{
    char text[BDF_SIZE];

    bdf_format(bdf, text);
    snprintf(path, FILES_PATH_SIZE, "/sys/bus/pci/devices/%s%s%s", text, *name ? "/" : "", name);
}

bool pci_exists(const struct bdf *bdf)
{
    char path[FILES_PATH_SIZE];

    pci_path(bdf, "", path);
    return access(path, F_OK) == 0;
}

/* The last part of what a link leads to. */
static int link_name(const char *path, char *name, size_t size)
{
    char target[FILES_PATH_SIZE];
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    const char *slash;

    if (len < 0)
        return -errno;
    target[len] = '\0';
    slash = strrchr(target, '/');
    snprintf(name, size, "%s", slash ? slash + 1 : target);
    return 0;
}

int pci_find(const char *text, struct bdf *bdf_r)
{
    char path[FILES_PATH_SIZE], name[64];

    if (bdf_parse(text, bdf_r) == 0) {
        if (pci_exists(bdf_r))
            return 0;
        log_line("there is no PCI device %s: `lspci -D` lists those there are", text);
        return -ENODEV;
    }
    if (strlen(text) < 16 && !strchr(text, '/') && *text && *text != '.') {
        snprintf(path, sizeof(path), "/sys/class/net/%s/device", text);
        if (link_name(path, name, sizeof(name)) == 0) {
            if (bdf_parse(name, bdf_r) == 0)
                return 0;
            log_line("interface %s is not on a PCI device of its own (it is on %s)", text, name);
            return -ENODEV;
        }
    }
    log_line("'%.40s' is neither a PCI address (03:00.0) nor an interface of dom0 (`ip link` lists "
             "them)",
             text);
    return -ENODEV;
}

void pci_driver(const struct bdf *bdf, char *name, size_t size)
{
    char path[FILES_PATH_SIZE];

    pci_path(bdf, "driver", path);
    if (link_name(path, name, size))
        name[0] = '\0';
}

static void command_change(const struct bdf *bdf, unsigned int clear, unsigned int set)
{
    char path[FILES_PATH_SIZE];
    uint8_t bytes[2];
    uint16_t command;
    int fd;

    pci_path(bdf, "config", path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && pread(fd, bytes, 2, COMMAND) == 2) {
        command = (uint16_t)(bytes[0] | bytes[1] << 8);
        command = (uint16_t)((command & ~clear) | set);
        bytes[0] = (uint8_t)command;
        bytes[1] = (uint8_t)(command >> 8);
        if (pwrite(fd, bytes, 2, COMMAND) == 2) {
            close(fd);
            return;
        }
    }
    log_line("%s: cannot switch its bus mastering off: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void pci_quiet(const struct bdf *bdf)
{
    command_change(bdf, COMMAND_MASTER, COMMAND_INTX_OFF);
}

void pci_master_off(const struct bdf *bdf)
{
    command_change(bdf, COMMAND_MASTER, 0);
}

bool pci_master_is_off(const struct bdf *bdf)
{
    char path[FILES_PATH_SIZE];
    uint8_t bytes[2];
    bool is_read;
    int fd;

    pci_path(bdf, "config", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    is_read = pread(fd, bytes, sizeof(bytes), COMMAND) == sizeof(bytes);
    close(fd);
    return is_read && !((bytes[0] | bytes[1] << 8) & (int)COMMAND_MASTER);
}

static void device_of(const struct bdf *bdf, libxl_device_pci *pci)
{
    libxl_device_pci_init(pci);
    pci->domain = bdf->domain;
    pci->bus = bdf->bus;
    pci->dev = bdf->dev;
    pci->func = bdf->func;
}

/* The driver that holds devices for other domains is a module in most kernels. What comes of it shows afterwards. */
static void pciback_load(void)
{
    char *argv[] = { "modprobe", "xen-pciback", NULL };
    pid_t pid;

    if (access("/sys/bus/pci/drivers/pciback", F_OK) &&
        posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
}

bool pci_is_taken_from_dom0(const struct bdf *bdf)
{
    char driver[64];

    pci_driver(bdf, driver, sizeof(driver));
    return driver[0] && strcmp(driver, "pciback") != 0;
}

int pci_take(struct host *host, const struct bdf *bdf, bool *taken_r)
{
    libxl_device_pci pci;
    char driver[64];
    int rc;

    *taken_r = false;
    pci_driver(bdf, driver, sizeof(driver));
    if (strcmp(driver, "pciback") == 0)
        return 0;
    pciback_load();
    device_of(bdf, &pci);
    rc = libxl_device_pci_assignable_add(host->xl, &pci, 1);
    libxl_device_pci_dispose(&pci);
    if (rc) {
        log_line(
            "cannot take the device for pciback: is the module there (`modprobe xen-pciback`)?");
        return -EIO;
    }
    *taken_r = driver[0] != '\0';
    return 0;
}

int pci_bind(const struct bdf *bdf, const char *driver)
{
    char path[FILES_PATH_SIZE], address[BDF_SIZE];
    int fd, err = 0;

    snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
    bdf_format(bdf, address);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (write(fd, address, strlen(address)) < 0)
        err = -errno;
    close(fd);
    return err;
}

void pci_give_back(struct host *host, const struct bdf *bdf)
{
    libxl_device_pci pci;
    char text[BDF_SIZE];

    if (pci_is_taken_from_dom0(bdf))
        return; /* it was noted, and not taken */
    bdf_format(bdf, text);
    device_of(bdf, &pci);
    if (libxl_device_pci_assignable_remove(host->xl, &pci, 1))
        log_line("%s could not be given back: try `xl pci-assignable-remove -r %s`", text, text);
    libxl_device_pci_dispose(&pci);
}
