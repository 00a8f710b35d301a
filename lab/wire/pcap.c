/* SPDX-License-Identifier: BSD-2-Clause */
#include "pcap.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000u
#define LINKTYPE_ETHERNET 1
#define SNAP_LEN 65536

static FILE *file;
static uint64_t to_wall_clock;

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

int pcap_open(const char *path)
{
    /* magic for nanoseconds, version 2.4, no zone, no accuracy */
    const uint32_t head[6] = { 0xa1b23c4d, 2 | 4 << 16, 0, 0, SNAP_LEN, LINKTYPE_ETHERNET };

    pcap_close();
    file = fopen(path, "wbe");
    if (!file)
        return -1;
    to_wall_clock = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    fwrite(head, sizeof(head), 1, file);
    return 0;
}

void pcap_close(void)
{
    if (file)
        fclose(file);
    file = NULL;
}

void pcap_add(uint64_t ns, const uint8_t *data, size_t len)
{
    uint64_t t = ns + to_wall_clock;
    const uint32_t head[4] = { (uint32_t)(t / NS_PER_S), (uint32_t)(t % NS_PER_S), (uint32_t)len,
                               (uint32_t)len };

    if (!file)
        return;
    fwrite(head, sizeof(head), 1, file);
    fwrite(data, len, 1, file);
}
