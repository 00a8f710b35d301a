/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xen/pcifront_config.h"

static void addresses_of_pciback(void **state)
{
    struct pci_address at;

    (void)state;
    assert_int_equal(pci_address_parse("0000:00:00.00", &at), 0);
    assert_int_equal(at.domain | at.bus | at.dev | at.fn, 0);
    assert_int_equal(pci_address_parse("abCD:ef:1f.7", &at), 0);
    assert_int_equal(at.domain, 0xabcd);
    assert_int_equal(at.bus, 0xef);
    assert_int_equal(at.dev, 0x1f);
    assert_int_equal(at.fn, 7);
}

static void addresses_that_are_none(void **state)
{
    static const char *const texts[] = {
        "",
        ":",
        "0000:00:00",
        "0000:00:00.",
        "0000:00:00.8",
        "0000:00:20.0",
        "0000:100:00.0",
        "10000:00:00.0",
        "00000:00:00.0",
        " 0000:00:00.0",
        "0000:00:00.0 ",
        "0000:00:00.0x",
        "0000-00-00.0",
        "-000:00:00.0",
        "0x00:00:00.0",
        "0000:00:00:0",
        "gggg:00:00.0",
    };
    struct pci_address at = { .bus = 0x5a };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(pci_address_parse(texts[i], &at), -EINVAL);
    assert_int_equal(at.bus, 0x5a);
}

static void bar_is(uint64_t value, uint64_t sized, uint64_t maddr, uint64_t size)
{
    struct pcifront_bar bar;

    pci_bar_decode(value, sized, &bar);
    assert_int_equal(bar.maddr, maddr);
    assert_int_equal(bar.size, size);
}

static void memory_bars(void **state)
{
    (void)state;
    bar_is(0xfeb80000, 0xfffe0000, 0xfeb80000, 0x20000);
    bar_is(0xfeb80008, 0xfffe0008, 0xfeb80000, 0x20000); /* prefetchable */
    bar_is(0xfffff000, 0xfffff000, 0xfffff000, 0x1000); /* the last page below 4 GiB */
    bar_is(0x380000000004, 0xfffffffffff00004, 0x380000000000, 0x100000); /* 64 bits */
    bar_is(0xfeb8000c, 0xfffffffffffc000c, 0xfeb80000, 0x40000); /* 64 bits, placed low */
    bar_is(0x500000000004, 0xffffff0000000004, 0x500000000000, 1ull << 40);
}

static void io_bars(void **state)
{
    struct pcifront_bar bar;

    (void)state;
    pci_bar_decode(0xc041, 0xffffffe1, &bar);
    assert_true(bar.is_io);
    assert_int_equal(bar.maddr, 0xc040);
    assert_int_equal(bar.size, 0x20);
}

static void bars_that_make_no_sense_are_not_there(void **state)
{
    (void)state;
    bar_is(0, 0xfffe0000, 0, 0); /* not assigned */
    bar_is(0xfeb80000, 0, 0, 0); /* no size */
    bar_is(0xfeb80000, 0xfff50000, 0, 0); /* no power of two */
    bar_is(0xfeb90000, 0xfffe0000, 0, 0); /* not a multiple of its size */
    bar_is(0x8000000000000004, 0x4, 0, 0); /* 64 bits without a size */
    bar_is(0xfeb80000, 0xffffffff, 0, 0); /* nobody answers any more */
}

static void upper_half_is_ignored_for_32_bits(void **state)
{
    (void)state;
    bar_is(0xdeadbeeffeb80000, 0xfffe0000, 0xfeb80000, 0x20000);
    bar_is(0xfeb80000, 0x12345678fffe0000, 0xfeb80000, 0x20000);
}

/* Configuration space as bytes; reads beyond `fails_at` fail. */
struct space {
    uint8_t byte[256];
    unsigned int fails_at, nr_reads, nr_seen;
};

static int read_byte(void *ctx, unsigned int offset, uint8_t *value_r)
{
    struct space *space = ctx;

    assert_in_range(offset, 0, 255);
    space->nr_reads++;
    if (offset >= space->fails_at)
        return -EIO;
    *value_r = space->byte[offset];
    return 0;
}

