/* SPDX-License-Identifier: BSD-2-Clause */
/* The page that dom0 watches (ferry/status.h). */
#ifndef XEN_STATUS_H
#define XEN_STATUS_H

#include <stdint.h>

#include <ferry/status.h>

#include "arch/x86/cpu.h"

extern struct ferry_status *const status_page;

/* The kernel makes progress. */
static inline void status_beat(void)
{
    WRITE_ONCE(status_page->beat, status_page->beat + 1);
}

/*
 * Around every call into the NIC's driver. A death in between means that driver and hardware may
 * disagree: the NIC is not kept then. Calls may nest.
 */
static inline void status_nic_enter(void)
{
    WRITE_ONCE(status_page->in_nic, status_page->in_nic + 1);
    barrier();
}

static inline void status_nic_leave(void)
{
    barrier();
    WRITE_ONCE(status_page->in_nic, status_page->in_nic - 1);
}

/* This step of a start is done now. */
void status_step(enum ferry_step step);

#endif
