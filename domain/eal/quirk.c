/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/quirk.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_io.h>

/*
 * em and igb set the interrupt throttle to its maximum, 16.8 ms between two interrupts, at every
 * start. 200 units of 256 ns are 51 us.
 * Source: Intel 82574 datasheet, 10.2.4.3 "Interrupt Throttling Rate - ITR".
 */
#define E1000_ITR 0x00c4
#define E1000_ITR_UNITS 200

static void em_after_start(const struct rte_pci_device *dev)
{
    char *registers = dev->mem_resource[0].addr;

    rte_write32(E1000_ITR_UNITS, registers + E1000_ITR);
}

static const struct quirk quirks[] = {
    { .driver = "net_e1000_em", .no_msix = true, .after_start = em_after_start },
};

static const struct quirk none;

const struct quirk *quirk_of(const char *driver)
{
    for (size_t i = 0; driver && i < sizeof(quirks) / sizeof(quirks[0]); i++)
        if (strcmp(quirks[i].driver, driver) == 0)
            return &quirks[i];
    return &none;
}
