/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenstore client on its ring, against a xenstored that says anything: answers, errors and events of every kind,
 * for requests that there are and are not, raw bytes, damaged indices, and restarts of the kernel at any moment.
 *
 *   - A request that was taken ends once; at the latest when the client stops or the kernel restarts.
 *   - An answer reaches the request that it names, as it was sent.
 *   - A watch that is gone is silent. What callbacks get is terminated.
 *   - The ring's indices stay within the ring, unless somebody else moved them.
 *
 * The input: where the indices begin, and steps; a step is a byte that says what to do, and what it needs.
 */
#include <errno.h>

#include "test_xenstore_fixture.h"

#include "fuzz.h"
#include "xen/xenstore_codec.h"
#include "xen/xenstore_wire.h"

#define STEPS 96
#define WATCHES 8
#define SPOKEN 4096

/* A request that was taken, by its place here, which is its context. */
static struct asked {
    bool is_waiting;
    bool is_seen; /* on the ring, with this id */
    bool is_answered; /* these bytes are on the way */
    uint32_t id;
    size_t len;
    char bytes[XENSTORE_PAYLOAD_MAX];
} asked[STEPS];
static unsigned int nr_asked, nr_starts;

static struct watched {
    bool is_there;
    unsigned int id;
} watched[WATCHES];

static bool is_damaged; /* the indices or bytes of the ring are not xenstored's */
static uint32_t ids_seen[1024]; /* of requests found on the ring */
static uint32_t types_seen[1024];
static unsigned int nr_seen;

static void ended(void *ctx, int err, const char *value, size_t len)
{
    struct asked *one = ctx;

    FUZZ_CHECK(one->is_waiting && err <= 0);
    FUZZ_CHECK(value[len] == '\0');
    one->is_waiting = false;
    if (!one->is_answered || is_damaged || err)
        return;
    FUZZ_CHECK(len <= one->len && memcmp(value, one->bytes, len) == 0);
}

static void fired(void *ctx, const char *path)
{
    struct watched *watch = ctx;

    FUZZ_CHECK(watch->is_there);
    FUZZ_CHECK(strlen(path) <= XENSTORE_PAYLOAD_MAX);
}

static void ask(struct fuzz_input *input, uint8_t what)
{
    struct asked *one = &asked[nr_asked];
    char path[300], value[1100] = "";
    const uint8_t *bytes;
    size_t len = fuzz_take(input, what >> 6 ? fuzz_u8(input) : 0, &bytes);
    int err, at = snprintf(path, sizeof(path), "%u/%u/", nr_starts, nr_asked);

    memcpy(path + at, bytes, len);
    path[(size_t)at + len - (len == 0)] = '\0';
    memset(value, 'v', (what >> 6) * 300u);
    *one = (struct asked){ .is_waiting = true };
    switch (what >> 4 & 3) {
    case 0:
        err = xenstore_read(0, path, ended, one);
        break;
    case 1:
        err = xenstore_write(0, path, value, ended, one);
        break;
    case 2:
        err = xenstore_directory(0, path, ended, one);
        break;
    default:
        err = xenstore_tx_start(ended, one);
    }
    one->is_waiting = err == 0;
    nr_asked += err == 0;
}

static void watch_toggle(struct fuzz_input *input)
{
    struct watched *watch = &watched[fuzz_u8(input) % WATCHES];

    if (watch->is_there)
        xenstore_unwatch(watch->id);
    watch->is_there = !watch->is_there && xenstore_watch("a/b", fired, watch, &watch->id) == 0;
}

/* All requests that are on the ring. Their paths say who made them. */
static void requests_take(void)
{
    struct server_request request;
    unsigned int start, place;

    while (!is_damaged && nr_seen < 1024 && server_take(&request)) {
        if (sscanf(request.payload, "%u/%u", &start, &place) == 2 && start == nr_starts) {
            FUZZ_CHECK(place < nr_asked && !asked[place].is_seen);
            asked[place].is_seen = true;
            asked[place].id = request.header.req_id;
        }
        types_seen[nr_seen] = request.header.type;
        ids_seen[nr_seen++] = request.header.req_id;
    }
}

/* Bytes onto the ring as it takes them. What it does not take is not said, and nothing makes sense from there on. */
static void say(const void *bytes, size_t len)
{
    const char *next = bytes;

    while (len) {
        uint32_t room = XENSTORE_RING_SIZE - (store_page->rsp_prod - store_page->rsp_cons);
        size_t part = len < room ? len : room;

        if (is_damaged || xenstore_stopped())
            return;
        if (part == 0) {
            uint32_t before = store_page->rsp_cons;

            xenstore_poll();
            if (store_page->rsp_cons == before) {
                is_damaged = true;
                return;
            }
            continue;
        }
        server_put(next, part);
        next += part;
        len -= part;
    }
}

