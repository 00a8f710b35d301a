/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop: events, frames in, forwarding, frames out, timers, watchdog, sleep. Nothing interrupts
 * it, nothing else runs.
 */
#ifndef MAIN_LOOP_H
#define MAIN_LOOP_H

#include "arch/x86/cpu.h"
#include "net/port.h"

/* NICs whose rings the loop looks at. Vifs come and go by themselves (vif/vif.h). */
struct loop_nics {
    struct port **ports;
    unsigned int nr;
};

/* Seconds after which Xen ends a domain whose loop hangs; re-armed twice in that time. */
#define LOOP_WATCHDOG_SECONDS 4

__noreturn void loop_run(const struct loop_nics *nics);

#endif
