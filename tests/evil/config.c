/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space through pciback, as it is not meant to be used. */
#include <errno.h>

#include "command.h"
#include "wait.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/pcifront_device.h"
#include "xen/pcifront_op.h"
#include "xen/status.h"

static const uint32_t values[] = { 0,       1,          0x80,       0xff,      0xffff,
                                   0x10000, 0x7fffffff, 0x80000000, UINT32_MAX };

static unsigned long nr_asked, nr_refused, nr_silent;

static void ask(const struct pcifront_device *dev, uint32_t cmd, uint32_t offset, uint32_t size,
                uint32_t value)
{
    struct pcifront_request request = {
        .cmd = cmd, .offset = offset, .size = size, .value = value
    };
    int err = pcifront_op_run(dev, &request);

    status_beat();
    nr_asked++;
    nr_refused += err != 0 && err != -ETIMEDOUT;
    nr_silent += err == -ETIMEDOUT;
}

static const struct pcifront_device *device(void)
{
    unsigned int nr;
    const struct pcifront_device *devices = pcifront_devices(&nr);

    if (nr == 0)
        give_up("no device");
    return &devices[0];
}

static const char *told(uint64_t began)
{
    note("asked=%lu refused=%lu silent=%lu ms=%lu", nr_asked, nr_refused, nr_silent,
         (unsigned long)((clock_now() - began) / 1000000));
    nr_asked = nr_refused = nr_silent = 0;
    return NULL;
}

/* config FIRST LAST STEP: writes at these offsets, of every width and of widths that there are not, of all values; and reads. */
static const char *config_all(char *const *words)
{
    uint64_t began = clock_now();

    for (uint64_t offset = number(words[0]); offset <= number(words[1]); offset += number(words[2]))
        for (uint32_t size = 0; size <= 5; size++) {
            for (unsigned int i = 0; i < ARRAY_LEN(values); i++)
                ask(device(), XEN_PCI_OP_conf_write, (uint32_t)offset, size, values[i]);
            ask(device(), XEN_PCI_OP_conf_read, (uint32_t)offset, size, 0);
        }
    return told(began);
}

/* commands: those that there are not, on devices that there are not, and interrupts asked for wrongly. */
static const char *config_commands(char *const *words)
{
    uint64_t began = clock_now();
    struct pcifront_device other = *device();

    (void)words;
    for (uint32_t cmd = 0; cmd <= 8; cmd++)
        for (unsigned int i = 0; i < ARRAY_LEN(values); i++) {
            if (cmd != XEN_PCI_OP_conf_write)
                ask(device(), cmd, values[i], 4, values[i]);
            other.bus = (uint8_t)values[i];
            other.dev = (uint8_t)(values[i] >> 3 & 31);
            ask(&other, cmd, 0, 4, values[i]);
        }
    ask(device(), XEN_PCI_OP_disable_msi, 0, 0, 0);
    ask(device(), XEN_PCI_OP_disable_msix, 0, 0, 0);
    return told(began);
}

/* hammer SECONDS: requests as fast as they are answered, half of them refused writes. */
static const char *config_hammer(char *const *words)
{
    uint64_t began = clock_now(), end = began + number(words[0]) * 1000000000ull;

    while (clock_now() < end) {
        ask(device(), XEN_PCI_OP_conf_read, 0, 4, 0);
        ask(device(), XEN_PCI_OP_conf_write, 0x1001, 3, UINT32_MAX);
    }
    return told(began);
}

/* kicks NR: events to pciback without a request. */
static const char *config_kicks(char *const *words)
{
    uint64_t began = clock_now();
    uint32_t port = store_number("device/pci/0/event-channel");

    for (uint64_t i = number(words[0]); i > 0; i--) {
        status_beat();
        evtchn_notify(port);
    }
    return told(began);
}

const struct command commands_config[] = {
    { "config", 3, config_all },
    { "commands", 0, config_commands },
    { "hammer", 1, config_hammer },
    { "kicks", 1, config_kicks },
    { NULL, 0, NULL },
};
