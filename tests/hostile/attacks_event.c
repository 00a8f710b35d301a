/* SPDX-License-Identifier: BSD-2-Clause */
/* Too many events, too little room: costs the guest its own traffic (XSA-332, 391, 392). */
#include <string.h>

#include "attack.h"
#include "frame.h"
#include "wait.h"
#include "xen/clock.h"

#define STORM_NS 2000000000ull
#define ASKED 400
#define STALL_MS 2500 /* the backend gives up after 1 s, and looks once a second at least */
#define KEPT_MAX 20u /* other guests' broadcasts */

static const char *event_storm(struct front *f)
{
    uint64_t end = clock_now() + STORM_NS;
    unsigned int nr = 0;

    for (; clock_now() < end; nr++)
        front_kick(f);
    note("%u events in 2 s", nr);
    return NULL;
}

/* The same, with a packet that is never finished on the ring: work that leads nowhere. */
static const char *event_storm_unfinished(struct front *f)
{
    tx_slot(f, f->tx_refs[0], 0, 60, NETTXF_more_data);
    tx_push(f);
    f->dirty = true;
    return event_storm(f);
}

/* Questions whose answers all come back to us. */
static const char *ask(struct front *f, unsigned int nr)
{
    uint8_t frame[60];
    const char *bad = NULL;

    frame_arp(f, frame, sizeof(frame));
    for (unsigned int i = 0; i < nr && !bad; i += 20) {
        for (unsigned int k = 0; k < 20; k++)
            tx_frame(f, frame, sizeof(frame), 0, NULL);
        bad = tx_judge(f, NETIF_RSP_OKAY);
    }
    return bad;
}

/* What is for us is never taken: a bounded number of frames waits, the rest is dropped. */
static const char *rx_never_drained(struct front *f)
{
    const char *bad = ask(f, ASKED);

    wait_ms(1000);
    if (!bad)
        bad = ask(f, ASKED);
    f->dirty = true;
    return bad;
}

/*
 * As before, and then the guest wakes up: it must be served again, without a new handshake. What had
 * no room for so long was not kept for it.
 */
static const char *rx_drained_late(struct front *f)
{
    const char *bad = ask(f, ASKED);
    unsigned int posted, kept;

    wait_ms(STALL_MS);
    posted = rx_drain(f);
    wait_ms(200);
    kept = rx_drain(f);
    note("%u packets in our buffers, %u kept for us", posted, kept);
    if (!bad && kept > KEPT_MAX)
        bad = why("%u packets were kept for a guest that takes none", kept);
    return bad;
}

/* Room for one packet at a time (XSA-392). */
static const char *rx_one_slot(struct front *f)
{
    unsigned int received = 0;
    const char *bad = front_prepare_anew(f);

    if (!bad)
        bad = front_publish(f);
    if (!bad && !front_wait_back(f, XenbusStateConnected, 8000))
        bad = why("the backend is not Connected");
    f->dirty = true;
    f->no_refill = true;
    for (unsigned int i = 0; i < 30 && !bad; i++) {
        rx_slot(f, f->rx_refs[f->rx_prod % FRONT_RX_PAGES]);
        rx_push(f);
        bad = ask(f, 20);
        for (unsigned int ms = 0; ms < 200 && f->rx_cons != f->rx_prod; ms += 2) {
            wait_ms(2);
            received += rx_drain(f);
        }
    }
    note("%u of 30 single slots were used", received);
    return bad || received > 20 ? bad : why("only %u of 30 single slots were used", received);
}

const struct attack attacks_event[] = {
    { "event", "event_storm", event_storm, false },
    { "event", "event_storm_unfinished", event_storm_unfinished, false },
    { "event", "rx_never_drained", rx_never_drained, false },
    { "event", "rx_drained_late", rx_drained_late, false },
    { "event", "rx_one_slot", rx_one_slot, false },
    { 0 },
};
