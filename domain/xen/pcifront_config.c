/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/pcifront_config.h"

#include <errno.h>

#define BAR_IO 0x1u
#define BAR_TYPE 0x6u
#define BAR_TYPE_64 0x4u
#define BAR_IO_FLAGS 0x3u
#define BAR_MEMORY_FLAGS 0xfu

#define MAX_BUS 0xff
#define MAX_DEVICE 0x1f
#define MAX_FUNCTION 0x7
#define MAX_DIGITS 4

/* Capabilities are at least a dword and lie between the header and byte 256. */
#define MAX_CAPABILITIES ((256 - PCI_HEADER_SIZE) / 4)

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A number that ends with `end`, which is passed over. */
static int field_parse(const char **text, char end, uint32_t max, uint32_t *value_r)
{
    uint32_t value = 0;
    int nr = 0;

    for (; hex_digit(**text) >= 0; (*text)++, nr++) {
        if (nr == MAX_DIGITS)
            return -EINVAL;
        value = value * 16 + (uint32_t)hex_digit(**text);
    }
    if (nr == 0 || **text != end || value > max)
        return -EINVAL;
    if (end != '\0')
        (*text)++;
    *value_r = value;
    return 0;
}

int pci_address_parse(const char *text, struct pci_address *address_r)
{
    uint32_t domain, bus, dev, fn;

    if (field_parse(&text, ':', UINT16_MAX, &domain) != 0 ||
        field_parse(&text, ':', MAX_BUS, &bus) != 0 ||
        field_parse(&text, '.', MAX_DEVICE, &dev) != 0 ||
        field_parse(&text, '\0', MAX_FUNCTION, &fn) != 0)
        return -EINVAL;
    *address_r = (struct pci_address){
        .domain = (uint16_t)domain, .bus = (uint8_t)bus, .dev = (uint8_t)dev, .fn = (uint8_t)fn
    };
    return 0;
}

bool pci_bar_is_wide(uint32_t value)
{
    return (value & BAR_IO) == 0 && (value & BAR_TYPE) == BAR_TYPE_64;
}

void pci_bar_decode(uint64_t value, uint64_t sized, struct pcifront_bar *bar_r)
{
    bool is_io = value & BAR_IO;
    uint64_t flags = is_io ? BAR_IO_FLAGS : BAR_MEMORY_FLAGS;
    uint64_t maddr, size;

    *bar_r = (struct pcifront_bar){ .is_io = is_io };
    if (!pci_bar_is_wide((uint32_t)value)) {
        value = (uint32_t)value;
        sized = (uint32_t)sized;
        if ((sized & ~flags) != 0)
            sized |= ~(uint64_t)UINT32_MAX;
    }
    maddr = value & ~flags;
    size = -(sized & ~flags);
    if ((value & flags) != (sized & flags) || maddr == 0 || size == 0 || (size & (size - 1)) != 0 ||
        (maddr & (size - 1)) != 0 || maddr + size < maddr)
        return;
    bar_r->maddr = maddr;
    bar_r->size = size;
}

unsigned int pci_capability_walk(pci_read_byte_fn *read, pci_capability_fn *seen, void *ctx,
                                 uint8_t id)
{
    uint8_t at;

    if (read(ctx, PCI_CAPABILITIES, &at) != 0)
        return 0;
    for (unsigned int i = 0; i < MAX_CAPABILITIES; i++) {
        unsigned int offset = at & ~3u;
        uint8_t found;

        if (offset < PCI_HEADER_SIZE)
            return 0;
        if (seen)
            seen(ctx, offset);
        if (read(ctx, offset, &found) != 0 || found == 0xff)
            return 0;
        if (found == id)
            return offset;
        if (read(ctx, offset + 1, &at) != 0)
            return 0;
    }
    return 0;
}

bool pci_header_is_constant(unsigned int offset)
{
    static const struct {
        uint8_t first, end;
    } parts[] = {
        { PCI_ID, PCI_ID + 4 },
        { PCI_CLASS, PCI_CLASS + 4 },
        { PCI_HEADER_TYPE, PCI_HEADER_TYPE + 1 },
        { PCI_BAR, PCI_BAR + 4 * PCIFRONT_NR_BARS },
        { PCI_SUBSYSTEM, PCI_SUBSYSTEM + 4 },
        { PCI_CAPABILITIES, PCI_CAPABILITIES + 1 },
        { PCI_INTERRUPT, PCI_INTERRUPT + 4 },
    };

    for (unsigned int i = 0; i < ARRAY_LEN(parts); i++)
        if (offset >= parts[i].first && offset < parts[i].end)
            return true;
    return false;
}

bool pci_access_is_valid(unsigned int offset, unsigned int size)
{
    return (size == 1 || size == 2 || size == 4) && offset % size == 0 &&
           offset <= PCI_CONFIG_SIZE - size;
}
