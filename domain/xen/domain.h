/* SPDX-License-Identifier: BSD-2-Clause */
/* What Xen told us at start, and how we end. Source: xen/xen.h (start_info), xen/sched.h. */
#ifndef XEN_DOMAIN_H
#define XEN_DOMAIN_H

#include <stdint.h>

#include <xen/xen.h>

#include "arch/x86/cpu.h"

struct xenstore_domain_interface;
struct xencons_interface;

extern const struct start_info *start_info;
extern struct shared_info *const shared_info;

/* Take over what the builder left us; maps the shared info page. First boot step after mm_init(). */
void domain_init(const struct start_info *si);

/* Rings that the builder set up for us, mapped; their event ports are in start_info. */
struct xenstore_domain_interface *xenstore_ring(void);
struct xencons_interface *console_ring(void);

/* The extra= line, NUL-terminated whatever the builder gave us. */
const char *domain_command_line(void);

/* reason: SHUTDOWN_poweroff or SHUTDOWN_crash (xen/sched.h). */
__noreturn void domain_shutdown(unsigned int reason);

/*
 * Arm or re-arm Xen's watchdog: Xen ends the domain when this is not called again within the given
 * number of seconds. One slot, kept over calls.
 */
void domain_watchdog(unsigned int seconds);

#endif
