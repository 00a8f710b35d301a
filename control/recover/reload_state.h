/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a reload has come. */
#ifndef CONTROL_RECOVER_RELOAD_STATE_H
#define CONTROL_RECOVER_RELOAD_STATE_H

#include "journal/journal.h"
#include "recover/reference.h"
#include "xen/heartbeat.h"
#include "xen/text.h"

enum reload_state {
    RELOAD_GOES_ON,
    RELOAD_DONE,
    RELOAD_FAILED,
};

/* One reload, from its beginning to its end. Whoever asks for it sets the fields before "Set by reload_begin()". */
struct reload {
    struct host *host;
    struct journal *journal;
    const struct reference *reference;
    uint32_t kind; /* FERRY_RESTART_*, with its flags */
    const struct text_view *view; /* of reference's image; NULL: none is open */
    /* Set by reload_begin(): */
    bool was_cut_short; /* a reload before this one may have left the domain paused */
    bool paused, served;
    uint32_t generation; /* of the start that died; 0: its status page makes no sense */
    uint64_t rip; /* where the vCPU stood; 0: not known */
    unsigned int nr_pages, nr_entries; /* that had to be put right */
    int64_t resumed_us; /* of the death's time */
    int64_t offset_us; /* of Xen's system time 0 in it; 0: not known */
    int64_t deadline_ms;
    struct heartbeat beat;
};

#endif
