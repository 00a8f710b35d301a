/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/layout.h"
#include "net/bridge.h"
#include "net/egress.h"
#include "net/tag.h"
#include "xen/clock.h"
#include "xen/log.h"
#include "xen/xenstore.h"

#define QUIET_NS 3000000000ull
#define LOOKED_AT 512 /* bytes of a frame that a filter may see, where it is not in one piece */
#define TAG_AT 12
#define TAG_SIZE 4

unsigned int bpf_filter(const struct ferry_bpf *program, const unsigned char *frame,
                        unsigned int len, unsigned int caplen);

static struct ferry_capture_control *const control = (struct ferry_capture_control *)capture_area;
static uint8_t *const ring = (uint8_t *)capture_area + 4096;
_Static_assert(sizeof(struct ferry_capture_control) <= 4096, "one page");

bool capture_runs;
static struct capture_request request;
static uint64_t beat, beat_ns;

static void tap(const struct port *port, struct rte_mbuf *const *frames, uint16_t nr)
{
    capture_frames(port, frames, nr, FERRY_CAPTURE_OUT);
}

static void stop(void)
{
    capture_runs = false;
    egress_tap = NULL;
}

static void end(void)
{
    stop();
    WRITE_ONCE(control->id, 0);
}

/* The same request after a restart of the kernel goes on with ring and counters. */
static void begin(void)
{
    bool goes_on = control->magic == FERRY_CAPTURE_MAGIC && control->id == request.id &&
                   control->prod % 8 == 0;

    if (!goes_on) {
        memset(control, 0, __builtin_offsetof(struct ferry_capture_control, cons));
        control->version = FERRY_CAPTURE_VERSION;
        WRITE_ONCE(control->prod, READ_ONCE(control->cons) & ~7ull);
    }
    beat = READ_ONCE(control->beat);
    beat_ns = clock_now();
    control->now_ns = beat_ns;
    barrier();
    control->magic = FERRY_CAPTURE_MAGIC;
    WRITE_ONCE(control->id, request.id);
    capture_runs = true;
    egress_tap = tap;
    log_info("capture %u: %s%s, %u bytes of each frame, %u instructions", request.id,
             request.is_bridge ? "bridge " : "", request.port, request.snaplen, request.nr_program);
}

static void node_read(void *ctx, int err, const char *value, size_t len)
{
    const char *why;

    (void)ctx;
    if (err == -ENOENT || (err == 0 && len == 0)) {
        end();
        return;
    }
    if (err != 0)
        return;
    stop();
    if (capture_request_parse(value, len, &request, &why) == 0) {
        begin();
        return;
    }
    end();
    snprintf(control->why, sizeof(control->why), "%s", why);
    barrier();
    WRITE_ONCE(control->refused_id, request.id);
}

static void changed(void *ctx, const char *path)
{
    (void)path;
    if (xenstore_read(0, FERRY_CAPTURE_NODE, node_read, ctx) != 0)
        log_warn("cannot read " FERRY_CAPTURE_NODE);
}

int capture_watch(void)
{
    unsigned int id;

    return xenstore_watch(FERRY_CAPTURE_NODE, changed, NULL, &id);
}

void capture_tick(uint64_t now)
{
    uint64_t seen;

    if (!capture_runs)
        return;
    seen = READ_ONCE(control->beat);
    if (seen != beat) {
        beat = seen;
        beat_ns = now;
    } else if (now > beat_ns && now - beat_ns > QUIET_NS) {
        log_info("capture %u: its reader is gone", request.id);
        end();
    }
}

static bool is_meant(const struct port *port)
{
    if (request.is_bridge)
        return port->bridge && strcmp(bridge_name(port->bridge), request.port) == 0;
    return strcmp(port->name, request.port) == 0;
}

/* The frame's first bytes as they are on a wire, up to size. Returns how many. */
static uint32_t bytes_take(const struct rte_mbuf *frame, uint8_t *to, uint32_t size)
{
    uint32_t len = frame->pkt_len, head = 0;
    bool is_beside = tag_is_beside(frame);

    if (is_beside && len >= TAG_AT && size >= TAG_AT + TAG_SIZE) {
        uint8_t scratch[TAG_AT];

        memcpy(to, rte_pktmbuf_read(frame, 0, TAG_AT, scratch), TAG_AT);
        to[TAG_AT] = 0x81;
        to[TAG_AT + 1] = 0;
        to[TAG_AT + 2] = (uint8_t)(frame->vlan_tci >> 8);
        to[TAG_AT + 3] = (uint8_t)frame->vlan_tci;
        head = TAG_AT + TAG_SIZE;
    }
    for (uint32_t skip = head ? TAG_AT : 0; frame && head < size; frame = frame->next) {
        uint32_t some = frame->data_len > skip ? frame->data_len - skip : 0;

        some = some < size - head ? some : size - head;
        memcpy(to + head, rte_pktmbuf_mtod_offset(frame, const uint8_t *, skip), some);
        head += some;
        skip = skip > frame->data_len ? skip - frame->data_len : 0;
    }
    return head;
}

static void ring_put(uint64_t at, const void *from, uint32_t len)
{
    uint32_t offset = at & (FERRY_CAPTURE_RING - 1), first = FERRY_CAPTURE_RING - offset;

    first = len < first ? len : first;
    memcpy(ring + offset, from, first);
    memcpy(ring, (const uint8_t *)from + first, len - first);
}

static void record_put(const struct port *port, const uint8_t *bytes, uint32_t caplen, uint32_t len,
                       uint32_t direction)
{
    struct ferry_capture_record record = { .size = (uint32_t)((sizeof(record) + caplen + 7) & ~7ul),
                                           .caplen = caplen,
                                           .len = len,
                                           .direction = direction,
                                           .time_ns = clock_now() };
    uint64_t used = control->prod - READ_ONCE(control->cons);

    control->nr_seen++;
    if (used > FERRY_CAPTURE_RING || FERRY_CAPTURE_RING - used < record.size) {
        control->nr_missed++;
        return;
    }
    snprintf(record.port, sizeof(record.port), "%.15s", port->name);
    ring_put(control->prod, &record, sizeof(record));
    ring_put(control->prod + sizeof(record), bytes, caplen);
    barrier();
    WRITE_ONCE(control->prod, control->prod + record.size);
}

void capture_frames(const struct port *port, struct rte_mbuf *const *frames, uint16_t nr,
                    uint32_t direction)
{
    static uint8_t bytes[FERRY_CAPTURE_SNAPLEN_MAX + 1];

    if (!capture_runs || !is_meant(port))
        return;
    for (uint16_t i = 0; i < nr; i++) {
        uint32_t len = frames[i]->pkt_len + (tag_is_beside(frames[i]) ? TAG_SIZE : 0),
                 keep = request.snaplen, caplen;

        if (request.nr_program) {
            caplen = bytes_take(frames[i], bytes, LOOKED_AT);
            if (bpf_filter(request.program, bytes, len, caplen) == 0)
                continue;
        }
        caplen = bytes_take(frames[i], bytes, keep < sizeof(bytes) ? keep : sizeof(bytes));
        record_put(port, bytes, caplen, len, direction);
    }
}
