/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xenstore client: asynchronous, bounded, suspicious of every byte.
 *
 * Paths are absolute or relative to our own /local/domain/<domid>. Answers arrive by callback from
 * xenstore_poll(), which the event handler runs; never from inside the call that asked.
 * Memory is bounded: XENSTORE_MAX_REQUESTS in flight, -ENOBUFS above that (the caller tries again
 * from a callback or a timer). A request is put on the ring whole or not at all.
 * Source: xen/io/xs_wire.h; docs/misc/xenstore.txt and xenstore-ring.txt of Xen.
 */
#ifndef XEN_XENSTORE_H
#define XEN_XENSTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86/cpu.h"

#define XENSTORE_MAX_REQUESTS 64
#define XENSTORE_MAX_WATCHES 80
#define XENSTORE_PATH_SIZE 256 /* longest path we use, with its NUL */
#define XENSTORE_REQUEST_MAX 1024 /* bytes of a request on the ring: header 16, path, NUL, value */

/* A transaction. 0: none. */
typedef uint32_t xenstore_tx;

/*
 * The end of a request.
 *
 *   err    0, or a negative errno (-ENOENT, -EACCES, -EAGAIN for a transaction to be done again,
 *          -EPROTO for an answer that makes no sense, -E2BIG for one longer than is kept)
 *   value  NUL-terminated answer, valid during the call only. For a read: the node's bytes (len
 *          without the NUL; there may be NULs inside). For a directory: names, each ended by NUL.
 */
typedef void xenstore_done_fn(void *ctx, int err, const char *value, size_t len);

/* A watch fired for path (NUL-terminated, valid during the call only). */
typedef void xenstore_watch_fn(void *ctx, const char *path);

/*
 * Take over the ring the builder made, or the one that this kernel used before it restarted itself:
 * answers and events meant for the one before are dropped, its watches and transactions are ended.
 */
void xenstore_init(void);

/*
 * Each returns 0 (done will be called exactly once; NULL where nobody asks) or a negative errno
 * (done is not called). ctx must live until then, or until xenstore_forget(ctx).
 *
 *   -ENOBUFS       no room now
 *   -EINVAL        xenstored would refuse this path, or no transaction to end
 *   -ENAMETOOLONG  the path does not fit XENSTORE_PATH_SIZE
 *   -E2BIG         path and value do not fit XENSTORE_REQUEST_MAX
 *   -EIO           the client has stopped
 */
int xenstore_read(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx) __must_check;
int xenstore_directory(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
    __must_check;
int xenstore_write(xenstore_tx tx, const char *path, const char *value, xenstore_done_fn *done,
                   void *ctx) __must_check;
int xenstore_remove(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
    __must_check;

/* value is the transaction's id in decimal, for xenstore_parse_u32(); never 0. */
int xenstore_tx_start(xenstore_done_fn *done, void *ctx) __must_check;
int xenstore_tx_end(xenstore_tx tx, bool commit, xenstore_done_fn *done, void *ctx) __must_check;

/*
 * Watch path and everything below it. Fires once at once (xenstored does so). fn NULL is invalid.
 * id_r is for xenstore_unwatch(), after which fn is not called again, even for events under way;
 * it is never 0, and unwatching 0 or an id that is gone does nothing.
 * An event tells to look, not what happened: several for one path may come as one call. A path that
 * xenstored refuses to watch is said in the log and never fires.
 * Returns 0 or an errno as above (-ENOBUFS also for XENSTORE_MAX_WATCHES).
 */
int xenstore_watch(const char *path, xenstore_watch_fn *fn, void *ctx, unsigned int *id_r)
    __must_check;
void xenstore_unwatch(unsigned int id);

/* ctx is going away: its pending requests end without a callback. */
void xenstore_forget(void *ctx);

/*
 * Take answers and events off the ring; runs callbacks, which may do anything but wait. Called by
 * the event handler. Takes XENSTORE_POLL_BUDGET messages at most; the rest follow by a timer.
 */
#define XENSTORE_POLL_BUDGET 64
void xenstore_poll(void);

/*
 * Whether the client has stopped for good: the ring makes no sense any more. An error line has said
 * why, all requests have ended with -EIO, watches are silent.
 */
bool xenstore_stopped(void);

/* What was survived, for the log and for tests. */
struct xenstore_stats {
    uint64_t answers, events;
    uint64_t unknown_answers; /* with an id that nobody waits for */
    uint64_t bad_answers; /* that ended a request with -EPROTO */
    uint64_t bad_events;
    uint64_t stale_events; /* for a watch that is gone */
    uint64_t merged_events; /* same as the one just delivered */
};
const struct xenstore_stats *xenstore_stats(void);

/*
 * Blocking forms, for boot only (before the loop runs): they sleep in evtchn_sleep_until() and
 * dispatch other ports meanwhile. timeout_ns bounds the wait: -ETIMEDOUT. A value with NULs inside
 * is -EPROTO, one that does not fit size with its NUL -E2BIG. From a callback of xenstore_poll():
 * -EDEADLK.
 */
int xenstore_read_wait(const char *path, char *buf, size_t size, uint64_t timeout_ns) __must_check;
int xenstore_write_wait(const char *path, const char *value, uint64_t timeout_ns) __must_check;

/* snprintf for paths: returns 0, or -ENAMETOOLONG (buf is then empty). */
int xenstore_path(char *buf, size_t size, const char *fmt, ...) __printf(3, 4) __must_check;

/*
 * Strict decimal: only digits, no sign, no blank, no overflow past max. Returns 0 or -EINVAL.
 * For every number that another domain wrote.
 */
int xenstore_parse_u32(const char *value, uint32_t max, uint32_t *out) __must_check;

#endif
