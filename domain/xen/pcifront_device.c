/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/pcifront_device.h"

#include <errno.h>
#include <string.h>

#include "xen/log.h"
#include "xen/pcifront_op.h"

#define CACHE_SIZE 256
#define CLASS_BRIDGE 0x06

/* What pciback said of bytes that do not change. */
static struct cache {
    uint8_t value[CACHE_SIZE];
    bool is_known[CACHE_SIZE];
    bool is_constant[CACHE_SIZE]; /* besides those of the header: ids and links of capabilities */
} caches[PCIFRONT_MAX_DEVICES];

static struct pcifront_device devices[PCIFRONT_MAX_DEVICES];
static unsigned int nr_devices;

static struct cache *cache_of(const struct pcifront_device *dev)
{
    INVARIANT(dev >= devices && dev < devices + PCIFRONT_MAX_DEVICES);
    return &caches[dev - devices];
}

static bool cache_read(const struct cache *cache, unsigned int offset, unsigned int size,
                       uint32_t *value_r)
{
    uint32_t value = 0;

    if (offset + size > CACHE_SIZE)
        return false;
    for (unsigned int i = 0; i < size; i++)
        if (!cache->is_known[offset + i])
            return false;
    memcpy(&value, cache->value + offset, size);
    *value_r = value;
    return true;
}

static void cache_learn(struct cache *cache, unsigned int offset, unsigned int size, uint32_t value)
{
    for (unsigned int i = 0; i < size && offset + i < CACHE_SIZE; i++) {
        if (!pci_header_is_constant(offset + i) && !cache->is_constant[offset + i])
            continue;
        cache->value[offset + i] = (uint8_t)(value >> (8 * i));
        cache->is_known[offset + i] = true;
    }
    pcifront_seal();
}

static void cache_forget(struct cache *cache, unsigned int offset, unsigned int size)
{
    for (unsigned int i = 0; i < size && offset + i < CACHE_SIZE; i++)
        cache->is_known[offset + i] = false;
    pcifront_seal();
}

int pcifront_read(const struct pcifront_device *dev, unsigned int offset, unsigned int size,
                  uint32_t *value_r)
{
    struct pcifront_request request = { .cmd = XEN_PCI_OP_conf_read,
                                        .offset = offset,
                                        .size = size };
    struct cache *cache = cache_of(dev);
    int err;

    if (!pci_access_is_valid(offset, size))
        return -EINVAL;
    if (cache_read(cache, offset, size, value_r))
        return 0;
    err = pcifront_op_run(dev, &request);
    if (err != 0)
        return err;
    if (size < 4)
        request.value &= (1u << (8 * size)) - 1;
    cache_learn(cache, offset, size, request.value);
    *value_r = request.value;
    return 0;
}

int pcifront_write(const struct pcifront_device *dev, unsigned int offset, unsigned int size,
                   uint32_t value)
{
    struct pcifront_request request = {
        .cmd = XEN_PCI_OP_conf_write, .offset = offset, .size = size, .value = value
    };

    if (!pci_access_is_valid(offset, size))
        return -EINVAL;
    cache_forget(cache_of(dev), offset, size);
    return pcifront_op_run(dev, &request);
}

static int read_byte(void *ctx, unsigned int offset, uint8_t *value_r)
{
    uint32_t value;
    int err = pcifront_read(ctx, offset, 1, &value);

    if (err == 0)
        *value_r = (uint8_t)value;
    return err;
}

static void capability_seen(void *ctx, unsigned int offset)
{
    struct cache *cache = cache_of(ctx);

    cache->is_constant[offset] = true;
    cache->is_constant[offset + 1] = true;
    pcifront_seal();
}

unsigned int pcifront_capability_find(const struct pcifront_device *dev, uint8_t id)
{
    return pci_capability_walk(read_byte, capability_seen, (void *)(uintptr_t)dev, id);
}

/* Value, then the mask it leaves of all ones, then the value again. */
static int bar_probe(const struct pcifront_device *dev, unsigned int offset, uint32_t *value_r,
                     uint32_t *sized_r)
{
    int err = pcifront_read(dev, offset, 4, value_r);

    if (err == 0)
        err = pcifront_write(dev, offset, 4, UINT32_MAX);
    if (err == 0)
        err = pcifront_read(dev, offset, 4, sized_r);
    if (err == 0)
        err = pcifront_write(dev, offset, 4, *value_r);
    if (err == 0)
        cache_learn(cache_of(dev), offset, 4, *value_r);
    return err;
}

