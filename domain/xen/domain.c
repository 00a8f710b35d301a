/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "arch/x86/layout.h"
#include "arch/x86/pagetable.h"
#include "xen/domain.h"
#include "xen/hypercall.h"
#include "xen/log.h"
#include "xen/recovery.h"

const struct start_info *start_info __sealed;
struct shared_info *const shared_info = (struct shared_info *)shared_info_area;

static char command_line[MAX_GUEST_CMDLINE + 1] __sealed;

void domain_init(const struct start_info *si)
{
    pte_t pte = pte_make(si->shared_info >> PAGE_SHIFT, PTE_RW);

    start_info = si;
    if (hypercall_va_mapping_update((uintptr_t)shared_info, pte, UVMF_INVLPG) != 0)
        domain_shutdown(SHUTDOWN_crash);
    memcpy(command_line, si->cmd_line, MAX_GUEST_CMDLINE);
}

static void *builder_page(unsigned long mfn)
{
    return (void *)(machine_to_phys_mapping[mfn] << PAGE_SHIFT);
}

struct xenstore_domain_interface *xenstore_ring(void)
{
    return builder_page(start_info->store_mfn);
}

struct xencons_interface *console_ring(void)
{
    return builder_page(start_info->console.domU.mfn);
}

const char *domain_command_line(void)
{
    return command_line;
}

__noreturn void domain_shutdown(unsigned int reason)
{
    struct sched_shutdown arg = { .reason = reason };

    for (;;)
        hypercall_sched_op(SCHEDOP_shutdown, &arg);
}

void domain_watchdog(unsigned int seconds)
{
    struct sched_watchdog arg = { .id = recovery_page()->watchdog_id, .timeout = seconds };
    int rc = hypercall_sched_op(SCHEDOP_watchdog, &arg);

    if (rc < 0)
        panic("Xen refused the watchdog: %d", rc);
    if (arg.id == 0)
        recovery_note_watchdog((uint32_t)rc);
}
