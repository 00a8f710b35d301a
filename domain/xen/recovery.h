/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restarts: what outlives one, and how this start of the kernel came about.
 *
 * The recovery page tells a restarted kernel which grant mappings, event channels and xenstore ids
 * are its own. It lies between unmapped pages and is sealed by a checksum after every change. Rooms
 * keep more in variables marked __outlive, each with a sum of its own. A restart leaves both alone;
 * everything else it puts back to what it was at the first start (pv/restart.c), but for the
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
#include "xen/evtchn.h"
#include "xen/frames.h"

#define RECOVERY_MAGIC 0x59525245465245ull

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

/*
 * End the domain with SHUTDOWN_crash, where no restart from within can help: dom0 is asked to bring it
 * back at this depth (2: put text and tables right, 3: build it anew). why: for the log and the report.
 */
__noreturn void recovery_ask(uint32_t depth, const char *why);

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
    uint32_t version; /* ferry_image.recovery_version of the image that wrote it */
    uint32_t generation; /* starts of a kernel since the domain was built; the first is 1 */
    uint32_t self_restarts, nic_resets;
    uint32_t restarts_max; /* self restarts in a minute; 0: none */
    uint32_t window_restarts; /* of them, since window_ns */
    uint64_t window_ns;
    uint64_t started_ns; /* of the first start */
    uint64_t ready_ns; /* when the loop last began to run */
    uint32_t was_ready, is_ready; /* ever; in this start */
    uint32_t is_restarting; /* on the way to recovery_begin() */
    uint32_t quick_deaths; /* one after the other, each soon after a start */
    uint32_t xenstore_next_id;
    uint32_t watchdog_id; /* 0: not armed yet */
    uint32_t pcifront_sum; /* of its state, which outlives a restart; 0: none to keep */
    struct recovery_grant grants[GRANT_SLOTS];
    struct recovery_port ports[EVTCHN_MAX];
};

/* A first start: an empty page. */
void recovery_init(void);

/* Whether the page is as it was sealed. recovery_repair() first tries the copy where it is not. */
bool recovery_valid(void);
bool recovery_repair(void);

/* At a death: whether the kernel may restart itself, which is counted then. */
bool recovery_may_restart(void);

/* Whether the last start has not come to run, or not for a second. */
bool recovery_died_soon(void);

/* After a restart: the page is valid, data is restored; the start goes on with the NIC or without. */
void recovery_begin(bool keep_nic);

/* The loop begins to run. */
void recovery_ready(void);

/* Each records one fact and seals the page again. */
void recovery_note_limit(unsigned int restarts);
void recovery_note_pcifront(uint32_t sum);
void recovery_note_grant(unsigned int slot, domid_t domid, grant_ref_t ref, grant_handle_t handle);
void recovery_note_port(unsigned int index, evtchn_port_t port, domid_t remote, uint16_t kind);
void recovery_note_xenstore_id(uint32_t next);
void recovery_note_watchdog(uint32_t id);

/* Read only. */
const struct recovery_page *recovery_page(void);

#endif
