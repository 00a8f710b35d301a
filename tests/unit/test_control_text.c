/* SPDX-License-Identifier: BSD-2-Clause */
/* The tools' parsers: PCI addresses, names in an xl.cfg, Xen's log, reserved memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "check/dmar.h"
#include "check/xenlog.h"
#include "config/cfgkeys.h"
#include "supervise/faults_notice.h"
#include "util/bdf.h"

static void test_bdf_roundtrip(void **state)
{
    char text[BDF_SIZE];
    struct bdf bdf;

    (void)state;
    assert_int_equal(bdf_parse("03:1f.7", &bdf), 0);
    bdf_format(&bdf, text);
    assert_string_equal(text, "0000:03:1f.7");
    assert_int_equal(bdf_parse("ABCD:ff:00.0", &bdf), 0);
    bdf_format(&bdf, text);
    assert_string_equal(text, "abcd:ff:00.0");
}

static void test_bdf_refuses(void **state)
{
    static const char *const bad[] = { "",         "eth0",     "00:04",     "00:04.8",
                                       "00:20.0",  "100:04.0", "00:04.0 ",  "00:04.0,x",
                                       ":04.0",    "00:04.",   "0:0:0:0.0", "10000:00:04.0",
                                       "00:04.00", "-1:04.0",  "0x0:04.0" };
    struct bdf bdf = { 1, 2, 3, 4 };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(bdf_parse(bad[i], &bdf), -EINVAL);
    assert_int_equal(bdf.bus, 2);
}

static void test_config_unknown_names(void **state)
{
    char names[64];

    (void)state;
    assert_int_equal(cfgkeys_unknown("name = \"x\"\nmemory=32\n", names, sizeof(names)), 0);
    assert_int_equal(cfgkeys_unknown("name='x'\ndisk=['a=b']\n  vnc = 1", names, sizeof(names)), 2);
    assert_string_equal(names, "disk, vnc");
}

static void test_config_text_is_not_names(void **state)
{
    static const char text[] = "# disk = 1\nextra = \"bridge=xenbr0,uplink=nic0\"\n"
                               "pci = [ \"00:04.0,permissive=0\", # seize=1\n 'eth0' ]\n";
    char names[64];

    (void)state;
    assert_int_equal(cfgkeys_unknown(text, names, sizeof(names)), 0);
}

static void test_config_damaged(void **state)
{
    static const char *const bad[] = { "\"", "'", "[",    "]",     "#",   "[\"",
                                       "a",  "=", "a\"b", "[[[[]", "x=[#" };
    char names[8];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_true(cfgkeys_unknown(bad[i], names, sizeof(names)) <= 1);
    assert_int_equal(cfgkeys_unknown("aaaaaa=1\nbbbbbb=1\ncccccc+=1\n", names, sizeof(names)), 3);
    assert_string_equal(names, "aaaaaa,");
}

static void test_xenlog_good(void **state)
{
    struct xenlog_facts facts;

    (void)state;
    xenlog_parse("(XEN) Xen version 4.17.5 (Debian)\n"
                 "(XEN) [00000005.1] Intel VT-d iommu 0 supported\n"
                 "(XEN) I/O virtualisation enabled\n"
                 "(XEN)  - Dom0 mode: Relaxed\n"
                 "(XEN) [    1.234567] Interrupt remapping enabled\n",
                 &facts);
    assert_true(facts.from_boot);
    assert_int_equal(facts.iommu, XENLOG_YES);
    assert_int_equal(facts.remapping, XENLOG_YES);
    assert_int_equal(facts.mode, XENLOG_MODE_RELAXED);
}

static void test_xenlog_off(void **state)
{
    struct xenlog_facts facts;

    (void)state;
    xenlog_parse("(XEN) I/O virtualisation disabled\n(XEN) Interrupt remapping disabled\n"
                 "(XEN)  - Dom0 mode: Passthrough",
                 &facts);
    assert_false(facts.from_boot);
    assert_int_equal(facts.iommu, XENLOG_NO);
    assert_int_equal(facts.remapping, XENLOG_NO);
    assert_int_equal(facts.mode, XENLOG_MODE_PASSTHROUGH);
}

/* What dom0 or a guest prints does not count, nor does a line that only holds the words. */
static void test_xenlog_not_xens(void **state)
{
    struct xenlog_facts facts;

    (void)state;
    xenlog_parse("I/O virtualisation enabled\n[    0.1] Interrupt remapping enabled\n"
                 "(XEN) d1v0 Interrupt remapping enabled\n(XEN) [d3] Dom0 mode: Strict\n"
                 "(XEN) (d3) I/O virtualisation enabled\n(XEN) is Interrupt remapping enabled?\n"
                 "(XEN) \n(XEN) [\n(XEN",
                 &facts);
    assert_false(facts.from_boot);
    assert_int_equal(facts.iommu, XENLOG_NOT_SEEN);
    assert_int_equal(facts.remapping, XENLOG_NOT_SEEN);
    assert_int_equal(facts.mode, XENLOG_MODE_NOT_SEEN);
}

