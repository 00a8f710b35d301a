/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xenstore's messages as bytes. Pure: no state, no ring, every input may be nonsense.
 * Source: xen/io/xs_wire.h; docs/misc/xenstore.txt of Xen, "Communication with xenstored".
 */
#ifndef XEN_XENSTORE_CODEC_H
#define XEN_XENSTORE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "arch/x86/cpu.h"

/* A piece of a request's payload. */
struct xenstore_part {
    const char *data;
    size_t len; /* bytes; includes the NUL where the protocol wants one */
};

/* Of a watch event; both point into the payload and are NUL-terminated. */
struct xenstore_event {
    const char *path;
    const char *token;
};

/* Whether xenstored takes path: 0, -EINVAL or -ENAMETOOLONG (XENSTORE_PATH_SIZE). */
int xenstore_path_check(const char *path) __must_check;

/* As for xenstore_path_check(), and the special paths that can only be watched ("@..."). */
int xenstore_watch_path_check(const char *path) __must_check;

/*
 * Write header and payload to buf.
 *
 *   type   XS_* (xen/io/xs_wire.h)
 *   len_r  bytes in buf, set on success only
 *
 * Returns 0, or -E2BIG if they do not fit size.
 */
int xenstore_encode(char *buf, size_t size, uint32_t type, uint32_t id, uint32_t tx,
                    const struct xenstore_part *parts, unsigned int nr_parts, size_t *len_r)
    __must_check;

/*
 * What an answer says.
 *
 *   asked    type of the request
 *   type     type of the answer
 *   payload  len bytes, and a NUL behind them
 *   len_r    bytes of the value, set on success only: as given, but without the NUL of a
 *            transaction's id
 *
 * Returns 0, the errno that xenstored answered, or -EPROTO for what makes no sense.
 */
int xenstore_decode_answer(uint32_t asked, uint32_t type, const char *payload, size_t len,
                           size_t *len_r) __must_check;

/* Returns 0 or -EPROTO. Strings behind path and token are ignored. */
int xenstore_decode_event(const char *payload, size_t len, struct xenstore_event *event_r)
    __must_check;

/* A watch's token: which of our watches, and which use of that place. */
#define XENSTORE_TOKEN_SIZE 11 /* with its NUL */
void xenstore_token_make(char token[XENSTORE_TOKEN_SIZE], unsigned int slot, uint32_t generation);
int xenstore_token_parse(const char *token, unsigned int *slot_r, uint32_t *generation_r)
    __must_check;

#endif
