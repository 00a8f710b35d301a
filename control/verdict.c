/* SPDX-License-Identifier: BSD-2-Clause */
#include "verdict.h"

#include <stdint.h>

#include <xen/xen.h>

#include <xen/sched.h>

enum verdict verdict_of(const struct verdict_seen *seen, const char **why_r)
{
    if (!seen->exists) {
        *why_r = "vanished";
        return VERDICT_RECOVER;
    }
    if (!seen->is_ours) {
        *why_r = "replaced";
        return VERDICT_REPLACED;
    }
    if (seen->dying)
        return VERDICT_WAIT;
    if (!seen->shut_down)
        return VERDICT_FINE;
    switch (seen->reason) {
    case SHUTDOWN_poweroff:
        *why_r = "poweroff";
        return VERDICT_ENDED;
    case SHUTDOWN_crash:
        *why_r = "crash";
        break;
    case SHUTDOWN_watchdog:
        *why_r = "watchdog";
        break;
    case SHUTDOWN_reboot:
        *why_r = "reboot";
        break;
    default:
        *why_r = "shutdown";
        break;
    }
    return VERDICT_RECOVER;
}
