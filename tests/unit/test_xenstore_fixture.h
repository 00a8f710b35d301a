/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of xenstore's ring, and the platform below the client: an event channel that counts,
 * a clock that stands still, a log that is kept, a recovery page of one number.
 */
#ifndef TEST_XENSTORE_FIXTURE_H
#define TEST_XENSTORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/xs_wire.h>

#include "xen/timer.h"
#include "xen/xenstore.h"

#define STORE_PORT 7

/* A request as the server found it. */
struct server_request {
    struct xsd_sockmsg header;
    char payload[XENSTORE_PAYLOAD_MAX + 1];
};

extern struct xenstore_domain_interface *const store_page;
extern uint64_t fake_now;
extern unsigned int fake_notified; /* kicks that xenstored got */
extern unsigned int fake_errors; /* error lines */
extern char fake_log[256]; /* the last line */
extern uint32_t fake_noted_id;
extern int fake_adopt_rc;
extern void (*fake_sleep)(void); /* what happens while the client sleeps */

/* Fresh page with both directions' indices at start, fresh platform. Does not start the client. */
void fixture_reset(uint32_t start);

/* fixture_reset(), xenstore_init(), and the first request answered. Nothing is in flight. */
int fixture_client(void **state);

/* Take one whole request off the ring; false if there is none. */
bool server_take(struct server_request *request);

/* Put raw bytes on the ring; all must fit. */
void server_put(const void *bytes, size_t len);

/* As server_put(), in pieces as room comes, the client polled in between. */
void server_put_slowly(const void *bytes, size_t len);

/* One message. */
void server_message(uint32_t type, uint32_t id, const void *payload, size_t len);
void server_answer(const struct server_request *request, const char *string);
void server_error(const struct server_request *request, const char *name);
void server_event(const char *path, const char *token);

/* What callbacks were told. */
struct outcome {
    unsigned int calls;
    int err;
    size_t len;
    char value[XENSTORE_PAYLOAD_MAX + 1];
};
void outcome_keep(void *ctx, int err, const char *value, size_t len);

#endif
