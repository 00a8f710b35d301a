/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the parts of the xenstore client: requests (xenstore.c), watches, the waiting forms. */
#ifndef XEN_XENSTORE_INTERNAL_H
#define XEN_XENSTORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xen/xenstore.h"
#include "xen/xenstore_codec.h"

/* Send a request; the contract is that of xenstore_read(). */
int xenstore_request(uint32_t type, xenstore_tx tx, const struct xenstore_part *parts,
                     unsigned int nr_parts, xenstore_done_fn *done, void *ctx) __must_check;

/* A string as a part of a request, with its NUL. */
struct xenstore_part xenstore_part_string(const char *string);

/* A number that no request in flight has, and no request or watch of a kernel before a restart. */
uint32_t xenstore_id_take(void);

/* Whether we are inside xenstore_poll(). */
bool xenstore_polling(void);

/* xenstore_poll(); returns whether its budget ended before the messages did. */
bool xenstore_poll_more(void);

extern struct xenstore_stats xenstore_counters;

/* Forget all watches. */
void xenstore_watch_init(void);

/* An event came; runs its callback. */
void xenstore_watch_event(const char *payload, size_t len);

/* An answer came: the events before and after it are not merged. */
void xenstore_watch_break(void);

/* Tell xenstored of the unwatched that it could not be told yet. */
void xenstore_watch_flush(void);

#endif
