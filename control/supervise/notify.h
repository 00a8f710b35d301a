/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telling the service manager how ferryd is, if there is one that asks: datagrams to the socket that NOTIFY_SOCKET
 * names. Without one, nothing is done.
 *
 * Source: sd_notify(3), sd_watchdog_enabled(3) of systemd, whose protocol is stable and meant to be spoken without its
 * library, which would bring four libraries for compression and cryptography into ferryd.
 */
#ifndef CONTROL_NOTIFY_H
#define CONTROL_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

struct notify {
    struct sockaddr_un address;
    unsigned int address_len; /* 0: nobody listens */
    int64_t period_ms; /* of keep-alives; 0: nobody waits for any */
    int64_t next_ms; /* ticks at which the next one is due */
};

/*
 * Read the environment, and take these variables out of it: processes made later are not to speak for ferryd.
 * Keep-alives are sent twice within what the manager waits for. Returns 0, or -EINVAL if a variable makes no sense
 * (then nobody listens).
 */
int notify_begin(struct notify *notify_r);

/* Each returns 0, or a negative errno; -ENOTCONN if nobody listens. */
int notify_ready(const struct notify *notify);
int notify_stopping(const struct notify *notify);
/* In the loop: sends a keep-alive if one is due. Returns 1 if it did, 0 if none is due. */
int notify_alive(struct notify *notify, int64_t now_ms);

#endif
