/* SPDX-License-Identifier: BSD-2-Clause */
/* The page that dom0 watches (ferry/status.h). */
#ifndef XEN_STATUS_H
#define XEN_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include <ferry/image.h>
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
 * disagree: the NIC is not kept then. Calls may nest. One that comes back is progress: a turn of the loop has
 * many, each of which may keep a virtual machine's processor away for long (a NIC that it emulates).
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
    status_beat();
}

/* This step of a start is done now. */
void status_step(enum ferry_step step);

/* A first start. */
void status_init(void);

/* Frames of the port with this name are in hand; the name stays where it is. */
void status_port_set(const char *name);

/* The kernel dies: the reason and whose frames were in hand; the times begin anew. */
void status_dying(const char *reason);

/* A start that is not the first begins (FERRY_RESTART_*); goes on, the recovery page is valid. */
void status_restarting(uint32_t kind);
void status_began(bool nic_kept);

/* Why the NIC is not kept. */
void status_nic_why(const char *why);

#endif
