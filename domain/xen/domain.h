/* SPDX-License-Identifier: BSD-2-Clause */
/* What Xen told us at start, and how we end. Source: xen/xen.h (start_info), xen/sched.h. */
#ifndef XEN_DOMAIN_H
#define XEN_DOMAIN_H

#include <stdint.h>

#include <xen/xen.h>

#include "arch/x86/cpu.h"

extern const struct start_info *start_info;
extern struct shared_info *shared_info;

/* Our domain id (read from xenstore at boot; DOMID_SELF until then). */
domid_t domain_id(void);

/* The extra= line, NUL-terminated whatever the builder gave us. */
const char *domain_command_line(void);

/* reason: SHUTDOWN_poweroff or SHUTDOWN_crash (xen/sched.h). */
__noreturn void domain_shutdown(unsigned int reason);

/*
 * Arm or re-arm Xen's watchdog: the domain is ended by Xen when it is not called again within
 * seconds. One slot, kept over calls.
 */
void domain_watchdog(unsigned int seconds);

#endif
