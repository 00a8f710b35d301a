/* SPDX-License-Identifier: BSD-2-Clause */
/* linux-block: which disks must not be open at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "block/disk.h"

#define DISK 0x800
#define OTHER 0x810

static void a_disk_and_its_partition_conflict(void **state)
{
    static const struct {
        const char *what;
        dev_t a_of, b_of;
        uint64_t a_start, a_len, b_start, b_len;
        bool a_reads, b_reads, conflicts;
    } rows[] = {
        { "the same disk", DISK, DISK, 0, 1000, 0, 1000, false, false, true },
        { "one of two reads", DISK, DISK, 0, 1000, 0, 1000, true, false, true },
        { "both read", DISK, DISK, 0, 1000, 0, 1000, true, true, false },
        { "two disks", DISK, OTHER, 0, 1000, 0, 1000, false, false, false },
        { "a disk and its partition", DISK, DISK, 0, 1000, 100, 200, false, false, true },
        { "... that is read", DISK, DISK, 0, 1000, 100, 200, false, true, true },
        { "... and both are", DISK, DISK, 0, 1000, 100, 200, true, true, false },
        { "its last sector", DISK, DISK, 0, 1000, 999, 1, false, false, true },
        { "two partitions", DISK, DISK, 100, 200, 300, 200, false, false, false },
        { "two that overlap", DISK, DISK, 100, 201, 300, 200, false, false, true },
        { "a partition and one in it", DISK, DISK, 100, 900, 200, 10, true, false, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct disk a = { .whole = rows[i].a_of,
                          .device = 1,
                          .start = rows[i].a_start,
                          .nr_sectors = rows[i].a_len,
                          .is_read_only = rows[i].a_reads };
        struct disk b = { .whole = rows[i].b_of,
                          .device = 2,
                          .start = rows[i].b_start,
                          .nr_sectors = rows[i].b_len,
                          .is_read_only = rows[i].b_reads };

        if (disk_conflicts(&a, &b) != rows[i].conflicts ||
            disk_conflicts(&b, &a) != rows[i].conflicts)
            fail_msg("%s", rows[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_and_its_partition_conflict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
