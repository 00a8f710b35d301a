/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables: what counts as changed, where an address leads, the file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xen/tables.h"

#define WHO "00112233-4455-6677-8899-aabbccddeeff 7"

/* A root, one of each level, leaves of the first 2 MB and of the grant windows. */
static struct tables tables_make(void)
{
    struct tables tables = { 0 };
    struct table *table;

    table = tables_add(&tables, 0x10, 0, 4);
    table->entries[0] = 0x11007;
    table = tables_add(&tables, 0x11, 0, 3);
    table->entries[0] = 0x12007;
    table = tables_add(&tables, 0x12, 0, 2);
    table->entries[0] = 0x13007;
    table->entries[510] = 0x14007;
    table->entries[511] = 0x15007;
    table = tables_add(&tables, 0x13, 0, 1);
    for (unsigned int i = 1; i < TABLES_ENTRIES; i++)
        table->entries[i] = (0x1000 + i) << 12 | 7;
    tables_add(&tables, 0x14, TABLES_GRANT_START, 1);
    tables_add(&tables, 0x15, TABLES_GRANT_START + (2 << 20), 1);
    tables.vm_assist = 1ull << 32;
    return tables;
}

static unsigned int nr_changes(const struct tables *tables, uint32_t index, const uint64_t *now)
{
    struct tables_change changes[16];
    uint32_t nr = 0;

    assert_int_equal(tables_compare(tables, index, now, changes, 16, &nr), 0);
    return nr;
}

static void a_changed_entry_is_found(void **state)
{
    struct tables tables = tables_make();
    struct tables_change changes[1];
    uint64_t now[TABLES_ENTRIES];
    uint32_t nr = 0;

    (void)state;
    memcpy(now, tables.table[3].entries, sizeof(now));
    assert_int_equal(nr_changes(&tables, 3, now), 0);
    now[5] = 0;
    assert_int_equal(tables_compare(&tables, 3, now, changes, 1, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(changes[0].table, 3);
    assert_int_equal(changes[0].entry, 5);
    assert_int_equal(changes[0].value, 0x1005007);
    now[6] = 0;
    nr = 0;
    assert_int_equal(tables_compare(&tables, 3, now, changes, 1, &nr), -E2BIG);
    tables_dispose(&tables);
}

static void accessed_and_dirty_do_not_count(void **state)
{
    struct tables tables = tables_make();
    uint64_t now[TABLES_ENTRIES];

    (void)state;
    memcpy(now, tables.table[3].entries, sizeof(now));
    now[5] |= 0x60;
    assert_int_equal(nr_changes(&tables, 3, now), 0);
    now[5] &= ~2ull; /* writable */
    assert_int_equal(nr_changes(&tables, 3, now), 1);
    tables_dispose(&tables);
}

static void guests_pages_and_xens_own_entries_do_not_count(void **state)
{
    struct tables tables = tables_make();
    uint64_t now[TABLES_ENTRIES] = { 0 };

    (void)state;
    now[3] = 0x77777007;
    assert_int_equal(nr_changes(&tables, 4, now), 0);
    assert_int_equal(nr_changes(&tables, 5, now), 0);
    memcpy(now, tables.table[0].entries, sizeof(now));
    now[256] = now[271] = 0x55555007;
    assert_int_equal(nr_changes(&tables, 0, now), 0);
    now[255] = 0x55555007;
    now[272] = 0x55555007;
    assert_int_equal(nr_changes(&tables, 0, now), 2);
    tables_dispose(&tables);
}

static void the_tables_of_the_grant_windows_count(void **state)
{
    struct tables tables = tables_make();
    uint64_t now[TABLES_ENTRIES];

    (void)state;
    memcpy(now, tables.table[2].entries, sizeof(now));
    now[510] = now[511] = 0;
    assert_int_equal(nr_changes(&tables, 2, now), 2);
    assert_true(tables_leads_on(&tables.table[2], 511));
    assert_true(tables_leads_on(&tables.table[2], 510));
    assert_false(tables_leads_on(&tables.table[2], 509));
    assert_false(tables_leads_on(&tables.table[3], 1));
    tables_dispose(&tables);
}

static void an_address_leads_to_its_frame(void **state)
{
    struct tables tables = tables_make();
    uint64_t mfn = 99;

    (void)state;
    assert_int_equal(tables_mfn(&tables, 0x5123, &mfn), 0);
    assert_int_equal(mfn, 0x1005);
    assert_int_equal(tables_mfn(&tables, 0x123, &mfn), -ENOENT);
    assert_int_equal(tables_mfn(&tables, 0x200000, &mfn), -ENOENT);
    assert_int_equal(tables_mfn(&tables, TABLES_GRANT_START, &mfn), -ENOENT);
    assert_int_equal(tables_mfn(&tables, ~0ull, &mfn), -ENOENT);
    tables_dispose(&tables);
}

static void the_file_comes_back_as_it_was(void **state)
{
    struct tables before = tables_make(), after;
    size_t len;
    void *bytes = tables_encode(&before, WHO, &len);

    (void)state;
    assert_int_equal(tables_decode(bytes, len, WHO, &after), 0);
    assert_int_equal(after.nr, before.nr);
    assert_int_equal(after.vm_assist, before.vm_assist);
    assert_memory_equal(after.table, before.table, before.nr * sizeof(struct table));
    tables_dispose(&after);
    assert_int_equal(tables_decode(bytes, len, "another 7", &after), -EINVAL);
    free(bytes);
    tables_dispose(&before);
}

static void a_damaged_file_is_refused(void **state)
{
    struct tables before = tables_make(), after;
    size_t len;
    uint8_t *bytes = tables_encode(&before, WHO, &len);

    (void)state;
    for (size_t cut = 0; cut < len; cut += cut < 200 ? 1 : 501)
        assert_int_equal(tables_decode(bytes, cut, WHO, &after), -EINVAL);
    for (size_t at = 0; at < len; at += at < 200 ? 1 : 97) {
        bytes[at] ^= 0x10;
        assert_int_equal(tables_decode(bytes, len, WHO, &after), -EINVAL);
        bytes[at] ^= 0x10;
    }
    free(bytes);
    tables_dispose(&before);
}

static void there_are_never_too_many(void **state)
{
    struct tables tables = { 0 };

    (void)state;
    for (unsigned int i = 0; i < TABLES_MAX; i++)
        assert_non_null(tables_add(&tables, i, 0, 1));
    assert_null(tables_add(&tables, 1, 0, 1));
    tables_dispose(&tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_entry_is_found),
        cmocka_unit_test(accessed_and_dirty_do_not_count),
        cmocka_unit_test(guests_pages_and_xens_own_entries_do_not_count),
        cmocka_unit_test(the_tables_of_the_grant_windows_count),
        cmocka_unit_test(an_address_leads_to_its_frame),
        cmocka_unit_test(the_file_comes_back_as_it_was),
        cmocka_unit_test(a_damaged_file_is_refused),
        cmocka_unit_test(there_are_never_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