static void seen(void *ctx, unsigned int offset)
{
    struct space *space = ctx;

    assert_in_range(offset, PCI_HEADER_SIZE, 252);
    space->nr_seen++;
}

static struct space chain(void)
{
    struct space space = { .fails_at = 256 };

    space.byte[PCI_CAPABILITIES] = 0xc8;
    space.byte[0xc8] = 0x01; /* power management */
    space.byte[0xc9] = 0xd0;
    space.byte[0xd0] = PCI_CAPABILITY_MSI;
    space.byte[0xd1] = 0xa0;
    space.byte[0xa0] = PCI_CAPABILITY_MSIX;
    space.byte[0xa1] = 0;
    return space;
}

static void capabilities_are_found(void **state)
{
    struct space space = chain();

    (void)state;
    assert_int_equal(pci_capability_walk(read_byte, NULL, &space, PCI_CAPABILITY_MSI), 0xd0);
    assert_int_equal(pci_capability_walk(read_byte, seen, &space, PCI_CAPABILITY_MSIX), 0xa0);
    assert_int_equal(space.nr_seen, 3);
    assert_int_equal(pci_capability_walk(read_byte, NULL, &space, 0x10), 0);
}

static void low_bits_of_links_are_ignored(void **state)
{
    struct space space = chain();

    (void)state;
    space.byte[PCI_CAPABILITIES] = 0xcb;
    assert_int_equal(pci_capability_walk(read_byte, NULL, &space, PCI_CAPABILITY_MSI), 0xd0);
}

static void circles_end(void **state)
{
    struct space space = chain();

    (void)state;
    space.byte[0xa1] = 0xc8;
    assert_int_equal(pci_capability_walk(read_byte, seen, &space, 0x10), 0);
    assert_in_range(space.nr_reads, 1, 200);
}

static void links_into_the_header_end(void **state)
{
    struct space space = chain();

    (void)state;
    space.byte[0xc9] = 0x3c;
    assert_int_equal(pci_capability_walk(read_byte, seen, &space, PCI_CAPABILITY_MSI), 0);
}

static void a_device_that_is_gone_has_none(void **state)
{
    struct space space = { .fails_at = 256 };

    (void)state;
    memset(space.byte, 0xff, sizeof(space.byte));
    assert_int_equal(pci_capability_walk(read_byte, seen, &space, PCI_CAPABILITY_MSI), 0);
    space = chain();
    space.fails_at = 0xd0;
    assert_int_equal(pci_capability_walk(read_byte, seen, &space, PCI_CAPABILITY_MSI), 0);
    space.fails_at = 0;
    assert_int_equal(pci_capability_walk(read_byte, seen, &space, PCI_CAPABILITY_MSI), 0);
}

static void accesses(void **state)
{
    (void)state;
    for (unsigned int size = 0; size < 9; size++)
        for (unsigned int offset = 0; offset < 0x1010; offset++)
            assert_int_equal(pci_access_is_valid(offset, size),
                             (size == 1 || size == 2 || size == 4) && offset % size == 0 &&
                                 offset + size <= 0x1000);
    assert_false(pci_access_is_valid(0xfffffffc, 4));
}

static void what_may_change_is_not_constant(void **state)
{
    (void)state;
    assert_true(pci_header_is_constant(PCI_ID));
    assert_true(pci_header_is_constant(PCI_BAR + 23));
    for (unsigned int offset = 4; offset < 8; offset++) /* command, status */
        assert_false(pci_header_is_constant(offset));
    for (unsigned int offset = PCI_HEADER_SIZE; offset < PCI_CONFIG_SIZE; offset++)
        assert_false(pci_header_is_constant(offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_pciback),
        cmocka_unit_test(addresses_that_are_none),
        cmocka_unit_test(memory_bars),
        cmocka_unit_test(io_bars),
        cmocka_unit_test(bars_that_make_no_sense_are_not_there),
        cmocka_unit_test(upper_half_is_ignored_for_32_bits),
        cmocka_unit_test(capabilities_are_found),
        cmocka_unit_test(low_bits_of_links_are_ignored),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(links_into_the_header_end),
        cmocka_unit_test(a_device_that_is_gone_has_none),
        cmocka_unit_test(accesses),
        cmocka_unit_test(what_may_change_is_not_constant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
