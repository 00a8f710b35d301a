/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of a driver domain for whoever looks on in dom0: a page of control and a ring in the domain's memory.
 *
 * dom0 asks by the node ferry/capture of the domain: "ID PORT SNAPLEN PROGRAM". ID is a number, never 0, another for each
 * capture; PORT a port's name ("vif3.0", "nic0") or "bridge:NAME", which is all of a bridge's ports; SNAPLEN bytes of each frame at
 * most; PROGRAM what libpcap compiled, eight bytes of hex for each instruction (struct ferry_bpf), or "-". One capture
 * at a time. The domain runs it until the node changes or goes, or the reader's beat has stood still for three
 * seconds.
 *
 * Each side believes nothing of what the other writes: the domain bounds the request and the reader's index, dom0
 * copies records out and bounds each.
 */
#ifndef FERRY_CAPTURE_H
#define FERRY_CAPTURE_H

#define FERRY_CAPTURE_RING 262144 /* bytes, a power of two */
#define FERRY_CAPTURE_BYTES (4096 + FERRY_CAPTURE_RING)

#ifndef __ASSEMBLER__
#include <stdint.h>

#define FERRY_CAPTURE_MAGIC 0x5041435959525246ull
#define FERRY_CAPTURE_VERSION 1
#define FERRY_CAPTURE_NODE "ferry/capture"
#define FERRY_CAPTURE_SNAPLEN_MAX 65535u
#define FERRY_CAPTURE_PROGRAM_MAX 200u /* instructions: what a node holds */
#define FERRY_CAPTURE_PORT_SIZE 24

/* An instruction of the classic BPF: as struct bpf_insn of libpcap. */
struct ferry_bpf {
    uint16_t code;
    uint8_t jt, jf;
    uint32_t k;
};

struct ferry_capture_control {
    /* Written by the domain. */
    uint64_t magic;
    uint32_t version;
    uint32_t id; /* of the capture that runs; 0: none */
    uint32_t refused_id; /* a request that was not understood: why says why */
    uint32_t reserved;
    uint64_t now_ns; /* Xen's system time when id was set */
    uint64_t prod; /* bytes ever written to the ring, in multiples of 8 */
    uint64_t nr_seen,
        nr_missed; /* frames that the filter let pass; those of them that found no room */
    char why[96];

    /* Written by dom0. */
    uint64_t cons __attribute__((aligned(2048))); /* bytes taken */
    uint64_t beat; /* another one several times a second */
};

#define FERRY_CAPTURE_IN 1u /* came in through the port */
#define FERRY_CAPTURE_OUT 2u /* leaves through it */

/* In the ring, at a multiple of 8: this, and caplen bytes of the frame. */
struct ferry_capture_record {
    uint32_t size; /* of all of it, a multiple of 8 */
    uint32_t caplen, len; /* bytes that are here, and of the frame; its VLAN tag counts */
    uint32_t direction;
    uint64_t time_ns; /* Xen's system time */
    char port[16];
};
#endif

#endif
