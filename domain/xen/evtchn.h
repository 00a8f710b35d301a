/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels, 2-level, every port masked for good: nothing interrupts the loop. Pending bits
 * are looked at by evtchn_dispatch(); sleep is SCHEDOP_poll, which wakes on masked ports.
 * Source: xen/event_channel.h, xen/sched.h.
 */
#ifndef XEN_EVTCHN_H
#define XEN_EVTCHN_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>

#include "arch/x86/cpu.h"

/* Most ports the domain has in use at once; SCHEDOP_poll takes 128 (xen/common/sched). */
#define EVTCHN_MAX 128

typedef void evtchn_fn(void *ctx);

void evtchn_init(void);

/*
 * Bind our end of an interdomain channel to (remote, remote_port). handler runs in the loop with
 * the pending bit already cleared. Returns 0 or a negative errno (-EINVAL: the peer's port is not
 * meant for us, -ENOSPC: no room).
 */
int evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port, evtchn_fn *handler,
                            void *ctx, evtchn_port_t *port_r) __must_check;

/* Allocate a port that `remote` may bind. */
int evtchn_alloc_unbound(domid_t remote, evtchn_fn *handler, void *ctx, evtchn_port_t *port_r)
    __must_check;

/* Bind a physical interrupt (PHYSDEVOP_map_pirq was done by the caller or by pciback). */
int evtchn_bind_pirq(uint32_t pirq, bool shareable, evtchn_fn *handler, void *ctx,
                     evtchn_port_t *port_r) __must_check;

/* Take over a port that exists already (xenstore's, the console's). */
int evtchn_adopt(evtchn_port_t port, evtchn_fn *handler, void *ctx) __must_check;

/*
 * After a restart: go on with a port of the last start. It must be noted in the recovery page as of
 * this kind (EVTCHNSTAT_*) and remote (not looked at for a pirq), and Xen must say the same. What
 * nobody resumes is closed by evtchn_sweep(). Returns 0 or -ENOENT.
 */
int evtchn_resume(evtchn_port_t port, domid_t remote, uint16_t kind, evtchn_fn *handler, void *ctx)
    __must_check;

/* After a restart: close the ports of the last start that nobody resumed or adopted. */
void evtchn_sweep(void);

/* Close and forget. A port of 0 is ignored. */
void evtchn_close(evtchn_port_t port);

/* Kick the other side. */
void evtchn_notify(evtchn_port_t port);
/* How often that was, in this start of the kernel. */
uint64_t evtchn_nr_notified(void);

/* Clear and handle all pending ports. Returns how many handlers ran. */
unsigned int evtchn_dispatch(void);

/* Whether one of our ports is pending now. */
bool evtchn_pending(void);

/* Sleep until a port of ours is pending or clock_now() reaches deadline_ns. */
void evtchn_sleep_until(uint64_t deadline_ns);

/* Ports in use, for tests and for the log. */
unsigned int evtchn_nr_open(void);

#endif
