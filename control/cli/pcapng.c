/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/pcapng.h"

#include <string.h>

#define SECTION 0x0a0d0d0au
#define INTERFACE 1u
#define STATISTICS 5u
#define FRAME 6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u
#define OPTION_IF_NAME 2
#define OPTION_IF_TSRESOL 9
#define OPTION_EPB_FLAGS 2
#define OPTION_ISB_IFRECV 4
#define OPTION_ISB_IFDROP 5

static uint32_t padded(uint32_t len)
{
    return (len + 3) & ~3u;
}

static void u16_put(FILE *out, uint16_t value)
{
    fwrite(&value, sizeof(value), 1, out);
}

static void u32_put(FILE *out, uint32_t value)
{
    fwrite(&value, sizeof(value), 1, out);
}

static void bytes_put(FILE *out, const void *bytes, uint32_t len)
{
    static const char zeros[4];

    fwrite(bytes, len, 1, out);
    fwrite(zeros, padded(len) - len, 1, out);
}

static void option_put(FILE *out, uint16_t code, const void *value, uint16_t len)
{
    u16_put(out, code);
    u16_put(out, len);
    bytes_put(out, value, len);
}

static void time_put(FILE *out, uint64_t time_ns)
{
    u32_put(out, (uint32_t)(time_ns >> 32));
    u32_put(out, (uint32_t)time_ns);
}

static uint32_t interface_of(struct pcapng *pcapng, const char *name)
{
    FILE *out = pcapng->out;
    uint8_t nanoseconds = 9;
    uint16_t len = (uint16_t)strnlen(name, PCAPNG_NAME_SIZE - 1);
    uint32_t size = 20 + 4 + padded(len) + 8 + 4;

    for (unsigned int i = 0; i < pcapng->nr_interfaces; i++)
        if (strncmp(pcapng->names[i], name, PCAPNG_NAME_SIZE - 1) == 0)
            return i;
    if (pcapng->nr_interfaces == PCAPNG_INTERFACES_MAX)
        return 0;
    memcpy(pcapng->names[pcapng->nr_interfaces], name, len);
    u32_put(out, INTERFACE);
    u32_put(out, size);
    u16_put(out, LINKTYPE_ETHERNET);
    u16_put(out, 0);
    u32_put(out, pcapng->snaplen);
    option_put(out, OPTION_IF_NAME, name, len);
    option_put(out, OPTION_IF_TSRESOL, &nanoseconds, 1);
    u32_put(out, 0); /* the end of options */
    u32_put(out, size);
    return pcapng->nr_interfaces++;
}

void pcapng_begin(struct pcapng *pcapng, FILE *out, uint32_t snaplen, const char *interface)
{
    *pcapng = (struct pcapng){ .out = out, .snaplen = snaplen };
    u32_put(out, SECTION);
    u32_put(out, 28);
    u32_put(out, BYTE_ORDER_MAGIC);
    u16_put(out, 1);
    u16_put(out, 0);
    u32_put(out, UINT32_MAX); /* the section's length: not known */
    u32_put(out, UINT32_MAX);
    u32_put(out, 28);
    interface_of(pcapng, interface);
}

void pcapng_frame(struct pcapng *pcapng, const char *interface, uint64_t time_ns,
                  uint32_t direction, const void *bytes, uint32_t caplen, uint32_t len)
{
    FILE *out = pcapng->out;
    uint32_t id = interface_of(pcapng, interface), size = 32 + padded(caplen) + 8 + 4;

    u32_put(out, FRAME);
    u32_put(out, size);
    u32_put(out, id);
    time_put(out, time_ns);
    u32_put(out, caplen);
    u32_put(out, len);
    bytes_put(out, bytes, caplen);
    option_put(out, OPTION_EPB_FLAGS, &direction, sizeof(direction));
    u32_put(out, 0);
    u32_put(out, size);
}

void pcapng_counts(struct pcapng *pcapng, uint64_t time_ns, uint64_t nr_seen, uint64_t nr_missed)
{
    FILE *out = pcapng->out;
    uint32_t size = 24 + 12 + 12 + 4;

    if (!pcapng->nr_interfaces)
        return;
    pcapng->nr_seen = nr_seen;
    pcapng->nr_missed = nr_missed;
    u32_put(out, STATISTICS);
    u32_put(out, size);
    u32_put(out, 0);
    time_put(out, time_ns);
    option_put(out, OPTION_ISB_IFRECV, &nr_seen, sizeof(nr_seen));
    option_put(out, OPTION_ISB_IFDROP, &nr_missed, sizeof(nr_missed));
    u32_put(out, 0);
    u32_put(out, size);
}

bool pcapng_counts_due(struct pcapng *pcapng, int64_t ticks_ms, uint64_t time_ns, uint64_t nr_seen,
                       uint64_t nr_missed)
{
    if (ticks_ms - pcapng->counts_ms < PCAPNG_COUNTS_MS)
        return false;
    pcapng->counts_ms = ticks_ms;
    if (nr_seen == pcapng->nr_seen && nr_missed == pcapng->nr_missed)
        return false;
    pcapng_counts(pcapng, time_ns, nr_seen, nr_missed);
    return true;
}
