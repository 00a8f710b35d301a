/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the NIC. */
#ifndef EAL_NIC_INTERNAL_H
#define EAL_NIC_INTERNAL_H

#include "eal/nic.h"
#include "eal/quirk.h"
#include "eal/tx_backlog.h"
#include "eal/watch.h"
#include "xen/timer.h"

struct nic {
    struct port port; /* first: a nic's port is the nic */

    /* Not changed once the NIC runs. */
    uint16_t id; /* of the ethdev */
    unsigned int number; /* nic_number() */
    bool reports_bad_only; /* the quirk's answer */
    bool polls_rx; /* the driver has no receive interrupts: the loop never sleeps */
    uint16_t nr_rx, nr_tx; /* descriptors */
    uint16_t mtu; /* that was asked for; 0: none, it has 1500 */
    const struct rte_memzone *rx_ring; /* for the quirk of that name; NULL: unknown */
    const struct rte_memzone *tx_ring; /* the same */
    const char *status; /* found by the quirk; NULL: unknown */
    bool sets_ip_sum; /* of what it cuts: the header's checksum too, if it is told */
    const struct rte_pci_device *pci;
    const struct quirk *quirk;

    struct tx_backlog backlog; /* from here on everything changes: not sealed (eal/resume.c) */

    bool is_armed; /* asked for an interrupt when the device had sent armed_events */
    uint32_t armed_events;
    struct timer link_timer; /* for drivers without link interrupts */

    /* eal/nic_watch.c */
    struct timer watch_timer; /* armed while there may be frames to transmit */
    struct watch watch;
    uint64_t watched_frames; /* port.stats.tx_frames at the last look */
    uint64_t watched_received; /* port.stats.rx_frames, the same */
    uint64_t nr_missed; /* frames, as seen by all who looked: a read of the register clears it */
    uint64_t watched_missed; /* nr_missed at the last look of the watch */
    uint64_t driver_missed; /* what the driver itself said last */
    uint64_t full_since_ns; /* 0: the last frame that was offered was taken */
};

static inline struct nic *nic_of(struct port *port)
{
    return (struct nic *)port;
}

/* rx_burst, tx_burst and arm. */
extern const struct port_ops nic_ops;

/* All there are; nr_r of them. */
struct nic *nics_all(unsigned int *nr_r);

/*
 * Configure queues and offloads, start, begin to follow the link. mtu: 0, or what it is to carry, which
 * nic_mtu_max() allows. Returns 0 or a negative errno.
 */
int nic_start(struct nic *nic, uint16_t mtu) __must_check;

/*
 * The NIC was given frames and is not watched; a second has passed, of one whose link is asked for (it may miss frames while
 * none are sent); it took none; a restart kept it.
 */
void nic_watch_begin(struct nic *nic);
void nic_watch_second(struct nic *nic);
void nic_watch_full(struct nic *nic);
void nic_watch_forget(struct nic *nic);

/*
 * nic_watch.c: look at the device; false if it cannot be told how it is. rx_missed, besides, is added up in
 * nr_missed; so is what the driver says that it has missed in all.
 */
bool nic_device_look(struct nic *nic, struct watch_look *look_r);
void nic_missed_add(struct nic *nic, uint64_t driver_missed);

/* Go on following the link after a restart. */
void nic_link_resume(struct nic *nic);

#endif