struct seen {
    unsigned int nr;
    struct xenlog_fault last;
};

static void fault_seen(void *ctx, const struct xenlog_fault *fault)
{
    struct seen *seen = ctx;

    seen->nr++;
    seen->last = *fault;
}

static struct seen faults_of(const char *text, size_t *taken_r)
{
    struct seen seen = { 0 };

    *taken_r = xenlog_faults(text, strlen(text), fault_seen, &seen);
    return seen;
}

/* Lines of Xen 4.17; a line without its end is left for later. */
static void faults_are_found(void **state)
{
    static const char vtd[] =
        "(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:00:04.0] fault addr 7f123000\n";
    static const char vtd_read[] = "(XEN) [    9.876543] [VT-D]DMAR:[DMA Read] Request device "
                                   "[0001:a0:1f.7] fault addr ffffffffffff0000\n";
    static const char interrupt[] =
        "(XEN) [VT-D]INTR-REMAP: Request device [0000:00:04.0] fault index 1f\n";
    static const char amd[] =
        "(XEN) AMD-Vi: IO_PAGE_FAULT: 0000:03:00.0 d4 addr 0000000012345000 flags 0x20 RW\n";
    char both[512];
    struct seen seen;
    size_t taken;

    (void)state;
    seen = faults_of(vtd, &taken);
    assert_int_equal(seen.nr, 1);
    assert_int_equal(taken, strlen(vtd));
    assert_int_equal(seen.last.kind, XENLOG_DMA_WRITE);
    assert_int_equal(seen.last.where, 0x7f123000);
    assert_true(bdf_is_same(&seen.last.bdf, &(struct bdf){ 0, 0, 4, 0 }));
    seen = faults_of(vtd_read, &taken);
    assert_int_equal(seen.nr, 1);
    assert_int_equal(seen.last.kind, XENLOG_DMA_READ);
    assert_int_equal(seen.last.where, 0xffffffffffff0000);
    assert_true(bdf_is_same(&seen.last.bdf, &(struct bdf){ 1, 0xa0, 0x1f, 7 }));
    seen = faults_of(interrupt, &taken);
    assert_int_equal(seen.last.kind, XENLOG_INTERRUPT);
    assert_int_equal(seen.last.where, 0x1f);
    seen = faults_of(amd, &taken);
    assert_int_equal(seen.last.kind, XENLOG_DMA_WRITE);
    assert_int_equal(seen.last.where, 0x12345000);
    snprintf(both, sizeof(both),
             "%s(XEN) [VT-D]DMAR: reason 06 - PTE Read access is not set\n%.30s", vtd, vtd);
    seen = faults_of(both, &taken);
    assert_int_equal(seen.nr, 1);
    assert_int_equal(taken, strlen(both) - 30);
}

/* What a domain prints is no fault of Xen's log, nor is a line that is cut, too long, or has other addresses. */
static void faults_are_not_made_up(void **state)
{
    static const char *const texts[] = {
        "[VT-D]DMAR:[DMA Write] Request device [0000:00:04.0] fault addr 1000\n",
        "(XEN) (d3) [VT-D]DMAR:[DMA Write] Request device [0000:00:04.0] fault addr 1000\n",
        "(XEN) d3v0 [VT-D]DMAR:[DMA Write] Request device [0000:00:04.0] fault addr 1000\n",
        "(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:00:04.9] fault addr 1000\n",
        "(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:00:000004.0] fault addr 1000\n",
        "(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:00:04.0] fault addr \n",
        "(XEN) [VT-D]DMAR:[DMA Writeeeeeeeeeee] Request device [0000:00:04.0] fault addr 1\n",
        "(XEN) AMD-Vi: IO_PAGE_FAULT: 03:00 d4 addr 0 flags 0\n",
        "(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:00:04.0] fault addr 1000",
        "\n\n(XEN) \n(XEN) [\n",
    };
    size_t taken;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(faults_of(texts[i], &taken).nr, 0);
}

