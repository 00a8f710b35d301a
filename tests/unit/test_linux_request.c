/* SPDX-License-Identifier: BSD-2-Clause */
/* What linux-block makes of requests, and the names of disks that stay. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "block/identity.h"
#include "block/request.h"
#include "block/serial.h"

#define SECTORS 1000

static struct request got;

static struct blkif_request asked(uint8_t operation, uint64_t sector, uint8_t first, uint8_t last)
{
    struct blkif_request request = { .operation = operation,
                                     .nr_segments = 1,
                                     .sector_number = sector };

    request.seg[0] =
        (struct blkif_request_segment){ .gref = 5, .first_sect = first, .last_sect = last };
    return request;
}

static int parse(const struct blkif_request *request, bool is_read_only)
{
    memset(&got, 0xee, sizeof(got));
    return request_parse(request, SECTORS, is_read_only, &got);
}

static void reads_and_writes_have_their_place(void **state)
{
    struct blkif_request request = asked(BLKIF_OP_WRITE, 10, 1, 3);

    (void)state;
    request.nr_segments = 2;
    request.seg[1] = (struct blkif_request_segment){ .gref = 6, .first_sect = 0, .last_sect = 7 };
    assert_int_equal(parse(&request, false), BLKIF_RSP_OKAY);
    assert_true(got.is_write);
    assert_false(got.is_flush);
    assert_int_equal(got.offset, 5120);
    assert_int_equal(got.len, 11 * 512);
    assert_int_equal(got.nr_segments, 2);
    assert_int_equal(got.segments[1].gref, 6);
    request.operation = BLKIF_OP_READ;
    assert_int_equal(parse(&request, true), BLKIF_RSP_OKAY);
    assert_false(got.is_write);
}

static void a_request_stays_on_the_disk(void **state)
{
    static const struct {
        uint64_t sector;
        int status;
    } cases[] = {
        { SECTORS - 8, BLKIF_RSP_OKAY },     { SECTORS - 7, BLKIF_RSP_ERROR },
        { SECTORS, BLKIF_RSP_ERROR },        { UINT64_MAX, BLKIF_RSP_ERROR },
        { UINT64_MAX - 6, BLKIF_RSP_ERROR }, { 1ull << 55, BLKIF_RSP_ERROR },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct blkif_request request = asked(BLKIF_OP_READ, cases[i].sector, 0, 7);

        assert_int_equal(parse(&request, false), cases[i].status);
    }
}

static void segments_stay_in_their_pages(void **state)
{
    static const uint8_t bad[][2] = { { 4, 3 }, { 0, 8 }, { 8, 8 }, { 255, 255 }, { 7, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct blkif_request request = asked(BLKIF_OP_WRITE, 0, bad[i][0], bad[i][1]);

        assert_int_equal(parse(&request, false), BLKIF_RSP_ERROR);
    }
}

static void the_number_of_segments_is_bounded(void **state)
{
    struct blkif_request request = asked(BLKIF_OP_WRITE, 0, 0, 0);

    (void)state;
    request.nr_segments = 0;
    assert_int_equal(parse(&request, false), BLKIF_RSP_ERROR);
    request.nr_segments = BLKIF_MAX_SEGMENTS_PER_REQUEST;
    assert_int_equal(parse(&request, false), BLKIF_RSP_OKAY);
    request.nr_segments++;
    assert_int_equal(parse(&request, false), BLKIF_RSP_ERROR);
    request.nr_segments = 255;
    assert_int_equal(parse(&request, false), BLKIF_RSP_ERROR);
}

static void what_was_not_offered_is_not_supported(void **state)
{
    (void)state;
    for (unsigned int operation = 0; operation < 256; operation++) {
        struct blkif_request request = asked((uint8_t)operation, 0, 0, 0);
        bool known = operation == BLKIF_OP_READ || operation == BLKIF_OP_WRITE ||
                     operation == BLKIF_OP_FLUSH_DISKCACHE;

        assert_int_equal(parse(&request, false), known ? BLKIF_RSP_OKAY : BLKIF_RSP_EOPNOTSUPP);
    }
}

static void a_read_only_disk_is_not_written_to(void **state)
{
    struct blkif_request request = asked(BLKIF_OP_WRITE, 0, 0, 0);

    (void)state;
    assert_int_equal(parse(&request, true), BLKIF_RSP_ERROR);
    request.operation = BLKIF_OP_FLUSH_DISKCACHE;
    assert_int_equal(parse(&request, true), BLKIF_RSP_ERROR);
    request.nr_segments = 0;
    assert_int_equal(parse(&request, true), BLKIF_RSP_OKAY);
    assert_true(got.is_flush);
    assert_int_equal(got.len, 0);
}

#define SYS_TEMPLATE "/tmp/test_linux_request.XXXXXX"

static char sys[] = SYS_TEMPLATE;

static void put(const char *disk, const char *file, const char *bytes, size_t len)
{
    char path[200];
    FILE *out;

    snprintf(path, sizeof(path), "mkdir -p %s/block/%s/device", sys, disk);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof(path), "%s/block/%s/%s", sys, disk, file);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    fclose(out);
}

static void disks_are_found_by_serial_numbers(void **state)
{
    char path[SERIAL_PATH_SIZE], serial[SERIAL_SIZE];

    (void)state;
    assert_non_null(mkdtemp(sys));
    put("vda", "serial", "one", 3);
    put("nvme0n1", "device/serial", "  S 2/3   \n", 11);
    put("sda", "device/vpd_pg80", "\0\200\0\7   WD-7", 11);
    put("sdb", "device/vpd_pg80", "\0\200\0", 3);
    put("sdc", "serial", "twice", 5);
    put("sdd", "serial", "twice", 5);
    assert_int_equal(serial_read(sys, "nvme0n1", serial), 0);
    assert_string_equal(serial, "S_2_3");
    assert_int_equal(serial_read(sys, "sdb", serial), -ENOENT);
    assert_int_equal(serial_find(sys, "one", path), 0);
    assert_string_equal(path, "/dev/vda");
    assert_int_equal(serial_find(sys, "one-part3", path), 0);
    assert_string_equal(path, "/dev/vda3");
    assert_int_equal(serial_find(sys, "S_2_3-part12", path), 0);
    assert_string_equal(path, "/dev/nvme0n1p12");
    assert_int_equal(serial_find(sys, "WD-7", path), 0);
    assert_string_equal(path, "/dev/sda");
    assert_int_equal(serial_find(sys, "twice", path), -ENOTUNIQ);
    assert_int_equal(serial_find(sys, "on", path), -ENOENT);
    assert_int_equal(serial_find(sys, "", path), -ENOENT);
    snprintf(path, sizeof(path), "rm -r %s", sys);
    assert_int_equal(system(path), 0);
}

static uint64_t identity_of(const char *disk)
{
    return identity_make(sys, disk, 0, 1000);
}

static void disks_are_told_from_each_other(void **state)
{
    char command[200];
    uint64_t before;

    (void)state;
    strcpy(sys, SYS_TEMPLATE);
    assert_non_null(mkdtemp(sys));
    /* NVMe: one controller's serial number, two namespaces. */
    put("nvme0n1", "device/serial", "S1", 2);
    put("nvme0n1", "wwid", "eui.0001\n", 9);
    put("nvme0n2", "device/serial", "S1", 2);
    put("nvme0n2", "wwid", "eui.0002\n", 9);
    assert_int_not_equal(identity_of("nvme0n1"), identity_of("nvme0n2"));
    /* The same one after a boot in which it came as another. */
    put("nvme1n1", "device/serial", "S1", 2);
    put("nvme1n1", "wwid", "eui.0001\n", 9);
    assert_int_equal(identity_of("nvme0n1"), identity_of("nvme1n1"));
    put("sda", "device/wwid", "naa.1\n", 6);
    put("sdb", "device/wwid", "naa.2\n", 6);
    assert_int_not_equal(identity_of("sda"), identity_of("sdb"));
    /* A serial number alone will do until another disk has it, too. */
    put("vda", "serial", "one", 3);
    before = identity_of("vda");
    assert_int_not_equal(before, identity_make(sys, "vda", 8, 1000));
    assert_int_not_equal(before, identity_make(sys, "vda", 0, 1001));
    put("vdb", "serial", "one", 3);
    assert_int_not_equal(identity_of("vda"), identity_of("vdb"));
    assert_int_not_equal(identity_of("vda"), before);
    put("vdc", "size", "8", 1);
    put("vdd", "size", "8", 1);
    assert_int_not_equal(identity_of("vdc"), identity_of("vdd"));
    snprintf(command, sizeof(command), "rm -r %s", sys);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_have_their_place),
        cmocka_unit_test(a_request_stays_on_the_disk),
        cmocka_unit_test(segments_stay_in_their_pages),
        cmocka_unit_test(the_number_of_segments_is_bounded),
        cmocka_unit_test(what_was_not_offered_is_not_supported),
        cmocka_unit_test(a_read_only_disk_is_not_written_to),
        cmocka_unit_test(disks_are_found_by_serial_numbers),
        cmocka_unit_test(disks_are_told_from_each_other),
    };

    return cmocka_run_group_tests_name("linux_request", tests, NULL, NULL);
}
