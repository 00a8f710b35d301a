/* SPDX-License-Identifier: BSD-2-Clause */
/* Captured frames: what dom0 makes of a ring that a domain writes, and the file it writes itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/pcapng.h"
#include "xen/capturering.h"

static union {
    struct ferry_capture_control control;
    uint8_t bytes[FERRY_CAPTURE_BYTES];
} pages __attribute__((aligned(4096)));
static struct capturering_frame frame;
static uint64_t cons;

static int start(void **state)
{
    (void)state;
    memset(&pages, 0, sizeof(pages));
    cons = pages.control.prod = FERRY_CAPTURE_RING - 16; /* the first record wraps */
    return 0;
}

static void put(const void *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        pages.bytes[4096 + (pages.control.prod + i) % FERRY_CAPTURE_RING] =
            ((const uint8_t *)from)[i];
    pages.control.prod += len;
}

static void record_put(struct ferry_capture_record record)
{
    static const uint8_t data[2048] = { 1, 2, 3, 4, 5, 6, 7 };

    put(&record, sizeof(record));
    put(data, record.size > sizeof(record) && record.size < sizeof(data)
                  ? record.size - sizeof(record)
                  : 0);
}

static void frames_are_taken_in_turn(void **state)
{
    (void)state;
    record_put((struct ferry_capture_record){
        .size = 56, .caplen = 7, .len = 60, .direction = 1, .port = "vif3.0" });
    record_put((struct ferry_capture_record){
        .size = 48, .caplen = 0, .len = 60, .direction = 2, .port = "nic0" });
    assert_int_equal(capturering_take(&pages, &cons, &frame), 1);
    assert_string_equal(frame.record.port, "vif3.0");
    assert_int_equal(frame.bytes[6], 7);
    assert_int_equal(capturering_take(&pages, &cons, &frame), 1);
    assert_string_equal(frame.record.port, "nic0");
    assert_int_equal(capturering_take(&pages, &cons, &frame), 0);
    assert_int_equal(cons, pages.control.prod);
}

static void records_that_make_no_sense_end_it(void **state)
{
    static const struct ferry_capture_record wrong[] = {
        { .size = 0 },
        { .size = 12, .caplen = 0 },
        { .size = 52, .caplen = 4, .len = 60 },
        { .size = 56, .caplen = 100, .len = 100 },
        { .size = 56, .caplen = 7, .len = 6 },
        { .size = 1 << 20, .caplen = 7, .len = 60 },
        { .size = 0xfffffff8u, .caplen = 0xffffffffu, .len = 0xffffffffu },
        { .size = 56, .caplen = 65536, .len = 65536 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        start(NULL);
        put(&wrong[i], sizeof(wrong[i]));
        put(pages.bytes, 64);
        assert_int_equal(capturering_take(&pages, &cons, &frame), -EPROTO);
    }
    start(NULL);
    pages.control.prod = cons - 8; /* backwards */
    assert_int_equal(capturering_take(&pages, &cons, &frame), -EPROTO);
    pages.control.prod = cons + 8; /* too short */
    assert_int_equal(capturering_take(&pages, &cons, &frame), -EPROTO);
}

static void garbage_leads_nowhere(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int round = 0; round < 300; round++) {
        for (size_t i = 0; i < 65536; i++)
            pages.bytes[(round * 65536 + i) % sizeof(pages.bytes)] =
                (uint8_t)(rand() % (round % 2 ? 256 : 8));
        cons = (uint64_t)rand() & ~7ull;
        pages.control.prod = cons + ((uint64_t)rand() % FERRY_CAPTURE_RING & ~7ull);
        while (capturering_take(&pages, &cons, &frame) > 0) {
            assert_true(frame.record.caplen <= FERRY_CAPTURE_SNAPLEN_MAX);
            assert_true(strlen(frame.record.port) < sizeof(frame.record.port));
        }
    }
}

/* Each block's length stands at both its ends, and blocks fill the file. */
static void a_file_is_of_whole_blocks(void **state)
{
    static struct pcapng pcapng;
    char *text;
    size_t len, at = 0;
    unsigned int nr = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    pcapng_begin(&pcapng, out, 96, "nic0");
    for (uint32_t caplen = 0; caplen < 9; caplen++)
        pcapng_frame(&pcapng, caplen % 2 ? "vif3.0" : "nic0", 1700000000123456789ull,
                     1 + caplen % 2, "0123456789", caplen, 60);
    pcapng_counts(&pcapng, 1700000000123456789ull, 9, 1);
    assert_int_equal(fclose(out), 0);
    while (at < len) {
        uint32_t type, size, again;

        memcpy(&type, text + at, 4);
        memcpy(&size, text + at + 4, 4);
        assert_true(size % 4 == 0 && size >= 12 && at + size <= len);
        memcpy(&again, text + at + size - 4, 4);
        assert_int_equal(size, again);
        at += size;
        nr++;
    }
    assert_int_equal(nr, 1 + 2 + 9 + 1);
    free(text);
}

/* What the last block of a file says, an Interface Statistics Block; how many of them there are. */
static unsigned int counts_of(const char *text, size_t len, uint64_t *seen_r, uint64_t *missed_r)
{
    unsigned int nr = 0;

    for (size_t at = 0; at < len;) {
        uint32_t type, size;

        memcpy(&type, text + at, 4);
        memcpy(&size, text + at + 4, 4);
        assert_true(size >= 12 && at + size <= len);
        if (type == 5) {
            nr++;
            memcpy(seen_r, text + at + 24, 8);
            memcpy(missed_r, text + at + 36, 8);
        }
        at += size;
    }
    return nr;
}

static void counts_are_told_while_it_runs(void **state)
{
    static struct pcapng pcapng;
    uint64_t seen = 0, missed = 0;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    pcapng_begin(&pcapng, out, 96, "nic0");
    /* Nothing was captured, however long. */
    assert_false(pcapng_counts_due(&pcapng, 1000000, 1, 0, 0));
    assert_false(pcapng_counts_due(&pcapng, 1000000 + PCAPNG_COUNTS_MS, 1, 0, 0));
    /* Something, but it is too soon, and then not. */
    assert_false(pcapng_counts_due(&pcapng, 1000001 + PCAPNG_COUNTS_MS, 1, 5, 0));
    assert_true(pcapng_counts_due(&pcapng, 1000000 + 2 * PCAPNG_COUNTS_MS, 1, 7, 0));
    fflush(out);
    assert_int_equal(counts_of(text, len, &seen, &missed), 1);
    assert_true(seen == 7 && missed == 0);
    /* Nothing new; then only missed ones. */
    assert_false(pcapng_counts_due(&pcapng, 1000000 + 3 * PCAPNG_COUNTS_MS, 1, 7, 0));
    assert_true(pcapng_counts_due(&pcapng, 1000000 + 4 * PCAPNG_COUNTS_MS, 1, 7, 3));
    assert_int_equal(fclose(out), 0);
    assert_int_equal(counts_of(text, len, &seen, &missed), 2);
    assert_true(seen == 7 && missed == 3);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(frames_are_taken_in_turn),      TEST(records_that_make_no_sense_end_it),
        TEST(garbage_leads_nowhere),         TEST(a_file_is_of_whole_blocks),
        TEST(counts_are_told_while_it_runs),
    };

    return cmocka_run_group_tests_name("control_capture", tests, NULL, NULL);
}