/* The first notice at once, the next a minute later with all that came meanwhile, and none where nothing came. */
static void notices_of_faults_are_bounded(void **state)
{
    struct fault_count count = {
        .last = { .bdf = { 0, 0, 4, 0 }, .kind = XENLOG_DMA_WRITE, .where = 0x1000 }
    };
    char text[512];
    unsigned int told = 0;

    (void)state;
    assert_false(faults_notice(&count, "domnet", 1000, text, sizeof(text)));
    count.nr = 1;
    assert_true(faults_notice(&count, "domnet", 1000, text, sizeof(text)));
    assert_non_null(strstr(text, "refused 1 requests of its device 0000:00:04.0"));
    assert_non_null(strstr(text, "a write to 0x1000;"));
    assert_non_null(strstr(text, "`ferry stop domnet`"));
    for (int64_t ms = 2000; ms < 1000 + 10 * FAULTS_NOTICE_MS; ms += 1000) {
        count.nr += 500;
        count.cut_off = true;
        told += faults_notice(&count, "domnet", ms, text, sizeof(text));
    }
    assert_int_equal(told, 9);
    assert_non_null(strstr(text, "refused another 30000 requests"));
    assert_non_null(strstr(text, "switched the device's bus mastering off"));
    assert_true(count.cut_off);
    count.nr = count.nr_told;
    assert_false(faults_notice(&count, "domnet", 1 << 30, text, sizeof(text)));
}

/* A table with one region of one scope: type, bus, pairs of device and function. */
static size_t table_make(uint8_t *table, uint8_t type, uint8_t bus, const uint8_t *pairs, size_t nr)
{
    size_t rmrr = 24 + 6 + 2 * nr, len = 48 + 8 + rmrr;

    memset(table, 0, len);
    memcpy(table, "RMAD", 4);
    table[4] = (uint8_t)len;
    table[48 + 2] = 8; /* some other structure first, of type 0 */
    table[56] = 1;
    table[58] = (uint8_t)rmrr;
    table[64 + 1] = 0x10; /* base 0x1000, limit 0x1fff */
    table[72] = 0xff;
    table[73] = 0x1f;
    table[80] = type;
    table[81] = (uint8_t)(6 + 2 * nr);
    table[85] = bus;
    memcpy(table + 86, pairs, 2 * nr);
    return len;
}

static void test_dmar_endpoint(void **state)
{
    static const uint8_t pairs[] = { 4, 0 };
    struct bdf here = { 0, 0, 4, 0 }, other = { 0, 0, 4, 1 }, segment = { 1, 0, 4, 0 };
    struct dmar_region region;
    uint8_t table[256];
    size_t len = table_make(table, 1, 0, pairs, 1);

    (void)state;
    assert_int_equal(dmar_find(table, len, &here, &region), 1);
    assert_int_equal(region.base, 0x1000);
    assert_int_equal(region.limit, 0x1fff);
    assert_int_equal(dmar_find(table, len, &other, &region), 0);
    assert_int_equal(dmar_find(table, len, &segment, &region), 0);
}

static void test_dmar_behind_bridge(void **state)
{
    static const uint8_t pairs[] = { 0x1c, 0, 0, 0 };
    struct bdf behind = { 0, 3, 0, 0 }, beside = { 0, 0, 0, 0 };
    struct dmar_region region;
    uint8_t table[256];
    size_t len = table_make(table, 1, 0, pairs, 2);

    (void)state;
    assert_int_equal(dmar_find(table, len, &behind, &region), 1);
    assert_int_equal(dmar_find(table, len, &beside, &region), 0);
}

/* Cut anywhere, and with any one byte wrong, the parser stays within the table. */
static void test_dmar_damaged(void **state)
{
    static const uint8_t pairs[] = { 4, 0 };
    struct bdf bdf = { 0, 0, 5, 0 };
    struct dmar_region region;
    uint8_t table[256];
    size_t len = table_make(table, 1, 0, pairs, 1);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = test_malloc(cut + 1);

        memcpy(copy, table, cut);
        assert_int_equal(dmar_find(copy, cut, &bdf, &region), -EINVAL);
        test_free(copy);
    }
    for (size_t at = 0; at < len; at++) {
        for (unsigned int value = 0; value < 256; value++) {
            uint8_t *copy = test_malloc(len);

            memcpy(copy, table, len);
            copy[at] = (uint8_t)value;
            (void)dmar_find(copy, len, &bdf, &region);
            test_free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bdf_roundtrip),
        cmocka_unit_test(test_bdf_refuses),
        cmocka_unit_test(test_config_unknown_names),
        cmocka_unit_test(test_config_text_is_not_names),
        cmocka_unit_test(test_config_damaged),
        cmocka_unit_test(test_xenlog_good),
        cmocka_unit_test(test_xenlog_off),
        cmocka_unit_test(test_xenlog_not_xens),
        cmocka_unit_test(faults_are_found),
        cmocka_unit_test(faults_are_not_made_up),
        cmocka_unit_test(notices_of_faults_are_bounded),
        cmocka_unit_test(test_dmar_endpoint),
        cmocka_unit_test(test_dmar_behind_bridge),
        cmocka_unit_test(test_dmar_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
