/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames for whoever looks on in dom0 (ferry/capture.h). Costs one branch while nobody does. */
#ifndef MAIN_CAPTURE_H
#define MAIN_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <ferry/capture.h>

#include "net/port.h"

/* Watch for requests. Returns 0 or a negative errno. */
int capture_watch(void) __attribute__((warn_unused_result));

/* Once a second: end one whose reader is gone. */
void capture_tick(uint64_t now);

extern bool capture_runs;

/* These frames pass through a port, in a direction (FERRY_CAPTURE_*). */
void capture_frames(const struct port *port, struct rte_mbuf *const *frames, uint16_t nr,
                    uint32_t direction);

static inline void capture_input(const struct port *port, struct rte_mbuf *const *frames,
                                 uint16_t nr)
{
    if (__builtin_expect(capture_runs, 0))
        capture_frames(port, frames, nr, FERRY_CAPTURE_IN);
}

/*
 * What a request asks for. Pure.
 *
 *   text, len  of the node; any bytes
 *
 * Returns 0, or -EINVAL with *why_r.
 */
struct capture_request {
    uint32_t id, snaplen;
    char port[FERRY_CAPTURE_PORT_SIZE]; /* without "bridge:" */
    bool is_bridge;
    unsigned int nr_program;
    struct ferry_bpf program[FERRY_CAPTURE_PROGRAM_MAX];
};
int capture_request_parse(const char *text, size_t len, struct capture_request *request_r,
                          const char **why_r);

#endif
