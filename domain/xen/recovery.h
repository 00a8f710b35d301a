/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recovery page: what a restarted kernel must know to take its grant mappings, event channels
 * and xenstore back. It lies between unmapped pages, is sealed by a checksum after every change, and
 * is never part of .data or .bss, which a restart restores.
 */
#ifndef XEN_RECOVERY_H
#define XEN_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>

#include "arch/x86/mm.h"
#include "xen/evtchn.h"

#define RECOVERY_MAGIC 0x59525245465245ull
#define RECOVERY_REASON_SIZE 160

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
    uint32_t generation; /* starts of this kernel since the domain was built; the first is 1 */
    uint32_t xenstore_next_id;
    uint32_t watchdog_id; /* 0: not armed yet */
    struct recovery_grant grants[MM_GRANT_SLOTS];
    struct recovery_port ports[EVTCHN_MAX];
    char reason[RECOVERY_REASON_SIZE]; /* of the last death; NUL-terminated */
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
