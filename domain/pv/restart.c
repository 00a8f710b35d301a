/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A start that is not the first, on an address space that stands. Data goes back to what it was at
 * the first start; then what else must hold is verified, and the kernel boots as it always does, but
 * takes over what outlived the restart. Where something does not verify, dom0 is asked for more.
 */
#include "pv/restart.h"

#include <stddef.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "arch/x86/layout.h"
#include "pv/mm.h"
#include "pv/start.h"
#include "pv/traps.h"
#include "xen/domain.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/status.h"

static uint32_t text_sum __sealed, rodata_sum __sealed;

static uint32_t range_sum(const char *start, const char *end)
{
    return recovery_sum(start, (size_t)(end - start));
}

void restart_sums_note(void)
{
    text_sum = range_sum(text_start, text_end);
    rodata_sum = range_sum(rodata_start, rodata_end);
}

static void range_restore(char *start, const char *pristine, char *end, char *zero, char *zero_end)
{
    memcpy(start, pristine, (size_t)(end - start));
    memset(zero, 0, (size_t)(zero_end - zero));
}

__noreturn void recovery_ask(uint32_t depth, const char *why)
{
    if (status_page->phase != FERRY_PHASE_DYING && status_page->phase != FERRY_PHASE_BOOTING)
        traps_report_none(why);
    status_page->ask_depth = depth;
    status_page->phase = FERRY_PHASE_DYING;
    log_error("no restart from within: %s; dom0 may help at depth %u", why, depth);
    traps_report_say();
    domain_shutdown(SHUTDOWN_crash);
}

static void sums_verify(uint32_t kind)
{
    if (kind == FERRY_RESTART_UPGRADE) {
        mm_unseal();
        mm_seal(); /* with the sums of what is there now */
        return;
    }
    if (range_sum(text_start, text_end) != text_sum ||
        range_sum(rodata_start, rodata_end) != rodata_sum)
        recovery_ask(kind == FERRY_RESTART_SELF ? 2 : 3, "text or read-only data is damaged");
}

/* Why the NIC's driver cannot go on with what is in memory; NULL if nothing is known against it. */
static const char *nic_objection(uint64_t why, uint64_t rip)
{
    if (why & FERRY_RESTART_RESET_NIC)
        return status_page->nic_why[0] ? status_page->nic_why : "as asked";
    if (status_page->in_nic != 0 ||
        (rip >= (uintptr_t)nic_text_start && rip < (uintptr_t)nic_text_end))
        return "died inside the NIC's driver";
    if ((why & FERRY_RESTART_KIND) != FERRY_RESTART_UPGRADE && recovery_died_soon())
        return "died soon after a start";
    return NULL;
}

static __noreturn void go_on(uint64_t why, uint64_t rip)
{
    const uint32_t kind = why & FERRY_RESTART_KIND;
    const char *objection;

    status_restarting(kind);
    if (!recovery_repair())
        recovery_ask(3, "the recovery page and its copy are damaged");
    sums_verify(kind);
    status_step(FERRY_STEP_VERIFIED);
    objection = nic_objection(why, rip);
    if (objection) {
        if (objection != status_page->nic_why)
            status_nic_why(objection);
        range_restore(nic_data_start, nic_pristine_start, nic_data_end, nic_bss_start, nic_bss_end);
    }
    recovery_begin(objection == NULL);
    status_began(objection == NULL);
    status_step(FERRY_STEP_RESTORED);
    boot();
}

__attribute__((no_stack_protector)) __noreturn void arch_restart(uint64_t why, uint64_t rip)
{
    range_restore(data_start, pristine_start, data_end, bss_start, bss_end);
    arch_begin();
    go_on(why, rip);
}

__noreturn void recovery_restart_nic(const char *why)
{
    if (status_page->phase != FERRY_PHASE_BOOTING) /* if it is, a restart is under way already */
        traps_report_none(why);
    status_nic_why(why);
    if (!recovery_may_restart())
        panic("%s", why);
    arch_restart_now(FERRY_RESTART_SELF | FERRY_RESTART_RESET_NIC, 0);
}
