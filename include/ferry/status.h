/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page of the domain that dom0 maps read only: the heartbeat, and what the kernel says of itself.
 *
 * The domain writes it: dom0 takes every field for a hint, copies before it looks, escapes text, and
 * lets none of it harm anybody but this domain. Its address is in the image (ferry/image.h).
 */
#ifndef FERRY_STATUS_H
#define FERRY_STATUS_H

#include <stdint.h>

#define FERRY_STATUS_MAGIC 0x5354415459525246ull
#define FERRY_STATUS_VERSION 1

enum ferry_phase {
    FERRY_PHASE_BOOTING = 1, /* guests are not served yet */
    FERRY_PHASE_SERVING, /* guests are, the NIC is not up */
    FERRY_PHASE_READY, /* the loop runs, with whatever NIC there is */
    FERRY_PHASE_DYING, /* reporting, about to restart or to shut down */
};

/* Times of the last restart, in the order of a restart that goes well. Also the rows of the figures. */
enum ferry_step {
    FERRY_STEP_FAULT, /* the exception or failed invariant; 0 where dom0 had to notice */
    FERRY_STEP_REPORTED, /* the crash report is written */
    FERRY_STEP_VERIFIED, /* text, pristine data and recovery pages have the right sums */
    FERRY_STEP_RESTORED, /* data is as at the first start */
    FERRY_STEP_PLATFORM, /* traps, events, grants */
    FERRY_STEP_MEMORY, /* mbufs and the heap: verified and taken back, or made anew */
    FERRY_STEP_VIFS, /* the frontends' rings are taken over */
    FERRY_STEP_NIC, /* the NIC carries frames; its link may still be missing */
    FERRY_STEP_LINK, /* the first NIC's link is up */
    FERRY_STEPS
};

/* What became of the NIC in the last restart. */
enum ferry_nic_fate {
    FERRY_NIC_STARTED = 1, /* the domain's first start */
    FERRY_NIC_KEPT,
    FERRY_NIC_RESET, /* see nic_why */
};

#define FERRY_STATUS_REASON_SIZE 160
#define FERRY_STATUS_TEXT_SIZE 64
#define FERRY_STATUS_REPORT_SIZE 3072

struct ferry_status {
    uint64_t magic;
    uint32_t version;
    uint32_t phase; /* enum ferry_phase */

    /*
     * Grows in every turn of the loop, with every call of a driver that comes back, and in every wait of one. It stands still while the domain
     * sleeps, for at most two seconds: a hang is a beat that stands still while the domain's CPU time
     * grows, or for longer than that.
     */
    uint64_t beat;
    uint32_t in_nic; /* not 0: inside the NIC driver */

    uint32_t generation; /* starts of a kernel since the domain was built; the first is 1 */
    uint32_t self_restarts; /* how many of them at depth 1 */
    uint32_t nic_resets; /* restarts that could not keep the NIC */
    uint32_t kind; /* FERRY_RESTART_* of this start; 0: the first */
    uint32_t nic_fate; /* enum ferry_nic_fate */
    uint32_t ask_depth; /* with SHUTDOWN_crash: the depth that may help, 2 or 3; 0: no opinion */
    uint32_t reserved;
    uint64_t step_ns[FERRY_STEPS]; /* Xen's system time; 0: not reached or not gone through */

    char nic_why[FERRY_STATUS_TEXT_SIZE]; /* why the NIC was reset; NUL-terminated */
    char last_port
        [FERRY_STATUS_TEXT_SIZE]; /* the vif or NIC whose frames were in hand at the death */
    char reason[FERRY_STATUS_REASON_SIZE]; /* of the last death; "" before the first */
    char report[FERRY_STATUS_REPORT_SIZE]; /* of the last death, lines; NUL-terminated */
};

_Static_assert(sizeof(struct ferry_status) <= 4096, "one page");

#endif
