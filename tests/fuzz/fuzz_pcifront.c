/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scanning of devices and asking for interrupts, against a pciback and a configuration space that answer anything,
 * and not twice the same. What is asked is inside the space and bounded in number; what is made of the answers is sound;
 * and what is read twice without a request in between is what was answered, and not written since.
 *
 * The input: answers, in the order of requests; each a byte that says whether it is an error, and four of value.
 */
#include <errno.h>
#include <stdbool.h>

#include "fuzz.h"
#include "xen/pcifront_device.c"

#define REQUESTS_MAX 100000
#define SPACE 4096

static struct fuzz_input answers;
static unsigned int nr_requests;
/* What a byte was last answered as, or written to, for the device that is asked. */
static uint8_t said[PCIFRONT_MAX_DEVICES + 1][SPACE];
static bool is_said[PCIFRONT_MAX_DEVICES + 1][SPACE];

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level, (void)fmt;
}

void panic(const char *fmt, ...)
{
    fprintf(stderr, "panic: %s\n", fmt);
    abort();
}

void pcifront_seal(void)
{
}

static unsigned int index_of(const struct pcifront_device *dev)
{
    unsigned int nr;

    return (unsigned int)(dev - pcifront_devices(&nr));
}

static void bytes_note(const struct pcifront_device *dev, const struct pcifront_request *request)
{
    for (unsigned int i = 0; i < request->size; i++) {
        said[index_of(dev)][request->offset + i] = (uint8_t)(request->value >> 8 * i);
        is_said[index_of(dev)][request->offset + i] = true;
    }
}

int pcifront_op_run(const struct pcifront_device *dev, struct pcifront_request *request)
{
    uint8_t what = fuzz_u8(&answers);
    bool is_config = request->cmd == XEN_PCI_OP_conf_read || request->cmd == XEN_PCI_OP_conf_write;

    FUZZ_CHECK(++nr_requests < REQUESTS_MAX && index_of(dev) <= PCIFRONT_MAX_DEVICES);
    if (is_config) {
        FUZZ_CHECK(request->size == 1 || request->size == 2 || request->size == 4);
        FUZZ_CHECK(request->offset % request->size == 0 &&
                   request->offset + request->size <= SPACE);
    }
    if ((what & 15) == 15)
        return -(what >> 4) - 1;
    if (request->cmd == XEN_PCI_OP_conf_write) {
        bytes_note(dev, request);
        return 0;
    }
    request->value = (uint32_t)fuzz_u16(&answers) << 16 | fuzz_u16(&answers);
    if (request->cmd == XEN_PCI_OP_conf_read)
        bytes_note(dev, request);
    for (uint32_t i = 0; i < request->nr_vectors; i++)
        request->pirqs_r[i] = fuzz_u16(&answers);
    return 0;
}

/* Nothing is known of a place that no device has. */
static void place_forget(void)
{
    memset(is_said[nr_devices], 0, sizeof(is_said[nr_devices]));
}

static void bars_check(const struct pcifront_device *dev)
{
    for (unsigned int i = 0; i < PCIFRONT_NR_BARS; i++) {
        const struct pcifront_bar *bar = &dev->bar[i];

        if (bar->is_io || bar->maddr == 0)
            continue;
        FUZZ_CHECK(bar->size && (bar->size & (bar->size - 1)) == 0);
        FUZZ_CHECK((bar->maddr & (bar->size - 1)) == 0 &&
                   bar->maddr + (bar->size - 1) >= bar->maddr);
    }
    FUZZ_CHECK(dev->class >> 16 != 0x06 && dev->class <= 0xffffff);
    FUZZ_CHECK((dev->vendor || dev->device) && (dev->vendor & dev->device) != 0xffff);
}

static void read_check(const struct pcifront_device *dev, unsigned int offset, unsigned int size)
{
    unsigned int before = nr_requests;
    uint32_t value = 0, known = 0;

    if (pcifront_read(dev, offset, size, &value) != 0)
        return;
    FUZZ_CHECK(size == 4 || value >> 8 * size == 0);
    for (unsigned int i = 0; i < size; i++) {
        FUZZ_CHECK(is_said[index_of(dev)][offset + i]);
        known |= (uint32_t)said[index_of(dev)][offset + i] << 8 * i;
    }
    FUZZ_CHECK(nr_requests == before || nr_requests == before + 1);
    FUZZ_CHECK(value == known);
}

static void device_use(const struct pcifront_device *dev, struct fuzz_input *input)
{
    static const unsigned int sizes[] = { 1, 2, 4, 3 };
    uint32_t pirq = 0, pirqs[SH_INFO_MAX_VEC] = { 0 };
    uint8_t what = fuzz_u8(input);

    switch (what & 7) {
    case 0:
    case 1:
        read_check(dev, fuzz_u16(input) % (SPACE + 8), sizes[what >> 4 & 3]);
        break;
    case 2:
        (void)!pcifront_write(dev, fuzz_u16(input) % (SPACE + 8), sizes[what >> 4 & 3], what * 77u);
        break;
    case 3:
        FUZZ_CHECK(pcifront_capability_find(dev, fuzz_u8(input)) < 256);
        break;
    case 4:
        if (pcifront_msi_enable(dev, &pirq) == 0)
            FUZZ_CHECK(pirq > 0 && pirq <= INT32_MAX);
        pcifront_msi_disable(dev);
        break;
    case 5:
        (void)!pcifront_msix_enable(dev, what >> 3, pirqs);
        pcifront_msix_disable(dev);
        break;
    default:
        for (unsigned int at = 0; at < 64; at += 4)
            read_check(dev, at, 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const struct pcifront_device *devices;
    uint8_t nr_added = fuzz_u8(&input) % (PCIFRONT_MAX_DEVICES + 2), steps = fuzz_u8(&input) % 32;
    const uint8_t *bytes;
    unsigned int nr;

    answers.left = fuzz_take(&input, input.left - (input.left < 64 ? input.left / 4 : 16), &bytes);
    answers.at = bytes;
    nr_requests = nr_devices = 0;
    for (uint8_t i = 0; i < nr_added; i++) {
        int err;

        place_forget();
        err = pcifront_device_add(&(struct pci_address){ .bus = 3 });
        FUZZ_CHECK(err <= 0 && (err == -ENOSPC || i < PCIFRONT_MAX_DEVICES ||
                                nr_devices < PCIFRONT_MAX_DEVICES));
    }
    devices = pcifront_devices(&nr);
    FUZZ_CHECK(nr <= PCIFRONT_MAX_DEVICES);
    for (unsigned int i = 0; i < nr; i++)
        bars_check(&devices[i]);
    for (uint8_t i = 0; i < steps && nr; i++)
        device_use(&devices[fuzz_u8(&input) % nr], &input);
    return 0;
}
