/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop: events, frames in, forwarding, frames out, timers, watchdog, sleep. Nothing interrupts
 * it, nothing else runs.
 */
#ifndef MAIN_LOOP_H
#define MAIN_LOOP_H

#include "arch/x86/cpu.h"
#include "net/port.h"

/* Xen ends a domain whose loop does not come round for this long; re-armed every second. */
#define LOOP_WATCHDOG_SECONDS 5

/* The same for each step of the boot, in which dom0 and the hardware may be waited for. */
#define LOOP_WATCHDOG_BOOT_SECONDS 90

/* Look at a NIC's rings in every turn. At most LOOP_NICS_MAX. */
#define LOOP_NICS_MAX 8
void loop_add_nic(struct port *nic);

__noreturn void loop_run(void);

#endif
