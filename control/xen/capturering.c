/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/capturering.h"

#include <errno.h>
#include <string.h>

#include "util/log.h"

static void ring_get(const volatile uint8_t *ring, uint64_t at, void *to, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        ((uint8_t *)to)[i] = ring[(at + i) & (FERRY_CAPTURE_RING - 1)];
}

int capturering_take(const volatile void *pages, uint64_t *cons, struct capturering_frame *frame_r)
{
    const volatile struct ferry_capture_control *control = pages;
    const volatile uint8_t *ring = (const volatile uint8_t *)pages + 4096;
    struct ferry_capture_record *record = &frame_r->record;
    uint64_t left = control->prod - *cons;

    if (left == 0)
        return 0;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (left > FERRY_CAPTURE_RING || left < sizeof(*record))
        return -EPROTO;
    ring_get(ring, *cons, record, sizeof(*record));
    if (record->size % 8 || record->size > left || record->caplen > FERRY_CAPTURE_SNAPLEN_MAX ||
        record->size < sizeof(*record) + record->caplen || record->len < record->caplen)
        return -EPROTO;
    ring_get(ring, *cons + sizeof(*record), frame_r->bytes, record->caplen);
    log_clean_name(record->port, sizeof(record->port));
    *cons += record->size;
    return 1;
}

void capturering_count(const volatile void *pages, uint32_t id, struct capturering_counts *counts)
{
    const volatile struct ferry_capture_control *control = pages;
    uint32_t before = control->id, after;
    uint64_t seen, missed;

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    seen = control->nr_seen;
    missed = control->nr_missed;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    after = control->id;
    if ((before && before != id) || (after && after != id))
        return;
    if (seen < counts->now_seen || missed < counts->now_missed)
        capturering_count_end(counts);
    counts->now_seen = seen;
    counts->now_missed = missed;
}

void capturering_count_end(struct capturering_counts *counts)
{
    counts->seen += counts->now_seen;
    counts->missed += counts->now_missed;
    counts->now_seen = counts->now_missed = 0;
}
