/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How soon a guest that sends shall notify: at each packet, or, when it sends many and gets nothing back,
 * once several lie on its ring or a moment has passed. Each notification costs the guest a hypercall, and
 * the domain that is woken for one packet two more and a change of domains. Who waits for an answer, as TCP and
 * requests do, is never made to wait longer. Pure.
 * Source: xen/io/ring.h, req_event.
 */
#ifndef VIF_MODERATION_H
#define VIF_MODERATION_H

#include <stdbool.h>
#include <stdint.h>

#define MODERATION_RUN 64u /* packets without a frame to the guest, ... */
#define MODERATION_RUN_NS 32000000ull /* ... all within so long: then it is moderated */
#define MODERATION_PACKETS 16u /* notify when so many have come, ... */
#define MODERATION_NS 500000ull /* ... or look after so long */

/* All zero: nothing is known, each packet notifies. */
struct moderation {
    uint32_t run; /* packets since it was last given a frame, or since began_ns */
    bool is_dense; /* the last MODERATION_RUN of them came fast */
    uint64_t began_ns; /* when the run did */
    uint64_t due_ns; /* look again then, whatever was notified; 0: not asked for */
};

/* It sent nr packets; now: ns. */
static inline void moderation_sent(struct moderation *moderation, uint32_t nr, uint64_t now)
{
    moderation->due_ns = 0;
    if (moderation->run == 0)
        moderation->began_ns = now;
    moderation->run += nr;
    if (moderation->run < MODERATION_RUN)
        return;
    moderation->is_dense = now - moderation->began_ns <= MODERATION_RUN_NS;
    moderation->run = 0;
}

/* It was given frames, which may be answers. */
static inline void moderation_answered(struct moderation *moderation)
{
    moderation->run = 0;
    moderation->is_dense = false;
}

/*
 * Its rings are empty, and it shall notify. Returns at the how manieth packet from now; if that is not the first,
 * look at due_ns, too. A look that found nothing ends the moderation.
 */
static inline uint32_t moderation_packets(struct moderation *moderation, uint64_t now)
{
    if (!moderation->is_dense)
        return 1;
    if (moderation->due_ns == 0)
        moderation->due_ns = now + MODERATION_NS;
    if (now < moderation->due_ns)
        return MODERATION_PACKETS;
    *moderation = (struct moderation){ 0 };
    return 1;
}

#endif
