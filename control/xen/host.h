/* SPDX-License-Identifier: BSD-2-Clause */
/* The handles that talking to Xen takes, and the clock. */
#ifndef CONTROL_HOST_H
#define CONTROL_HOST_H

#include <libxl.h>
#include <stdbool.h>
#include <xenstore.h>

struct xc_interface_core;
struct xenforeignmemory_handle;
struct xencall_handle;

struct host {
    libxl_ctx *xl;
    struct xc_interface_core *xc;
    struct xenforeignmemory_handle *memory;
    struct xencall_handle *call;
    struct xs_handle *xs;
    xentoollog_logger_stdiostream *log;
};

/* Says what is missing and what to do. Returns 0 or a negative errno. */
int host_open(struct host *host);
void host_close(struct host *host);

/*
 * In a child after fork(): drop what was inherited, all descriptors but the standard ones and one more
 * (whose number changes), and open everything anew. Returns 0 or a negative errno.
 */
int host_reopen(struct host *host, int *keep);

int64_t host_now_ms(void); /* since 1970 */
int64_t host_ticks_ms(void); /* monotonic */
int64_t host_ticks_us(void); /* the same clock */
void host_sleep_ms(unsigned int ms);

#endif
