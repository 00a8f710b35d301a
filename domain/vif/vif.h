/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network backend: finds the vifs that the toolstack names us backend of, shakes hands with
 * their frontends and moves their frames. Each vif is a struct port named "vif<domid>.<handle>".
 *
 * A turn of the loop:
 *
 *   evtchn_dispatch()     handshakes go on, vifs with something to send become active
 *   vif_receive_all()     frames from active guests go to host->input()
 *   ...                   NICs, forwarding: ops->tx_burst() queues frames towards guests
 *   vif_flush_all()       one grant copy for all guests, responses, one notification each
 *   timers_run()
 *   vif_arm_all()         only when nothing else is left: false means that the loop may sleep
 *
 * Idle vifs cost nothing in any of these. Nothing here blocks, nothing allocates but mbufs, and
 * nothing that a guest does ends more than its own vif.
 * Source: xen/io/netif.h, xen/io/xenbus.h.
 */
#ifndef VIF_VIF_H
#define VIF_VIF_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <xen/xen.h>

#include "arch/x86/cpu.h"
#include "net/port.h"

#define VIF_MAX 64

/* Smallest data room of the pool's mbufs, headroom not counted. */
#define VIF_MBUF_ROOM 2048u

#define VIF_NODE_SIZE 128 /* longest text node we keep, with its NUL */

/* What the toolstack wrote for one vif; strings are "" where it wrote nothing. */
struct vif_wish {
    domid_t guest;
    uint16_t handle;
    char bridge[VIF_NODE_SIZE];
    char script[VIF_NODE_SIZE];
    char ip[VIF_NODE_SIZE];
    char vlan[VIF_NODE_SIZE];
    uint64_t rate_bytes; /* in each interval; 0: no limit */
    uint32_t rate_interval_us;
};

/* What main gives us. All of it is called from the loop, never from inside ops. */
struct vif_host {
    /*
     * Put a port into the bridge that wish names. The port is not up yet.
     * Returns 0, or a negative errno with *why_r set to a sentence for the user (for -ENOENT:
     * "no bridge 'x'; bridges are: ..."), valid until the next call.
     */
    int (*attach)(struct port *port, const struct vif_wish *wish, const char **why_r);

    /* Take it out again, with every frame staged for it. */
    void (*detach)(struct port *port);

    /* Frames from a guest; they are the callee's. nr <= PORT_BURST. */
    void (*input)(struct port *port, struct rte_mbuf **frames, uint16_t nr);

    struct rte_mempool *pool; /* for frames from guests */
    unsigned int queue_mbufs; /* the most that wait for guests, of all vifs together */
};

/*
 * Make the table: empty, but for what vif_resume() finds. Before all else. host is copied.
 * Returns 0, or -EINVAL for a pool whose buffers are too small.
 */
int vif_init(const struct vif_host *host) __must_check;

/*
 * After a restart of the kernel: go on with the vifs that the last start had connected. Their rings,
 * mappings and ports are as it left them, so no xenstore is read, and their guests notice nothing but
 * errors for the few packets that were in hand. Before gnttab_sweep() and evtchn_sweep(), which give
 * back what belongs to those that cannot go on: vif_watch() finds them, as if they were new.
 *
 * Once, after vif_init() and when the bridges exist. Returns how many go on; 0 at a first start.
 */
unsigned int vif_resume(void);

/*
 * Start watching for vifs: those there are, and those to come. Looks after the resumed ones, too: their
 * nodes may have changed meanwhile. Once; may be called long after vif_resume(), with the loop running.
 * Returns 0 or a negative errno of the xenstore client.
 */
int vif_watch(void) __must_check;

/* One budget (PORT_BURST frames) for every active vif. Returns the number of frames. */
unsigned int vif_receive_all(void);

/* Move what is queued towards guests, as far as they gave room. */
void vif_flush_all(void);

/* Ask all active vifs' guests for events, look once more. True: there is work, do not sleep. */
bool vif_arm_all(void);

/* Vifs known, and connected ones. */
unsigned int vif_nr(void);
unsigned int vif_nr_connected(void);

/* Frames and mbufs that wait for guests now. */
unsigned int vif_nr_queued_mbufs(void);

/* The port of a known vif, index 0 to VIF_MAX - 1; NULL for a free place. For statistics. */
const struct port *vif_port(unsigned int index);

#endif
