/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests in flight and their ends. */
#include "xen/xenstore.h"

#include <errno.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/xs_wire.h>

#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/timer.h"
#include "xen/xenstore_internal.h"
#include "xen/xenstore_wire.h"

_Static_assert(XENSTORE_REQUEST_MAX <= XENSTORE_RING_SIZE, "a request is put on the ring whole");

/* Ids are noted in the recovery page so many at a time: a note costs a checksum. */
#define IDS_PER_NOTE 64

struct request {
    bool used;
    uint32_t id;
    uint32_t type;
    xenstore_done_fn *done;
    void *ctx;
};

static struct request requests[XENSTORE_MAX_REQUESTS];
static uint32_t id_next;
static uint32_t id_noted; /* ids before this one are ours to use up */
static bool polling;
static bool stopped;
static struct timer again;

struct xenstore_stats xenstore_counters;

const struct xenstore_stats *xenstore_stats(void)
{
    return &xenstore_counters;
}

bool xenstore_stopped(void)
{
    return stopped;
}

bool xenstore_polling(void)
{
    return polling;
}

static struct request *request_find(uint32_t id)
{
    for (unsigned int i = 0; i < XENSTORE_MAX_REQUESTS; i++)
        if (requests[i].used && requests[i].id == id)
            return &requests[i];
    return NULL;
}

static struct request *request_free(void)
{
    for (unsigned int i = 0; i < XENSTORE_MAX_REQUESTS; i++)
        if (!requests[i].used)
            return &requests[i];
    return NULL;
}

uint32_t xenstore_id_take(void)
{
    uint32_t id;

    do {
        if (id_next == id_noted) {
            id_noted += IDS_PER_NOTE;
            recovery_note_xenstore_id(id_noted);
        }
        id = id_next++;
    } while (id == 0 || request_find(id)); /* 0 is what watch events carry */
    return id;
}

static void poll_again(void *ctx)
{
    (void)ctx;
    xenstore_poll();
}

/* Have xenstore_poll() called soon, and not from here. */
static void poll_later(void)
{
    timer_arm(&again, clock_now(), poll_again, NULL);
}

struct xenstore_part xenstore_part_string(const char *string)
{
    return (struct xenstore_part){ string, strlen(string) + 1 };
}

int xenstore_request(uint32_t type, xenstore_tx tx, const struct xenstore_part *parts,
                     unsigned int nr_parts, xenstore_done_fn *done, void *ctx)
{
    char message[XENSTORE_REQUEST_MAX];
    struct request *request = request_free();
    size_t len;
    uint32_t id;
    int rc;

    if (stopped)
        return -EIO;
    if (!request)
        return -ENOBUFS;
    id = xenstore_id_take();
    rc = xenstore_encode(message, sizeof(message), type, id, tx, parts, nr_parts, &len);
    if (rc == 0)
        rc = xenstore_wire_send(message, len);
    if (rc == -EIO)
        poll_later(); /* to end the others */
    if (rc != 0)
        return rc;
    *request = (struct request){ true, id, type, done, ctx };
    if (!polling)
        xenstore_wire_kick();
    return 0;
}

static int request_path(uint32_t type, xenstore_tx tx, const char *path, const char *value,
                        xenstore_done_fn *done, void *ctx)
{
    struct xenstore_part parts[2];
    int rc = xenstore_path_check(path);

    if (rc != 0)
        return rc;
    parts[0] = xenstore_part_string(path);
    parts[1] = (struct xenstore_part){ value, value ? strlen(value) : 0 };
    return xenstore_request(type, tx, parts, value ? 2 : 1, done, ctx);
}

int xenstore_read(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    return request_path(XS_READ, tx, path, NULL, done, ctx);
}

int xenstore_directory(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    return request_path(XS_DIRECTORY, tx, path, NULL, done, ctx);
}

int xenstore_write(xenstore_tx tx, const char *path, const char *value, xenstore_done_fn *done,
                   void *ctx)
{
    return request_path(XS_WRITE, tx, path, value, done, ctx);
}

int xenstore_remove(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    return request_path(XS_RM, tx, path, NULL, done, ctx);
}

