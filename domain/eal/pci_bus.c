/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's PCI bus on pcifront: scan, configuration space, register mappings. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_bus_pci.h>
#include <rte_errno.h>

#include <pci_private.h>

#include "eal/eal.h"
#include "eal/internal.h"
#include "eal/quirk.h"
#include "eal/seal.h"
#include "pv/mm.h"
#include "xen/log.h"

#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_MASTER 0x4

static const struct pcifront_device *fronts;
static unsigned int nr_fronts;
static struct rte_pci_device pci_devices[PCIFRONT_MAX_DEVICES]; /* pci_devices[i] is fronts[i] */

void eal_pci_init(const struct pcifront_device *devices, unsigned int nr)
{
    fronts = devices;
    nr_fronts = nr < PCIFRONT_MAX_DEVICES ? nr : PCIFRONT_MAX_DEVICES;
}

const struct pcifront_device *eal_pci_device(const struct rte_pci_device *dev)
{
    INVARIANT(dev >= pci_devices && dev < pci_devices + nr_fronts);
    return &fronts[dev - pci_devices];
}

void eal_pci_seal(void)
{
    seal_add("the PCI bus", &rte_pci_bus, sizeof(rte_pci_bus));
    seal_add("the PCI devices", pci_devices, nr_fronts * sizeof(pci_devices[0]));
    seal_add("the list of PCI devices", &fronts, sizeof(fronts));
    seal_add("their number", &nr_fronts, sizeof(nr_fronts));
}

static void device_add(unsigned int index)
{
    const struct pcifront_device *front = &fronts[index];
    struct rte_pci_device *dev = &pci_devices[index];

    dev->device.bus = &rte_pci_bus.bus;
    dev->device.numa_node = 0;
    dev->addr = (struct rte_pci_addr){
        .domain = front->domain, .bus = front->bus, .devid = front->dev, .function = front->fn
    };
    dev->id = (struct rte_pci_id){
        .class_id = front->class,
        .vendor_id = front->vendor,
        .device_id = front->device,
        .subsystem_vendor_id = front->subvendor,
        .subsystem_device_id = front->subdevice,
    };
    for (unsigned int i = 0; i < PCIFRONT_NR_BARS; i++) {
        if (front->bar[i].is_io)
            continue;
        dev->mem_resource[i].phys_addr = front->bar[i].maddr;
        dev->mem_resource[i].len = front->bar[i].size;
    }
    /* What rte_pci_device_name() makes; without device arguments there is nothing else to set. */
    rte_pci_device_name(&dev->addr, dev->name, sizeof(dev->name));
    dev->device.name = dev->name;
    rte_pci_add_device(dev);
}

static int command_change(const struct pcifront_device *device, uint32_t off, uint32_t on)
{
    uint32_t command;
    int err = pcifront_read(device, PCI_COMMAND, 2, &command);

    if (err != 0 || ((command & ~off) | on) == command)
        return err;
    return pcifront_write(device, PCI_COMMAND, 2, (command & ~off) | on);
}

/* Once: devices neither come nor go in the life of the domain. */
int rte_pci_scan(void)
{
    for (unsigned int i = 0; i < nr_fronts; i++)
        if (pci_devices[i].device.bus == NULL)
            device_add(i);
    return 0;
}

static int bar_map(struct rte_mem_resource *bar)
{
    unsigned long first = bar->phys_addr >> PAGE_SHIFT;
    unsigned long last = (bar->phys_addr + bar->len - 1) >> PAGE_SHIFT;
    char *va = mm_map_device(first, last - first + 1);

    if (!va)
        return -ENOMEM;
    bar->addr = va + (bar->phys_addr & (PAGE_SIZE - 1));
    return 0;
}

static void bar_unmap(struct rte_mem_resource *bar)
{
    uintptr_t start = (uintptr_t)bar->addr & PAGE_MASK;
    uintptr_t end = ((uintptr_t)bar->addr + bar->len + PAGE_SIZE - 1) & PAGE_MASK;

    mm_unmap_device((void *)start, (end - start) >> PAGE_SHIFT);
    bar->addr = NULL;
}

/*
 * Bus mastering is off until the driver has reset the device, if it can wait so long: in whatever
 * state the device comes to us, it may still have rings in memory that is somebody else's by now.
 */
static int device_enable(const struct rte_pci_device *dev)
{
    bool late = quirk_of(dev->driver->driver.name)->master_after_probe;

    return command_change(eal_pci_device(dev), late ? PCI_COMMAND_MASTER : 0,
                          PCI_COMMAND_MEMORY | (late ? 0 : PCI_COMMAND_MASTER));
}

