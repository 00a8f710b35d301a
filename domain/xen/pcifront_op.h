/* SPDX-License-Identifier: BSD-2-Clause */
/* One request at a time to pciback, over the shared page of xen/io/pciif.h. */
#ifndef XEN_PCIFRONT_OP_H
#define XEN_PCIFRONT_OP_H

#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/pciif.h>

#include "arch/x86/cpu.h"
#include "xen/pcifront.h"

/* Grant the shared page to the backend's domain and give it an event channel. */
int pcifront_op_open(domid_t backend, grant_ref_t *ref_r, evtchn_port_t *port_r) __must_check;

/* After a restart: go on with the page and the event channel. Returns 0 or -ENOENT. */
int pcifront_op_resume(void) __must_check;

/* Undo it, as far as the backend lets go; for a handshake that failed. */
void pcifront_op_close(void);

/* Something in the variables of pcifront*.c changed, and outlives a restart. */
void pcifront_seal(void);

/* The device is being taken away: every later request ends with -ENODEV. */
void pcifront_op_revoke(void);

/*
 * A request about a device: cmd, offset, size and value go out, value comes back. Waits for the
 * answer without dispatching events. Returns 0 or a negative errno (see pcifront_read()).
 */
struct pcifront_request {
    uint32_t cmd; /* XEN_PCI_OP_* */
    uint32_t offset, size; /* of configuration space */
    uint32_t value; /* in, out on success */
    uint32_t nr_vectors; /* MSI-X: entries asked for */
    uint32_t *pirqs_r; /* MSI-X: nr_vectors of them */
};
int pcifront_op_run(const struct pcifront_device *dev, struct pcifront_request *request)
    __must_check;

#endif
