/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/xenstore_wire.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "xen/evtchn.h"
#include "xen/log.h"
#include "xen/xenstore.h"

#define QUEUE_SIZE 16384u
#define HEADER_SIZE ((uint32_t)sizeof(struct xsd_sockmsg))
#define MESSAGE_MAX (HEADER_SIZE + XENSTORE_PAYLOAD_MAX)
#define NOTE_CHECK 0x66657272u /* any constant */

/*
 * A message longer than the ring is taken off in parts. A kernel that restarts itself in between
 * must know where that message ends: this stands at the very end of the ring's page, which outlives
 * the restart and of which the protocol uses the first 2076 bytes.
 */
struct note {
    uint32_t end; /* ring index behind the message */
    uint32_t check; /* end ^ NOTE_CHECK */
};

static struct xenstore_domain_interface *page;
static evtchn_port_t port;
static uint32_t req_prod, rsp_cons; /* ours */
static const char *cut_reason;
static bool kick;

/* Messages that wait for room on the ring: [queue_head, queue_tail). */
static char queue[QUEUE_SIZE];
static uint32_t queue_head, queue_tail;

/* The message being received. */
static struct xsd_sockmsg header;
static char payload[XENSTORE_PAYLOAD_MAX + 1];
static bool in_long; /* its header was taken off the ring, and got bytes of it */
static uint32_t got;
static uint32_t skip; /* bytes that belong to a message of the kernel before a restart */

static struct note *note(void)
{
    return (struct note *)((char *)page + PAGE_SIZE - sizeof(struct note));
}

static void note_set(uint32_t end)
{
    note()->end = end;
    note()->check = end ^ NOTE_CHECK;
}

static void note_clear(void)
{
    note()->check = ~(note()->end ^ NOTE_CHECK);
}

/* Bytes of a message begun before a restart that are yet to come. */
static uint32_t note_rest(void)
{
    uint32_t rest = note()->end - rsp_cons;

    if (note()->check != (note()->end ^ NOTE_CHECK))
        return 0;
    return rest <= MESSAGE_MAX ? rest : 0;
}

void xenstore_wire_cut(const char *reason)
{
    if (!cut_reason)
        cut_reason = reason;
}

const char *xenstore_wire_cut_reason(void)
{
    return cut_reason;
}

/* Bytes in a direction of the ring. Returns 0 or -EIO. */
static int ring_used(uint32_t prod, uint32_t cons, uint32_t own, uint32_t own_copy, uint32_t *used)
{
    if (cut_reason)
        return -EIO;
    *used = prod - cons;
    if (own == own_copy && *used <= XENSTORE_RING_SIZE)
        return 0;
    xenstore_wire_cut("the ring's indices are damaged");
    return -EIO;
}

static int req_used(uint32_t *used)
{
    int rc =
        ring_used(req_prod, READ_ONCE(page->req_cons), req_prod, READ_ONCE(page->req_prod), used);

    mb(); /* what xenstored has consumed is ours to write only now */
    return rc;
}

static int rsp_used(uint32_t *used)
{
    int rc =
        ring_used(READ_ONCE(page->rsp_prod), rsp_cons, rsp_cons, READ_ONCE(page->rsp_cons), used);

    rmb(); /* the bytes before the index */
    return rc;
}

void xenstore_wire_init(struct xenstore_domain_interface *ring, evtchn_port_t ring_port)
{
    uint32_t used;

    page = ring;
    port = ring_port;
    req_prod = READ_ONCE(page->req_prod);
    rsp_cons = READ_ONCE(page->rsp_cons);
    cut_reason = NULL;
    kick = in_long = false;
    queue_head = queue_tail = 0;
    skip = note_rest();
    if (req_used(&used) == 0)
        (void)!rsp_used(&used);
}

/* Onto the ring, whole: xenstored sees none of it before all is there. 0, -EAGAIN or -EIO. */
static int ring_put(const char *message, uint32_t len)
{
    uint32_t used, at = MASK_XENSTORE_IDX(req_prod);
    uint32_t first = XENSTORE_RING_SIZE - at < len ? XENSTORE_RING_SIZE - at : len;
    int rc = req_used(&used);

    if (rc != 0)
        return rc;
    if (XENSTORE_RING_SIZE - used < len)
        return -EAGAIN;
    memcpy(page->req + at, message, first);
    memcpy(page->req, message + first, len - first);
    wmb();
    req_prod += len;
    WRITE_ONCE(page->req_prod, req_prod);
    kick = true;
    return 0;
}