int xenstore_tx_start(xenstore_done_fn *done, void *ctx)
{
    struct xenstore_part part = xenstore_part_string("");

    return xenstore_request(XS_TRANSACTION_START, 0, &part, 1, done, ctx);
}

int xenstore_tx_end(xenstore_tx tx, bool commit, xenstore_done_fn *done, void *ctx)
{
    struct xenstore_part part = xenstore_part_string(commit ? "T" : "F");

    if (tx == 0)
        return -EINVAL;
    return xenstore_request(XS_TRANSACTION_END, tx, &part, 1, done, ctx);
}

void xenstore_forget(void *ctx)
{
    for (unsigned int i = 0; i < XENSTORE_MAX_REQUESTS; i++)
        if (requests[i].used && requests[i].ctx == ctx)
            requests[i].done = NULL;
}

/* The place in the table is free before the callback runs: it may want it. */
static void request_end(struct request *request, int err, const char *value, size_t len)
{
    xenstore_done_fn *done = request->done;
    void *ctx = request->ctx;

    *request = (struct request){ 0 };
    if (done)
        done(ctx, err, value, len);
}

static void answer(const struct xsd_sockmsg *header, const char *payload)
{
    struct request *request = request_find(header->req_id);
    size_t len = 0;
    int err;

    xenstore_watch_break();
    if (!request) {
        xenstore_counters.unknown_answers++;
        return;
    }
    xenstore_counters.answers++;
    err = xenstore_decode_answer(request->type, header->type, payload, header->len, &len);
    if (err == -EPROTO)
        xenstore_counters.bad_answers++;
    request_end(request, err, err == 0 ? payload : "", len);
}

static void stop(void)
{
    if (!stopped)
        log_error("xenstore: stopped for good: %s", xenstore_wire_cut_reason());
    stopped = true;
    for (unsigned int i = 0; i < XENSTORE_MAX_REQUESTS; i++)
        if (requests[i].used)
            request_end(&requests[i], -EIO, "", 0);
}

/* Returns whether there may be more. */
static bool receive_some(void)
{
    for (unsigned int i = 0; i < XENSTORE_POLL_BUDGET; i++) {
        struct xsd_sockmsg header;
        const char *payload;

        if (xenstore_wire_receive(&header, &payload) != 0)
            return false;
        if (header.type == XS_WATCH_EVENT)
            xenstore_watch_event(payload, header.len);
        else
            answer(&header, payload);
    }
    return true;
}

bool xenstore_poll_more(void)
{
    bool more;

    if (polling)
        return false;
    polling = true;
    more = receive_some();
    xenstore_wire_flush();
    xenstore_watch_flush();
    xenstore_wire_kick();
    if (xenstore_wire_cut_reason()) {
        stop();
        more = false;
    }
    polling = false;
    return more;
}

void xenstore_poll(void)
{
    if (xenstore_poll_more())
        poll_later();
}

static void on_event(void *ctx)
{
    (void)ctx;
    xenstore_poll();
}

void xenstore_init(void)
{
    const struct xenstore_part none = xenstore_part_string("");

    memset(requests, 0, sizeof(requests));
    memset(&xenstore_counters, 0, sizeof(xenstore_counters));
    timer_cancel(&again);
    polling = stopped = false;
    id_next = recovery_page()->xenstore_next_id;
    if (id_next ==
        0) /* the first start, or a lost page: then any number, but not always the same */
        id_next = (uint32_t)(clock_now() >> 10);
    id_noted = id_next;
    xenstore_watch_init();
    xenstore_wire_init(xenstore_ring(), start_info->store_evtchn);
    if (evtchn_adopt(start_info->store_evtchn, on_event, NULL) != 0)
        xenstore_wire_cut("its event channel cannot be used");
    /* Ends what the kernel before a restart left: its watches and its transactions. */
    if (xenstore_request(XS_RESET_WATCHES, 0, &none, 1, NULL, NULL) != 0)
        xenstore_wire_cut("the first request found no room");
    poll_later(); /* answers from before a restart come without an event */
}