static void message_say(struct fuzz_input *input, uint32_t type, uint32_t id, size_t max)
{
    static char message[sizeof(struct xsd_sockmsg) + SPOKEN];
    struct xsd_sockmsg header = { .type = type, .req_id = id };
    uint8_t pad = fuzz_u8(input);
    const uint8_t *bytes;
    size_t nr = fuzz_take(input, fuzz_u8(input), &bytes);

    header.len = (uint32_t)(nr + (pad & 0x80 ? (size_t)(pad & 0x7f) * 32 : 0));
    if (header.len > max)
        header.len = (uint32_t)max;
    memset(message, 'p', sizeof(message));
    memcpy(message, &header, sizeof(header));
    memcpy(message + sizeof(header), bytes, nr < max ? nr : max);
    for (unsigned int i = 0; i < nr_asked; i++)
        if (asked[i].is_seen && !asked[i].is_answered && asked[i].id == id) {
            asked[i].is_answered = true;
            asked[i].len = header.len;
            memcpy(asked[i].bytes, message + sizeof(header), header.len);
        }
    say(message, sizeof(header) + header.len);
}

/* Answers to a request that was seen, of its type, an error, or another. */
static void answer_say(struct fuzz_input *input, uint8_t what)
{
    static const uint32_t types[] = { XS_ERROR, XS_READ, XS_WATCH, XS_WRITE };
    unsigned int at;

    requests_take();
    if (!nr_seen)
        return;
    at = fuzz_u8(input) % nr_seen;
    message_say(input, what >> 7 ? types[what >> 5 & 3] : types_seen[at], ids_seen[at], SPOKEN);
}

static void event_say(struct fuzz_input *input, uint8_t what)
{
    unsigned int slot = what >> 4 & 7;
    char token[XENSTORE_TOKEN_SIZE];

    xenstore_token_make(token, slot, fuzz_u8(input) & 7);
    if (!(what >> 7)) {
        message_say(input, XS_WATCH_EVENT, 0, SPOKEN);
    } else {
        char payload[64];
        int len = snprintf(payload, sizeof(payload), "a/b/%u%c%s", slot, 0, token);
        struct xsd_sockmsg header = { .type = XS_WATCH_EVENT, .len = (uint32_t)len + 1 };

        say(&header, sizeof(header));
        say(payload, (size_t)len + 1);
    }
}

static void damage(struct fuzz_input *input)
{
    uint32_t *indices = &store_page->req_cons;
    const uint8_t *bytes;
    size_t nr;

    is_damaged = true;
    switch (fuzz_u8(input) % 3) {
    case 0:
        indices[fuzz_u8(input) % 4] += (uint32_t)(int8_t)fuzz_u8(input);
        return;
    case 1: /* what a restart finds of a long message, at the page's end */
        ((uint8_t *)store_page)[4095 - fuzz_u8(input) % 8] ^= fuzz_u8(input);
        return;
    default:
        nr = fuzz_take(input, fuzz_u8(input), &bytes);
        for (size_t i = 0; i < nr; i++)
            store_page->rsp[MASK_XENSTORE_IDX(store_page->rsp_prod++)] = (char)bytes[i];
    }
}

/* Nothing of the last start is heard of any more, and its watches are gone. */
static void restart(void)
{
    memset(watched, 0, sizeof(watched));
    nr_asked = 0;
    nr_starts++;
    memset(asked, 0, sizeof(asked));
    xenstore_init();
}

static void indices_check(void)
{
    FUZZ_CHECK(is_damaged || store_page->req_prod - store_page->req_cons <= XENSTORE_RING_SIZE);
    FUZZ_CHECK(is_damaged || store_page->rsp_prod - store_page->rsp_cons <= XENSTORE_RING_SIZE);
}

static void step(struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);

    switch (what & 15) {
    case 0:
    case 1:
    case 2:
        ask(input, what);
        break;
    case 3:
        watch_toggle(input);
        break;
    case 4:
    case 5:
    case 6:
        answer_say(input, what);
        break;
    case 7:
    case 8:
        event_say(input, what);
        break;
    case 9:
        message_say(input, fuzz_u8(input), fuzz_u16(input), SPOKEN);
        break;
    case 10:
        damage(input);
        break;
    case 11:
        restart();
        break;
    case 12:
        fake_now += 1000;
        timers_run(fake_now);
        break;
    default:
        requests_take();
        xenstore_poll();
    }
    indices_check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    fixture_reset((uint32_t)(int8_t)fuzz_u8(&input));
    is_damaged = false;
    nr_seen = nr_asked = 0;
    restart();
    for (unsigned int i = 0; i < STEPS && input.left; i++)
        step(&input);
    for (unsigned int i = 0; i < 4; i++) {
        fake_now += 1000;
        timers_run(fake_now);
    }
    /* The ring is cut: whoever waits is told. */
    xenstore_wire_cut("the end");
    xenstore_poll();
    FUZZ_CHECK(xenstore_stopped());
    for (unsigned int i = 0; i < nr_asked; i++)
        FUZZ_CHECK(!asked[i].is_waiting);
    FUZZ_CHECK(xenstore_read(0, "a", NULL, NULL) == -EIO);
    timers_run(UINT64_MAX);
    return 0;
}
