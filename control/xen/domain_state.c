/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/domain_state.h"

#include <stdint.h>

#include <xen/xen.h>

#include <xen/sched.h>

enum domain_state domain_state_of(const struct domain_seen *seen, const char **why_r)
{
    if (!seen->exists) {
        *why_r = "vanished";
        return DOMAIN_STATE_RECOVER;
    }
    if (!seen->is_ours) {
        *why_r = "replaced";
        return DOMAIN_STATE_REPLACED;
    }
    if (seen->dying)
        return DOMAIN_STATE_WAIT;
    if (!seen->shut_down)
        return DOMAIN_STATE_FINE;
    switch (seen->reason) {
    case SHUTDOWN_poweroff:
        *why_r = "poweroff";
        return DOMAIN_STATE_ENDED;
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
    return DOMAIN_STATE_RECOVER;
}
