/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways to go: with traffic in flight, and without a word. Each is the last thing its domain does. */
#include <stdint.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "attack.h"
#include "frame.h"
#include "wait.h"
#include "xen/clock.h"
#include "xen/domain.h"

#define RUSH_NS 1000000000ull

static uint8_t frame[FRONT_FRAME_SIZE];

/* Full rate in both directions (every question has an answer) for a while; 0: for ever. */
static void rush(struct front *f, uint64_t ns)
{
    struct netif_extra_info gso = tx_gso(1448, XEN_NETIF_GSO_TYPE_TCPV4);
    uint64_t end = clock_now() + ns;
    uint32_t len = frame_tcp4(f, frame, frame_nobody, 30000);

    while (ns == 0 || clock_now() < end) {
        if (FRONT_SLOTS - (f->tx_prod - f->tx_cons) > 20)
            tx_frame(f, frame, len, NETTXF_csum_blank, &gso);
        if (FRONT_SLOTS - (f->tx_prod - f->tx_cons) > 20) {
            frame_arp(f, front_tx_data[17], 60);
            tx_slot(f, f->tx_refs[17], 0, 60, 0);
            tx_push(f);
        }
        f->tx_cons = READ_ONCE(f->tx->rsp_prod);
        rx_drain(f);
    }
}

/* The verdict must be out before the end. */
static __noreturn void leave(struct front *f, unsigned int reason)
{
    say("leaving with traffic in flight");
    rush(f, RUSH_NS);
    domain_shutdown(reason);
}

static const char *vanish(struct front *f)
{
    leave(f, SHUTDOWN_poweroff);
}

static const char *vanish_crash(struct front *f)
{
    leave(f, SHUTDOWN_crash);
}

/* Until somebody ends us. */
static const char *rampage(struct front *f)
{
    say("leaving with traffic in flight");
    rush(f, 0);
    return NULL;
}

/* Our whole directory is gone, and then we are. */
static const char *directory_removed(struct front *f)
{
    (void)f;
    if (store_remove("device/vif/0") != 0)
        return why("xenstored does not let us remove our directory");
    wait_ms(500);
    return NULL;
}

const struct attack attacks_end[] = {
    { "end", "directory_removed", directory_removed, true },
    { "vanish", "vanish", vanish, true },
    { "vanish_crash", "vanish_crash", vanish_crash, true },
    { "rampage", "rampage", rampage, true },
    { 0 },
};