int eal_pci_master_enable(const struct rte_pci_device *dev)
{
    return command_change(eal_pci_device(dev), 0, PCI_COMMAND_MASTER);
}

/*
 * Written even where it is off already: dom0 may have switched it off past pciback, which would take
 * it for on, then, and drop our later wish to have it on.
 */
void eal_nic_quiet(const struct pcifront_device *device)
{
    uint32_t command = 0;
    int err = pcifront_read(device, PCI_COMMAND, 2, &command);

    if (err == 0)
        err = pcifront_write(device, PCI_COMMAND, 2, command & ~(uint32_t)PCI_COMMAND_MASTER);
    /* The answer comes after all that the device had under way. */
    if (err == 0)
        err = pcifront_read(device, PCI_COMMAND, 2, &command);
    if (err != 0 || (command & PCI_COMMAND_MASTER))
        log_error("eal: %02x:%02x.%x goes on reading and writing memory: %d", device->bus,
                  device->dev, device->fn, err);
}

/* A BAR that cannot be mapped is the driver's to miss: many have one it never uses (the MSI-X
 * table, which is Xen's, or a ROM). */
int rte_pci_map_device(struct rte_pci_device *dev)
{
    int err = device_enable(dev);

    for (unsigned int i = 0; err == 0 && i < PCIFRONT_NR_BARS; i++) {
        struct rte_mem_resource *bar = &dev->mem_resource[i];

        if (bar->len > 0 && !bar->addr && bar_map(bar) != 0)
            log_warn("eal: %s: BAR %u (%lu bytes) cannot be mapped", dev->name, i,
                     (unsigned long)bar->len);
    }
    if (err == 0)
        err = eal_intr_attach(dev->intr_handle, dev);
    if (err != 0) {
        log_error("eal: %s: cannot be set up: %d", dev->name, err);
        rte_pci_unmap_device(dev);
        return -1;
    }
    return 0;
}

void rte_pci_unmap_device(struct rte_pci_device *dev)
{
    eal_intr_detach(dev->intr_handle);
    for (unsigned int i = 0; i < PCIFRONT_NR_BARS; i++)
        if (dev->mem_resource[i].addr)
            bar_unmap(&dev->mem_resource[i]);
}

/* The largest natural access at offset that is within len. */
static unsigned int access_size(size_t len, unsigned int offset)
{
    if (len >= 4 && offset % 4 == 0)
        return 4;
    return len >= 2 && offset % 2 == 0 ? 2 : 1;
}

int rte_pci_read_config(const struct rte_pci_device *dev, void *buf, size_t len, off_t offset)
{
    for (size_t done = 0; done < len;) {
        unsigned int at = (unsigned int)offset + (unsigned int)done;
        unsigned int size = access_size(len - done, at);
        uint32_t value;

        if (pcifront_read(eal_pci_device(dev), at, size, &value) != 0)
            return -1;
        memcpy((char *)buf + done, &value, size);
        done += size;
    }
    return (int)len;
}

int rte_pci_write_config(const struct rte_pci_device *dev, const void *buf, size_t len,
                         off_t offset)
{
    for (size_t done = 0; done < len;) {
        unsigned int at = (unsigned int)offset + (unsigned int)done;
        unsigned int size = access_size(len - done, at);
        uint32_t value = 0;

        memcpy(&value, (const char *)buf + done, size);
        if (pcifront_write(eal_pci_device(dev), at, size, value) != 0)
            return -1;
        done += size;
    }
    return (int)len;
}

bool pci_device_iommu_support_va(const struct rte_pci_device *dev)
{
    (void)dev;
    return false;
}

enum rte_iova_mode pci_device_iova_mode(const struct rte_pci_driver *driver,
                                        const struct rte_pci_device *dev)
{
    (void)driver;
    (void)dev;
    return RTE_IOVA_PA;
}

/* I/O ports would need the hypervisor's leave for each; no driver offered here needs them. */
int rte_pci_ioport_map(struct rte_pci_device *dev, int bar, struct rte_pci_ioport *port)
{
    (void)dev;
    (void)bar;
    (void)port;
    return -ENOTSUP;
}

int rte_pci_ioport_unmap(struct rte_pci_ioport *port)
{
    (void)port;
    return -ENOTSUP;
}

void rte_pci_ioport_read(struct rte_pci_ioport *port, void *data, size_t len, off_t offset)
{
    (void)port;
    (void)offset;
    memset(data, 0xff, len);
}

void rte_pci_ioport_write(struct rte_pci_ioport *port, const void *data, size_t len, off_t offset)
{
    (void)port;
    (void)data;
    (void)len;
    (void)offset;
}

int pci_uio_remap_resource(struct rte_pci_device *dev)
{
    (void)dev;
    return -ENOTSUP;
}