/* BARs with nothing assigned and I/O ports, which nobody maps, are not worth the time to size. */
static int bars_scan(struct pcifront_device *dev)
{
    for (unsigned int i = 0; i < PCIFRONT_NR_BARS; i++) {
        unsigned int offset = PCI_BAR + 4 * i, bar = i;
        uint32_t low, low_sized, high = 0, high_sized = UINT32_MAX;
        int err = pcifront_read(dev, offset, 4, &low);

        if (err != 0)
            return err;
        dev->bar[bar].is_io = low & 1;
        if (low == 0 || (low & 1))
            continue;
        err = bar_probe(dev, offset, &low, &low_sized);
        if (err == 0 && pci_bar_is_wide(low) && i + 1 < PCIFRONT_NR_BARS)
            err = bar_probe(dev, offset + 4 * (++i - bar), &high, &high_sized);
        if (err != 0)
            return err;
        pci_bar_decode((uint64_t)high << 32 | low, (uint64_t)high_sized << 32 | low_sized,
                       &dev->bar[bar]);
    }
    return 0;
}

static int ids_read(struct pcifront_device *dev)
{
    uint32_t id, class, subsystem, interrupt;
    int err = pcifront_read(dev, PCI_ID, 4, &id);

    if (err != 0)
        return err;
    if (id == UINT32_MAX || id == 0)
        return -ENODEV;
    err = pcifront_read(dev, PCI_CLASS, 4, &class);
    if (err == 0)
        err = pcifront_read(dev, PCI_SUBSYSTEM, 4, &subsystem);
    if (err == 0)
        err = pcifront_read(dev, PCI_INTERRUPT, 4, &interrupt);
    if (err != 0)
        return err;
    dev->vendor = (uint16_t)id;
    dev->device = (uint16_t)(id >> 16);
    dev->class = class >> 8;
    dev->subvendor = (uint16_t)subsystem;
    dev->subdevice = (uint16_t)(subsystem >> 16);
    dev->irq_line = (uint8_t)interrupt;
    return dev->class >> 16 == CLASS_BRIDGE ? -ENODEV : 0;
}

int pcifront_device_add(const struct pci_address *address)
{
    struct pcifront_device *dev = &devices[nr_devices];
    int err;

    if (nr_devices == PCIFRONT_MAX_DEVICES)
        return -ENOSPC;
    memset(&caches[nr_devices], 0, sizeof(caches[0]));
    *dev = (struct pcifront_device){
        .domain = address->domain, .bus = address->bus, .dev = address->dev, .fn = address->fn
    };
    err = ids_read(dev);
    if (err == 0)
        err = bars_scan(dev);
    if (err == 0)
        nr_devices++;
    return err;
}

const struct pcifront_device *pcifront_devices(unsigned int *nr_r)
{
    *nr_r = nr_devices;
    return devices;
}

int pcifront_msi_enable(const struct pcifront_device *dev, uint32_t *pirq_r)
{
    struct pcifront_request request = { .cmd = XEN_PCI_OP_enable_msi };
    int err = pcifront_op_run(dev, &request);

    if (err == 0 && (request.value == 0 || request.value > INT32_MAX))
        err = -EIO;
    if (err == 0)
        *pirq_r = request.value;
    return err;
}

int pcifront_msix_enable(const struct pcifront_device *dev, unsigned int nr, uint32_t *pirqs_r)
{
    struct pcifront_request request = { .cmd = XEN_PCI_OP_enable_msix,
                                        .nr_vectors = nr,
                                        .pirqs_r = pirqs_r };

    return nr > 0 ? pcifront_op_run(dev, &request) : -EINVAL;
}

static void vectors_disable(const struct pcifront_device *dev, uint32_t cmd)
{
    struct pcifront_request request = { .cmd = cmd };
    int err = pcifront_op_run(dev, &request);

    if (err != 0 && err != -ENODEV)
        log_warn("pcifront: interrupts cannot be given back: %d", err);
}

void pcifront_msi_disable(const struct pcifront_device *dev)
{
    vectors_disable(dev, XEN_PCI_OP_disable_msi);
}

void pcifront_msix_disable(const struct pcifront_device *dev)
{
    vectors_disable(dev, XEN_PCI_OP_disable_msix);
}
