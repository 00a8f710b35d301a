/* SPDX-License-Identifier: BSD-2-Clause */
/* Scanning, caching and asking for interrupts, against a pciback with one 82574L. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xen/log.h"
#include "xen/pcifront_device.h"
#include "xen/pcifront_op.h"

static struct {
    uint8_t byte[4096];
    uint32_t bar_size[PCIFRONT_NR_BARS], bar_flags[PCIFRONT_NR_BARS];
    unsigned int nr_reads, nr_writes;
    int err; /* of every request */
    uint32_t answer; /* value of requests that are not about configuration space */
    struct pcifront_request last;
} back;

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

void panic(const char *fmt, ...)
{
    fail_msg("panic: %s", fmt);
    abort();
}

static int config_read(struct pcifront_request *request)
{
    unsigned int bar = (request->offset - PCI_BAR) / 4;
    uint32_t value = 0;

    back.nr_reads++;
    memcpy(&value, back.byte + request->offset, request->size);
    if (request->offset >= PCI_BAR && bar < PCIFRONT_NR_BARS && value == UINT32_MAX)
        value = back.bar_size[bar] ? ~(back.bar_size[bar] - 1) | back.bar_flags[bar] : UINT32_MAX;
    /* pciback gives the bytes asked for; the rest may be anything. */
    if (request->size < 4)
        value |= UINT32_MAX << (8 * request->size);
    request->value = value;
    return 0;
}

void pcifront_seal(void)
{
}

int pcifront_op_run(const struct pcifront_device *dev, struct pcifront_request *request)
{
    assert_int_equal(dev->bus, 3);
    back.last = *request;
    if (back.err != 0)
        return back.err;
    switch (request->cmd) {
    case XEN_PCI_OP_conf_read:
        return config_read(request);
    case XEN_PCI_OP_conf_write:
        back.nr_writes++;
        memcpy(back.byte + request->offset, &request->value, request->size);
        return 0;
    default:
        request->value = back.answer;
        return 0;
    }
}

static void put32(unsigned int offset, uint32_t value)
{
    memcpy(back.byte + offset, &value, sizeof(value));
}

static int fresh(void **state)
{
    (void)state;
    memset(&back, 0, sizeof(back));
    put32(PCI_ID, 0x10d38086);
    put32(0x04, 0x00100000);
    put32(PCI_CLASS, 0x02000000);
    put32(PCI_BAR, 0xfeb80000);
    put32(PCI_BAR + 4, 0xfeb60000);
    put32(PCI_BAR + 8, 0xc041);
    put32(PCI_BAR + 12, 0xfebd0000);
    back.bar_size[0] = back.bar_size[1] = 0x20000;
    back.bar_size[3] = 0x4000;
    put32(PCI_SUBSYSTEM, 0xa01f8086);
    put32(PCI_CAPABILITIES, 0xc8);
    put32(0xc8, 0xc823d001);
    put32(0xd0, 0x00800005);
    put32(PCI_INTERRUPT, 0x0000010b);
    return 0;
}

static const struct pci_address at_three = { .bus = 3 };

static const struct pcifront_device *add(void)
{
    unsigned int nr;
    const struct pcifront_device *devices;

    assert_int_equal(pcifront_device_add(&at_three), 0);
    devices = pcifront_devices(&nr);
    assert_true(nr > 0);
    return &devices[nr - 1];
}

static void a_device_is_read(void **state)
{
    const struct pcifront_device *dev = add();

    (void)state;
    assert_int_equal(dev->vendor, 0x8086);
    assert_int_equal(dev->device, 0x10d3);
    assert_int_equal(dev->subvendor, 0x8086);
    assert_int_equal(dev->subdevice, 0xa01f);
    assert_int_equal(dev->class, 0x020000);
    assert_int_equal(dev->irq_line, 0x0b);
    assert_int_equal(dev->bar[0].maddr, 0xfeb80000);
    assert_int_equal(dev->bar[0].size, 0x20000);
    assert_true(dev->bar[2].is_io);
    assert_int_equal(dev->bar[3].size, 0x4000);
    assert_int_equal(dev->bar[4].size, 0);
}

static void bars_are_put_back_and_their_values_kept(void **state)
{
    const struct pcifront_device *dev = add();
    uint32_t value;

    (void)state;
    assert_int_equal(pcifront_read(dev, PCI_BAR, 4, &value), 0);
    assert_int_equal(value, 0xfeb80000);
    memcpy(&value, back.byte + PCI_BAR, 4);
    assert_int_equal(value, 0xfeb80000);
}

static void wide_bars_take_two(void **state)
{
    const struct pcifront_device *dev;

    (void)state;
    put32(PCI_BAR, 0xd0000004);
    put32(PCI_BAR + 4, 0x38);
    back.bar_size[0] = 0x100000;
    back.bar_flags[0] = 0x4;
    back.bar_size[1] = 0; /* reads all ones: the size is in the lower half */
    dev = add();
    assert_int_equal(dev->bar[0].maddr, 0x38d0000000);
    assert_int_equal(dev->bar[0].size, 0x100000);
    assert_int_equal(dev->bar[1].size, 0);
    assert_true(dev->bar[2].is_io);
}