static int queue_add(const char *message, uint32_t len)
{
    if (len > QUEUE_SIZE - queue_tail) {
        memmove(queue, queue + queue_head, queue_tail - queue_head);
        queue_tail -= queue_head;
        queue_head = 0;
    }
    if (len > QUEUE_SIZE - queue_tail)
        return -ENOBUFS;
    memcpy(queue + queue_tail, message, len);
    queue_tail += len;
    return 0;
}

int xenstore_wire_send(const char *message, size_t len)
{
    int rc = -EAGAIN;

    INVARIANT(len >= HEADER_SIZE && len <= XENSTORE_REQUEST_MAX);
    if (queue_head == queue_tail || cut_reason)
        rc = ring_put(message, (uint32_t)len);
    return rc == -EAGAIN ? queue_add(message, (uint32_t)len) : rc;
}

void xenstore_wire_flush(void)
{
    while (queue_head != queue_tail) {
        struct xsd_sockmsg first;

        memcpy(&first, queue + queue_head, HEADER_SIZE);
        if (ring_put(queue + queue_head, HEADER_SIZE + first.len) != 0)
            return;
        queue_head += HEADER_SIZE + first.len;
    }
}

/* Copy len bytes from the ring at index, leaving them there. */
static void ring_peek(void *to, uint32_t index, uint32_t len)
{
    uint32_t at = MASK_XENSTORE_IDX(index);
    uint32_t first = XENSTORE_RING_SIZE - at < len ? XENSTORE_RING_SIZE - at : len;

    memcpy(to, page->rsp + at, first);
    memcpy((char *)to + first, page->rsp, len - first);
}

/* Give room back. xenstored waits for word of it only if it found the ring full. */
static void ring_consume(uint32_t len)
{
    uint32_t before = rsp_cons;

    mb(); /* our reads are done */
    rsp_cons += len;
    WRITE_ONCE(page->rsp_cons, rsp_cons);
    mb(); /* xenstored sees the room, or we see that it filled the ring */
    if (READ_ONCE(page->rsp_prod) - before >= XENSTORE_RING_SIZE)
        kick = true;
}

/* Take the header of the next message; its payload too if the ring holds all of it. */
static int message_begin(uint32_t used)
{
    if (used < HEADER_SIZE)
        return -EAGAIN;
    ring_peek(&header, rsp_cons, HEADER_SIZE);
    if (header.len > XENSTORE_PAYLOAD_MAX) {
        xenstore_wire_cut("a message announces more than 4096 bytes");
        return -EIO;
    }
    if (HEADER_SIZE + header.len > XENSTORE_RING_SIZE) {
        in_long = true;
        got = 0;
        note_set(rsp_cons + HEADER_SIZE + header.len);
        ring_consume(HEADER_SIZE);
        return 0;
    }
    if (used < HEADER_SIZE + header.len)
        return -EAGAIN;
    ring_peek(payload, rsp_cons + HEADER_SIZE, header.len);
    ring_consume(HEADER_SIZE + header.len);
    return 0;
}

/* Take what there is of a message longer than the ring. */
static int message_continue(uint32_t used)
{
    uint32_t take = header.len - got < used ? header.len - got : used;

    ring_peek(payload + got, rsp_cons, take);
    got += take;
    ring_consume(take);
    if (got < header.len)
        return -EAGAIN;
    in_long = false;
    note_clear();
    return 0;
}

static int skip_rest(uint32_t *used)
{
    uint32_t drop = skip < *used ? skip : *used;

    ring_consume(drop);
    skip -= drop;
    *used -= drop;
    if (skip != 0)
        return -EAGAIN;
    note_clear();
    return 0;
}

int xenstore_wire_receive(struct xsd_sockmsg *header_r, const char **payload_r)
{
    uint32_t used;
    int rc = rsp_used(&used);

    if (rc == 0 && skip != 0)
        rc = skip_rest(&used);
    if (rc == 0 && !in_long) {
        rc = message_begin(used);
        used -= HEADER_SIZE; /* looked at only if a long one began */
    }
    if (rc == 0 && in_long)
        rc = message_continue(used);
    if (rc != 0)
        return rc;
    payload[header.len] = '\0';
    *header_r = header;
    *payload_r = payload;
    return 0;
}

void xenstore_wire_kick(void)
{
    if (kick)
        evtchn_notify(port);
    kick = false;
}

uint32_t xenstore_wire_received(void)
{
    return rsp_cons;
}

uint32_t xenstore_wire_written(void)
{
    return READ_ONCE(page->rsp_prod);
}
