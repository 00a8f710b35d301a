/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames for fuzzing targets, made so that ASan sees a look behind the end of a segment.
 *
 *   fuzz_mbuf_*   without DPDK's environment: for what reads frames and frees none
 *   fuzz_pool_*   from a real pool: for what copies, cuts, extends and frees frames
 */
#ifndef FUZZ_MBUF_H
#define FUZZ_MBUF_H

#include <sanitizer/asan_interface.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "fuzz.h"

#define FUZZ_POOL_FRAMES 1024
#ifndef FUZZ_POOL_ROOM
#define FUZZ_POOL_ROOM 2048 /* bytes of a buffer, headroom included */
#endif
#define FUZZ_POOL_GUARD 64 /* bytes behind it that may not be touched */

static inline struct rte_mbuf *fuzz_mbuf_segment(const uint8_t *bytes, size_t size)
{
    struct rte_mbuf *seg = calloc(1, sizeof(*seg));

    seg->buf_addr = fuzz_copy(bytes, size);
    seg->buf_len = seg->data_len = (uint16_t)size;
    seg->pkt_len = (uint32_t)size;
    seg->nb_segs = 1;
    seg->refcnt = 1;
    return seg;
}

/*
 * A frame of these bytes, at most 65535 of them, with no room in front and behind.
 *
 *   first  the first segment has so many bytes, a second one the rest
 */
static inline struct rte_mbuf *fuzz_mbuf_make(const uint8_t *bytes, size_t size, size_t first)
{
    size_t len = size < 65535 ? size : 65535;
    size_t head = first < len ? first : len;
    struct rte_mbuf *frame = fuzz_mbuf_segment(bytes, head);

    if (head < len) {
        frame->next = fuzz_mbuf_segment(bytes + head, len - head);
        frame->nb_segs = 2;
        frame->pkt_len = (uint32_t)len;
    }
    return frame;
}

static inline void fuzz_mbuf_free(struct rte_mbuf *frame)
{
    while (frame) {
        struct rte_mbuf *next = frame->next;

        free(frame->buf_addr);
        free(frame);
        frame = next;
    }
}

static inline void fuzz_pool_guard(struct rte_mempool *pool, void *arg, void *object,
                                   unsigned int i)
{
    struct rte_mbuf *mbuf = object;

    (void)pool, (void)arg, (void)i;
    mbuf->buf_len -= FUZZ_POOL_GUARD;
    ASAN_POISON_MEMORY_REGION((char *)mbuf->buf_addr + mbuf->buf_len, FUZZ_POOL_GUARD);
}

/* The pool; made at the first call, with DPDK's environment. */
static inline struct rte_mempool *fuzz_pool(void)
{
    static struct rte_mempool *pool;
    char *argv[] = { "fuzz",           "--no-huge",     "--no-pci", "--no-shconf", "-m", "64",
                     "--no-telemetry", "--log-level=4", "--lcores", "0",           NULL };

    if (pool)
        return pool;
    FUZZ_CHECK(rte_eal_init(sizeof(argv) / sizeof(argv[0]) - 1, argv) >= 0);
    pool = rte_pktmbuf_pool_create("fuzz", FUZZ_POOL_FRAMES, 0, 0, FUZZ_POOL_ROOM + FUZZ_POOL_GUARD,
                                   0);
    FUZZ_CHECK(pool);
    /* What a buffer that was another's gets back. */
    ((struct rte_pktmbuf_pool_private *)rte_mempool_get_priv(pool))->mbuf_data_room_size =
        FUZZ_POOL_ROOM;
    rte_mempool_obj_iter(pool, fuzz_pool_guard, NULL);
    return pool;
}

/* How many buffers are in use: none when an input has been dealt with. */
static inline unsigned int fuzz_pool_in_use(void)
{
    return rte_mempool_in_use_count(fuzz_pool());
}

/*
 * A frame of these bytes from the pool, each segment at the end of its buffer. Longer ones are cut to
 * what 32 segments hold. NULL if the pool is empty.
 *
 *   first  the first segment has at most so many bytes, at least one
 */
static inline struct rte_mbuf *fuzz_pool_frame(const uint8_t *bytes, size_t size, size_t first)
{
    struct rte_mbuf *frame = NULL, *last = NULL;
    size_t room = first ? first : 1;

    do {
        struct rte_mbuf *seg = rte_pktmbuf_alloc(fuzz_pool());
        size_t part, most = FUZZ_POOL_ROOM - RTE_PKTMBUF_HEADROOM;

        if (!seg) {
            rte_pktmbuf_free(frame);
            return NULL;
        }
        part = RTE_MIN(RTE_MIN(size, room), most);
        seg->data_off = (uint16_t)(seg->buf_len - part);
        seg->data_len = (uint16_t)part;
        if (part)
            memcpy(rte_pktmbuf_mtod(seg, void *), bytes, part);
        if (last)
            last->next = seg;
        else
            frame = seg;
        last = seg;
        frame->nb_segs = last == frame ? 1 : frame->nb_segs + 1;
        frame->pkt_len = last == frame ? (uint32_t)part : frame->pkt_len + (uint32_t)part;
        bytes += part;
        size -= part;
        room = most;
    } while (size > 0 && frame->nb_segs < 32);
    return frame;
}

/* The bytes of a frame, the tag that may lie beside it in its place. */
static inline uint32_t fuzz_flatten(const struct rte_mbuf *frame, uint8_t *bytes, uint32_t size)
{
    uint32_t done = 0;

    for (const struct rte_mbuf *seg = frame; seg; seg = seg->next) {
        FUZZ_CHECK(done + seg->data_len <= size - 4);
        memcpy(bytes + done, rte_pktmbuf_mtod(seg, const void *), seg->data_len);
        done += seg->data_len;
    }
    FUZZ_CHECK(done == frame->pkt_len && done >= 12);
    if (frame->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_VLAN)) {
        memmove(bytes + 16, bytes + 12, done - 12);
        bytes[12] = 0x81;
        bytes[13] = 0;
        bytes[14] = (uint8_t)(frame->vlan_tci >> 8);
        bytes[15] = (uint8_t)frame->vlan_tci;
        done += 4;
    }
    return done;
}

/* The same with the tag that the bytes begin with, if is_beside, in vlan_tci. */
static inline struct rte_mbuf *fuzz_pool_frame_beside(const uint8_t *bytes, size_t size,
                                                      size_t first, bool is_beside)
{
    struct rte_mbuf *frame;
    uint8_t *rest;

    if (!is_beside)
        return fuzz_pool_frame(bytes, size, first);
    rest = fuzz_copy(bytes + 4, size - 4);
    memcpy(rest, bytes, 12);
    frame = fuzz_pool_frame(rest, size - 4, first);
    free(rest);
    if (frame) {
        frame->ol_flags |= RTE_MBUF_F_TX_VLAN;
        frame->vlan_tci = (uint16_t)(bytes[14] << 8 | bytes[15]);
    }
    return frame;
}

#endif
