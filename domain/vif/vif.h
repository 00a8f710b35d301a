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
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include <ferry/stats.h>

#include <xen/xen.h>

#include "arch/x86/cpu.h"
#include "net/port.h"

#define VIF_MAX 64

/* Smallest data room of the pool's mbufs, headroom not counted. */
#define VIF_MBUF_ROOM 2048u

/* Longest texts that we keep of each node, with their NULs. */
#define VIF_NODE_SIZE 128
#define VIF_SCRIPT_SIZE 32 /* without the path in front */
#define VIF_IP_SIZE 1024
#define VIF_DEV_SIZE 16 /* as of a Linux interface */

#define VIF_WHY_SIZE 320 /* a sentence for the user: key, value, what is accepted */

/* What the toolstack wrote for one vif; strings are "" where it wrote nothing. */
struct vif_wish {
    domid_t guest;
    uint16_t handle;
    uint8_t index; /* below VIF_MAX; no two vifs have the same */
    struct rte_ether_addr mac;
    uint16_t mtu; /* 0: it says nothing, and port.mtu_usual holds (attach() sets it) */
    char bridge[VIF_NODE_SIZE];
    char script[VIF_SCRIPT_SIZE]; /* the last part of the path */
    char ip[VIF_IP_SIZE];
    char vlan[VIF_NODE_SIZE];
    char gatewaydev[VIF_DEV_SIZE];
    struct port_rate rate; /* of what the guest sends */
};

/* The link behind a vif. Unknown: what was said before holds on, and before all else it is up. */
enum vif_carrier { VIF_CARRIER_DOWN, VIF_CARRIER_UP, VIF_CARRIER_UNKNOWN };

/* What main gives us. All of it is called from the loop, never from inside ops. */
struct vif_host {
    /*
     * What dom0 says about a vif (its policy node, net/ and include/ferry/policy.h say what for), before
     * attach() and again whenever it changes; it holds from the return on.
     *
     *   wish  guest, handle, index and mac are set
     *   text  len bytes, not trusted, not NUL-terminated; NULL: dom0 says nothing
     *
     * Returns 0, or a negative errno with *why_r: then what held before holds on.
     */
    int (*policy)(struct port *port, const struct vif_wish *wish, const char *text, size_t len,
                  const char **why_r);

    /*
     * Put a port where wish says: into a bridge, or behind a router. The port is not up yet. Without a call
     * of policy() before, as after a restart: with the policy that the last start kept.
     * Returns 0, or a negative errno with *why_r set to a sentence for the user that names key, value and
     * what is accepted, valid until the next call.
     */
    int (*attach)(struct port *port, const struct vif_wish *wish, const char **why_r);

    /* Take it out again, with every frame staged for it. */
    void (*detach)(struct port *port);

    /*
     * Is there a link behind the port, as the guest should see it? Asked when a vif is offered, and for all
     * of them after vif_carriers_changed().
     */
    enum vif_carrier (*carrier)(const struct port *port);

    /* Frames from a guest; they are the callee's. nr <= PORT_BURST. */
    void (*input)(struct port *port, struct rte_mbuf **frames, uint16_t nr);

    /* Whether what begins in this turn of the loop is timed, and who wants to know, ns. NULL, both: nobody does. */
    const bool *is_timed;
    void (*time_take)(enum ferry_latency what, uint64_t ns);

    struct rte_mempool *pool; /* for frames from guests */
    struct port_notes *notes; /* where input() leaves what became of the frames */
    unsigned int queue_mbufs; /* the most that wait for guests, of all vifs together */
};

/*
 * Make the table: empty, but for what vif_resume() finds. Before all else. host is copied.
 * Returns 0, -EINVAL for a pool whose buffers are too small, or -EPROTO: what is kept of static grants is
 * damaged, and nobody can tell which pages of guests are mapped.
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

/* dom0's policies have changed: read those of all vifs again. */
void vif_policies_changed(void);

/* A link has come up or gone down, or is known now: ask host->carrier() for all vifs. */
void vif_carriers_changed(void);

/* One budget (PORT_BURST frames) for every active vif. Returns the number of frames. */
unsigned int vif_receive_all(void);

/* Move what is queued towards guests, as far as they gave room. */
void vif_flush_all(void);

/*
 * Ask all active vifs' guests for events, look once more. True: there is work, do not sleep. due_ns_r: look again
 * then, as of clock_last(), without an event; UINT64_MAX: no need to.
 */
bool vif_arm_all(uint64_t *due_ns_r);

/* Vifs known, and connected ones. */
unsigned int vif_nr(void);
unsigned int vif_nr_connected(void);

/* Frames and mbufs that wait for guests now. */
unsigned int vif_nr_queued_mbufs(void);

/* The port of a known vif, index 0 to VIF_MAX - 1; NULL for a free place. For statistics. */
const struct port *vif_port(unsigned int index);

/* What is known of a vif besides, in the same places. Returns whether there is one. */
struct vif_info {
    const struct port *port;
    domid_t guest;
    uint16_t handle;
    bool connected;
    uint16_t nr_queues;
    uint32_t nr_waiting; /* frames that wait for room in the guest */
    uint64_t nr_bad; /* packets answered with an error, and copies that Xen refused */
    uint64_t nr_filtered; /* multicast frames that it did not want */
    uint64_t nr_copies; /* grant copies from and to it */
    uint64_t nr_notified, nr_events; /* events sent to it, and by it but for the control ring */
};
bool vif_info(unsigned int index, struct vif_info *info_r);

/* One of the nr_queues of the vif in that place. The counters are of all frontends that it had. */
struct vif_queue_stats {
    uint64_t rx_frames, rx_bytes; /* from the guest */
    uint64_t tx_frames, tx_bytes;
    uint64_t nr_copies; /* grant copies from and to the guest */
    uint64_t nr_notified, nr_events; /* events sent to it, and by it */
    uint64_t rx_bad; /* packets answered with an error, and copies that Xen refused */
    uint64_t
        tx_drops; /* of frames that it could have taken, for this queue: no room, or not copied */
};
struct vif_queue_info {
    uint32_t nr_waiting;
    struct vif_queue_stats stats;
};
void vif_queue_info(unsigned int index, unsigned int queue, struct vif_queue_info *info_r);

#endif
