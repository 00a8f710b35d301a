/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Depth 2: a driver domain's kernel is put right in place and started again. Domain id, ports, grant
 * mappings, xenstore and devices stay; text, read-only data and page tables are compared with the
 * image and the reference tables, the rest is the kernel's own work (ferry/image.h).
 */
#ifndef CONTROL_RELOAD_H
#define CONTROL_RELOAD_H

#include "recover/reload_state.h"

#include <ferry/status.h>

/* Whether all that it takes is there. */
bool reload_possible(const struct reference *reference);

/*
 * Stop the domain if it runs, put it right, start it. Steps go into the journal's last death.
 * The caller has set the first fields. Returns 0, or a negative errno: the domain may be half done,
 * stopped, and is good for a rebuild only (or for another try).
 */
int reload_begin(struct reload *reload);

/* Stop a domain that runs, as reload_begin() would, and go on. For those who want to look first. */
int reload_pause(struct reload *reload);
void reload_unpause(struct reload *reload);

/*
 * Whether it runs again: to be asked every few milliseconds.
 *
 *   status  a fresh copy of the status page; NULL if it makes no sense
 *
 * When done, the journal's last death has the kernel's steps, what became of the NIC, and when it
 * was over.
 */
enum reload_state reload_check(struct reload *reload, const struct ferry_status *status);

/* The same, waiting for it. */
enum reload_state reload_wait(struct reload *reload);

#endif
