/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dom0 reads of a domain's memory: statistics, status, and captured frames. The domain writes what it likes; what dom0 takes
 * of it is within its arrays and fit for a terminal. A byte says which page; then pieces of four bytes of an offset, one of a
 * length, and so many bytes, put into a page that is good.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "xen/capturering.h"
#include "xen/statspages.h"
#include "xen/statuspage.h"

#include "fuzz.h"

/* Exactly so long, so that a look behind the end is seen. */
static uint8_t *page_make(struct fuzz_input *input, size_t len, const void *head, size_t head_len)
{
    uint8_t *page = calloc(1, len);

    memcpy(page, head, head_len);
    while (input->left >= 6) {
        size_t at = ((size_t)fuzz_u16(input) << 16 | fuzz_u16(input)) % len;
        const uint8_t *bytes;
        size_t nr = fuzz_take(input, fuzz_u8(input), &bytes);

        memcpy(page + at, bytes, nr < len - at ? nr : len - at);
    }
    return page;
}

static void text_check(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);

    FUZZ_CHECK(end);
    for (; text < end; text++)
        FUZZ_CHECK(*text >= ' ' && *text <= '~');
}

static void stats_check(struct fuzz_input *input)
{
    static const struct ferry_stats head = { .magic = FERRY_STATS_MAGIC,
                                             .version = FERRY_STATS_VERSION,
                                             .size = sizeof(head) };
    static struct ferry_stats stats;
    bool is_good = input->left < 6, taken;
    uint8_t *page = page_make(input, FERRY_STATS_BYTES, &head, offsetof(struct ferry_stats, seq));
    unsigned int nr;

    taken = statspages_nr(page, &nr) == 0 && statspages_copy(page, nr, &stats) == 0;
    FUZZ_CHECK(taken || !is_good);
    if (taken) {
        FUZZ_CHECK(nr <= STATSPAGES_NR);
        FUZZ_CHECK(stats.nr_ports <= FERRY_STATS_PORTS);
        FUZZ_CHECK(stats.nr_stations <= FERRY_STATS_STATIONS);
        for (unsigned int i = 0; i < stats.nr_ports; i++) {
            text_check(stats.ports[i].name, sizeof(stats.ports[i].name));
            text_check(stats.ports[i].bridge, sizeof(stats.ports[i].bridge));
            FUZZ_CHECK(statspages_state_word(&stats.ports[i]));
        }
        for (unsigned int i = 0; i < stats.nr_stations; i++)
            FUZZ_CHECK(stats.stations[i].port < stats.nr_ports);
        FUZZ_CHECK(stats.nr_queues <= FERRY_STATS_QUEUES);
        FUZZ_CHECK(stats.nr_bridges <= FERRY_STATS_BRIDGES);
        for (unsigned int i = 0; i < stats.nr_queues; i++)
            FUZZ_CHECK(stats.queues[i].port < stats.nr_ports);
        for (unsigned int i = 0; i < stats.nr_bridges; i++)
            text_check(stats.bridges[i].name, sizeof(stats.bridges[i].name));
    }
    free(page);
}

static void status_check(struct fuzz_input *input)
{
    bool is_good = input->left < 6, taken;
    const struct ferry_status head = { .magic = FERRY_STATUS_MAGIC,
                                       .version = FERRY_STATUS_VERSION };
    uint8_t *page = page_make(input, 4096, &head,
                              offsetof(struct ferry_status, version) + sizeof(head.version));
    static struct ferry_status status;

    taken = statuspage_copy(page, &status);
    FUZZ_CHECK(taken || !is_good);
    if (taken) {
        text_check(status.reason, sizeof(status.reason));
        text_check(status.last_port, sizeof(status.last_port));
        FUZZ_CHECK(statuspage_phase_word(status.phase) && statuspage_nic_word(status.nic_fate));
        (void)statuspage_served_us(&status);
        (void)statuspage_serves(&status, 0);
        (void)statuspage_is_ready(&status, 1);
    }
    free(page);
}

static void capture_check(struct fuzz_input *input)
{
    const struct ferry_capture_control head = { .magic = FERRY_CAPTURE_MAGIC,
                                                .version = FERRY_CAPTURE_VERSION,
                                                .id = 1 };
    static struct capturering_frame frame;
    struct capturering_counts counts = { 0 };
    uint64_t cons = fuzz_u16(input) * 8ull, before;
    uint8_t *page = page_make(input, FERRY_CAPTURE_BYTES, &head, sizeof(head));

    for (unsigned int i = 0; i < 64; i++) {
        int got = capturering_take(page, &cons, &frame);

        FUZZ_CHECK(got == 0 || got == 1 || got == -EPROTO);
        if (got != 1)
            break;
        FUZZ_CHECK(frame.record.caplen <= FERRY_CAPTURE_SNAPLEN_MAX + 1u);
        text_check(frame.record.port, sizeof(frame.record.port));
    }
    before = counts.seen;
    capturering_count(page, 1, &counts);
    capturering_count_end(&counts);
    FUZZ_CHECK(counts.seen >= before);
    free(page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    switch (fuzz_u8(&input) % 3) {
    case 0:
        stats_check(&input);
        break;
    case 1:
        status_check(&input);
        break;
    default:
        capture_check(&input);
    }
    return 0;
}
