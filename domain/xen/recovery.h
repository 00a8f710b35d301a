/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restarts: what outlives one, and how this start of the kernel came about.
 *
 * The recovery page tells a restarted kernel which grant mappings, event channels and xenstore ids
 * are its own. It lies between unmapped pages and is sealed by a checksum after every change. Rooms
 * keep more in variables marked __outlive, each with a sum of its own. A restart leaves both alone;
 * everything else it puts back to what it was at the first start (arch/x86/restart.c), but for the
 * NIC's driver and its memory where they can be kept.
 */
#ifndef XEN_RECOVERY_H
#define XEN_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>

#include "arch/x86/cpu.h"
#include "arch/x86/mm.h"
#include "xen/evtchn.h"

/* Changes with the recovery page and with anything __outlive: kernels that differ share nothing. */
#define RECOVERY_VERSION 1

#define RECOVERY_MAGIC 0x59525245465245ull
#define RECOVERY_REASON_SIZE 160

/*
 * A variable that a restart does not touch: zero at the first start of a domain. It may have been
 * damaged by whatever made the restart necessary; believe it only after a check of its own.
 */
#define __outlive __attribute__((section(".outlive")))

/* A sum over len bytes, for such checks. It finds damage and keeps nobody out; never 0. */
uint32_t recovery_sum(const void *data, size_t len);

/* Whether this start goes on where another one ended; if not, there is nothing to take over. */
bool recovery_resuming(void);

/* Whether the NIC's driver and its memory are as the last start left them, and nothing so far speaks
 * against using them. False at a first start. */
bool recovery_keeps_nic(void);

/*
 * Restart at once, and bring the NIC up anew: something is wrong with the NIC, with its driver or with
 * their memory. why: for the log and the status page. Ends this start.
 */
__noreturn void recovery_restart_nic(const char *why);

struct recovery_grant {
    grant_ref_t ref;
    grant_handle_t handle;
    domid_t domid; /* DOMID_INVALID: the slot of the grant window is free */
};

struct recovery_port {
    evtchn_port_t port; /* 0: free */
    domid_t remote;
    uint16_t kind; /* EVTCHNSTAT_* */
};

struct recovery_page {
    uint64_t magic;
    uint32_t checksum; /* over all that follows */
    uint32_t version; /* RECOVERY_VERSION */
    uint32_t generation; /* starts of a kernel since the domain was built; the first is 1 */
    uint32_t xenstore_next_id;
    uint32_t watchdog_id; /* 0: not armed yet */
    struct recovery_grant grants[MM_GRANT_SLOTS];
    struct recovery_port ports[EVTCHN_MAX];
};

void recovery_init(void);

/* Whether magic and checksum hold. */
bool recovery_valid(void);

/* Each records one fact and seals the page again. */
void recovery_note_grant(unsigned int slot, domid_t domid, grant_ref_t ref, grant_handle_t handle);
void recovery_note_port(unsigned int index, evtchn_port_t port, domid_t remote, uint16_t kind);
void recovery_note_xenstore_id(uint32_t next);
void recovery_note_watchdog(uint32_t id);
void recovery_note_reason(const char *reason);

/* Read only; for tests and for the report. */
const struct recovery_page *recovery_page(void);

#endif
