/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/xs_wire.h>

#include "xen/log.h"
#include "xen/xenstore_internal.h"
#include "xen/xenstore_wire.h"

enum watch_state {
    WATCH_FREE,
    WATCH_ACTIVE,
    WATCH_CLOSING, /* unwatched; xenstored has yet to be told */
    WATCH_ENDING, /* told; its answer is the last that concerns this place */
};

struct watch {
    enum watch_state state;
    bool refused; /* xenstored has no such watch */
    uint32_t generation;
    xenstore_watch_fn *fn;
    void *ctx;
    char path[XENSTORE_PATH_SIZE];
};

static struct watch watches[XENSTORE_MAX_WATCHES];

/* The event delivered last, to merge those like it. */
static struct {
    size_t len; /* 0: none */
    uint32_t written; /* ring index up to which xenstored had written when it was delivered */
    char payload[XENSTORE_PATH_SIZE + XENSTORE_TOKEN_SIZE + 64];
} last;

/* An id is the slot and what fits of the generation. */
#define SLOT_BITS 7
_Static_assert(XENSTORE_MAX_WATCHES < 1 << SLOT_BITS, "a slot, counted from 1, fits its bits");

static unsigned int watch_id(unsigned int slot)
{
    return watches[slot].generation << SLOT_BITS | (slot + 1);
}

static struct watch *watch_find(unsigned int id)
{
    unsigned int slot = (id & ((1u << SLOT_BITS) - 1)) - 1;

    if (slot >= XENSTORE_MAX_WATCHES || watches[slot].state != WATCH_ACTIVE || watch_id(slot) != id)
        return NULL;
    return &watches[slot];
}

void xenstore_watch_init(void)
{
    memset(watches, 0, sizeof(watches));
    last.len = 0;
}

static int watch_request(uint32_t type, const struct watch *watch, xenstore_done_fn *done)
{
    char token[XENSTORE_TOKEN_SIZE];
    struct xenstore_part parts[2];

    xenstore_token_make(token, (unsigned int)(watch - watches), watch->generation);
    parts[0] = xenstore_part_string(watch->path);
    parts[1] = xenstore_part_string(token);
    return xenstore_request(type, 0, parts, 2, done, (void *)watch);
}

static void on_watched(void *ctx, int err, const char *value, size_t len)
{
    struct watch *watch = ctx;

    (void)value;
    (void)len;
    if (err == 0)
        return;
    watch->refused = true;
    if (!xenstore_stopped())
        log_error("xenstore: cannot watch %s: error %d", watch->path, -err);
}

/* Whatever xenstored says, it knows no such watch any more. */
static void on_unwatched(void *ctx, int err, const char *value, size_t len)
{
    struct watch *watch = ctx;

    (void)err;
    (void)value;
    (void)len;
    watch->state = WATCH_FREE;
}

int xenstore_watch(const char *path, xenstore_watch_fn *fn, void *ctx, unsigned int *id_r)
{
    unsigned int slot = 0;
    int rc = xenstore_watch_path_check(path);

    INVARIANT(fn);
    if (rc != 0)
        return rc;
    while (slot < XENSTORE_MAX_WATCHES && watches[slot].state != WATCH_FREE)
        slot++;
    if (slot == XENSTORE_MAX_WATCHES)
        return -ENOBUFS;
    watches[slot] = (struct watch){
        .generation = xenstore_id_take(),
        .fn = fn,
        .ctx = ctx,
    };
    strcpy(watches[slot].path, path); /* its length was checked */
    rc = watch_request(XS_WATCH, &watches[slot], on_watched);
    if (rc != 0)
        return rc;
    watches[slot].state = WATCH_ACTIVE;
    *id_r = watch_id(slot);
    return 0;
}

static void unwatch_send(struct watch *watch)
{
    int rc = watch_request(XS_UNWATCH, watch, on_unwatched);

    if (rc == 0)
        watch->state = WATCH_ENDING;
    else if (rc != -ENOBUFS)
        watch->state = WATCH_FREE; /* stopped */
}

void xenstore_unwatch(unsigned int id)
{
    struct watch *watch = watch_find(id);

    if (!watch)
        return;
    watch->state = WATCH_CLOSING;
    if (watch->refused)
        watch->state = WATCH_FREE;
    else
        unwatch_send(watch);
}

void xenstore_watch_flush(void)
{
    for (unsigned int i = 0; i < XENSTORE_MAX_WATCHES; i++)
        if (watches[i].state == WATCH_CLOSING)
            unwatch_send(&watches[i]);
}

void xenstore_watch_break(void)
{
    last.len = 0;
}

/*
 * Whether an event says nothing new: it equals the one before, and both were on the ring when that
 * one's callback ran. Whatever the callback asked for since, xenstored answers it with the state
 * after both.
 */
static bool is_repeated(const char *payload, size_t len)
{
    return len == last.len && memcmp(payload, last.payload, len) == 0 &&
           (int32_t)(last.written - xenstore_wire_received()) >= 0;
}

static void remember(const char *payload, size_t len)
{
    last.len = 0;
    if (len > sizeof(last.payload))
        return;
    memcpy(last.payload, payload, len);
    last.len = len;
    last.written = xenstore_wire_written();
}

void xenstore_watch_event(const char *payload, size_t len)
{
    struct xenstore_event event;
    unsigned int slot;
    uint32_t generation;

    xenstore_counters.events++;
    if (xenstore_decode_event(payload, len, &event) != 0 ||
        xenstore_token_parse(event.token, &slot, &generation) != 0) {
        xenstore_counters.bad_events++;
        return;
    }
    if (slot >= XENSTORE_MAX_WATCHES || watches[slot].state != WATCH_ACTIVE ||
        watches[slot].generation != generation) {
        xenstore_counters.stale_events++;
        return;
    }
    if (is_repeated(payload, len)) {
        xenstore_counters.merged_events++;
        return;
    }
    remember(payload, len);
    watches[slot].fn(watches[slot].ctx, event.path);
}
