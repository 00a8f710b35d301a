/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/status.h"

#include <stdio.h>
#include <string.h>

#include "arch/x86/layout.h"
#include "xen/clock.h"
#include "xen/recovery.h"

struct ferry_status *const status_page = (struct ferry_status *)status_area;

/* Whose frames are in hand: the name in its struct port. */
static const char *port_name __outlive;

void status_init(void)
{
    memset(status_page, 0, sizeof(*status_page));
    status_page->version = FERRY_STATUS_VERSION;
    status_page->generation = 1;
    status_page->phase = FERRY_PHASE_BOOTING;
    status_page->nic_fate = FERRY_NIC_STARTED;
    barrier();
    status_page->magic = FERRY_STATUS_MAGIC;
}

void status_port_set(const char *name)
{
    WRITE_ONCE(port_name, name);
}

static bool is_within(const char *name, const char *start, const char *end)
{
    return (uintptr_t)name >= (uintptr_t)start &&
           (uintptr_t)name + FERRY_STATUS_TEXT_SIZE <= (uintptr_t)end;
}

/* A name is copied only from where names can be; what is there may be damaged. */
static void port_name_keep(void)
{
    const char *name = READ_ONCE(port_name);
    bool is_data =
        is_within(name, nic_data_start, bss_end) || is_within(name, outlive_start, outlive_end);

    snprintf(status_page->last_port, sizeof(status_page->last_port), "%.32s", is_data ? name : "");
}

void status_dying(const char *reason)
{
    memset(status_page->step_ns, 0, sizeof(status_page->step_ns));
    status_page->ask_depth = 0;
    status_page->nic_why[0] = '\0';
    status_step(FERRY_STEP_FAULT);
    status_page->phase = FERRY_PHASE_DYING;
    snprintf(status_page->reason, sizeof(status_page->reason), "%s", reason);
    port_name_keep();
}

void status_restarting(uint32_t kind)
{
    if (status_page->phase != FERRY_PHASE_DYING && kind != FERRY_RESTART_SELF) {
        status_dying(kind == FERRY_RESTART_UPGRADE ? "upgrade" : "ended by dom0");
        status_page->step_ns[FERRY_STEP_FAULT] = 0;
        status_page->report[0] = '\0';
    }
    status_page->magic = FERRY_STATUS_MAGIC;
    status_page->version = FERRY_STATUS_VERSION;
    status_page->phase = FERRY_PHASE_BOOTING;
    status_page->kind = kind;
}

void status_began(bool nic_kept)
{
    const struct recovery_page *page = recovery_page();

    status_page->generation = page->generation;
    status_page->self_restarts = page->self_restarts;
    status_page->nic_resets = page->nic_resets;
    status_page->nic_fate = nic_kept ? FERRY_NIC_KEPT : FERRY_NIC_RESET;
    WRITE_ONCE(status_page->in_nic, 0);
}

void status_nic_why(const char *why)
{
    snprintf(status_page->nic_why, sizeof(status_page->nic_why), "%s", why);
}

void status_step(enum ferry_step step)
{
    status_page->step_ns[step] = clock_now();
}