static void what_cannot_change_is_asked_once(void **state)
{
    const struct pcifront_device *dev = add();
    unsigned int before = back.nr_reads;
    uint32_t value;

    (void)state;
    assert_int_equal(pcifront_read(dev, PCI_ID, 2, &value), 0);
    assert_int_equal(value, 0x8086);
    assert_int_equal(pcifront_read(dev, PCI_CLASS + 3, 1, &value), 0);
    assert_int_equal(value, 2);
    assert_int_equal(back.nr_reads, before);
    assert_int_equal(pcifront_read(dev, 0x04, 2, &value), 0);
    assert_int_equal(pcifront_read(dev, 0x04, 2, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(back.nr_reads, before + 2);
}

static void a_write_makes_it_ask_again(void **state)
{
    const struct pcifront_device *dev = add();
    unsigned int before = back.nr_reads;
    uint32_t value;

    (void)state;
    assert_int_equal(pcifront_write(dev, PCI_INTERRUPT, 1, 0x05), 0);
    assert_int_equal(pcifront_read(dev, PCI_INTERRUPT, 1, &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(back.nr_reads, before + 1);
}

static void capabilities_are_walked_once(void **state)
{
    const struct pcifront_device *dev = add();
    unsigned int before;

    (void)state;
    assert_int_equal(pcifront_capability_find(dev, PCI_CAPABILITY_MSI), 0xd0);
    before = back.nr_reads;
    assert_int_equal(pcifront_capability_find(dev, PCI_CAPABILITY_MSI), 0xd0);
    assert_int_equal(pcifront_capability_find(dev, 0x01), 0xc8);
    assert_int_equal(back.nr_reads, before);
}

static void what_is_no_device_is_refused(void **state)
{
    unsigned int before, after;

    (void)state;
    pcifront_devices(&before);
    put32(PCI_ID, UINT32_MAX);
    assert_int_equal(pcifront_device_add(&at_three), -ENODEV);
    put32(PCI_ID, 0x10d38086);
    put32(PCI_CLASS, 0x06040000);
    assert_int_equal(pcifront_device_add(&at_three), -ENODEV);
    back.err = -ETIMEDOUT;
    assert_int_equal(pcifront_device_add(&at_three), -ETIMEDOUT);
    pcifront_devices(&after);
    assert_int_equal(before, after);
}

static void accesses_that_make_no_sense_stay_here(void **state)
{
    const struct pcifront_device *dev = add();
    unsigned int before = back.nr_reads + back.nr_writes;
    uint32_t value = 7;

    (void)state;
    assert_int_equal(pcifront_read(dev, 1, 4, &value), -EINVAL);
    assert_int_equal(pcifront_read(dev, 0x1000, 4, &value), -EINVAL);
    assert_int_equal(pcifront_write(dev, 0, 8, 0), -EINVAL);
    assert_int_equal(back.nr_reads + back.nr_writes, before);
    assert_int_equal(value, 7);
}

static void interrupts(void **state)
{
    const struct pcifront_device *dev = add();
    uint32_t pirq = 0, pirqs[2];

    (void)state;
    back.answer = 55;
    assert_int_equal(pcifront_msi_enable(dev, &pirq), 0);
    assert_int_equal(pirq, 55);
    back.answer = 0; /* no interrupt, whatever err says */
    assert_int_equal(pcifront_msi_enable(dev, &pirq), -EIO);
    assert_int_equal(pcifront_msix_enable(dev, 0, pirqs), -EINVAL);
    assert_int_equal(pcifront_msix_enable(dev, 2, pirqs), 0);
    assert_int_equal(back.last.nr_vectors, 2);
    back.err = -EIO;
    assert_int_equal(pcifront_msix_enable(dev, 2, pirqs), -EIO);
    assert_int_equal(pirq, 55);
}

/* The last one: it uses up all places. */
static void there_is_an_end_of_places(void **state)
{
    unsigned int nr;

    (void)state;
    for (pcifront_devices(&nr); nr < PCIFRONT_MAX_DEVICES; pcifront_devices(&nr))
        add();
    assert_int_equal(pcifront_device_add(&at_three), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_no_device_is_refused, fresh),
        cmocka_unit_test_setup(a_device_is_read, fresh),
        cmocka_unit_test_setup(bars_are_put_back_and_their_values_kept, fresh),
        cmocka_unit_test_setup(wide_bars_take_two, fresh),
        cmocka_unit_test_setup(what_cannot_change_is_asked_once, fresh),
        cmocka_unit_test_setup(a_write_makes_it_ask_again, fresh),
        cmocka_unit_test_setup(capabilities_are_walked_once, fresh),
        cmocka_unit_test_setup(accesses_that_make_no_sense_stay_here, fresh),
        cmocka_unit_test_setup(interrupts, fresh),
        cmocka_unit_test_setup(there_is_an_end_of_places, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
