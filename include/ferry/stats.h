/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of the domain that dom0 maps read only: what went through each port, what was dropped and why, who is
 * where, and what the loop's time goes into.
 *
 * The domain writes them: dom0 takes every field for a hint, copies before it looks, and lets none of it harm
 * anybody but this domain. Their address is in the image (ferry/image.h). All numbers are little-endian.
 *
 * Writer: seq is odd while it writes; nr_turns and nr_sleeps alone change at any time. Reader: copy all, and take it only if seq was even before and is the
 * same after.
 */
#ifndef FERRY_STATS_H
#define FERRY_STATS_H

/* Of the pages, which hold one struct ferry_stats. */
#define FERRY_STATS_BYTES 49152
#define FERRY_STATS_BYTES_1 28672 /* of version 1 */
#define FERRY_STATS_BYTES_2 40960

#ifndef __ASSEMBLER__
#include <stdint.h>

#define FERRY_STATS_MAGIC 0x5441545359525246ull
/* Each begins as those before: version 1 ends before nr_queues, version 2 before queues_more. */
#define FERRY_STATS_VERSION 3

/* Written again at least this long after something changed. */
#define FERRY_STATS_INTERVAL_NS 250000000ull

#define FERRY_STATS_PORTS 80
#define FERRY_STATS_STATIONS 1024
#define FERRY_STATS_NAME_SIZE 16
#define FERRY_STATS_BUCKETS 24
#define FERRY_STATS_QUEUES 128

/* Why a frame did not go on. */
enum ferry_drop {
    FERRY_DROP_BAD, /* came in unusable: a guest's request that makes no sense, a wire's damaged frame */
    FERRY_DROP_FULL, /* could not leave: the receiver gives no room, frame too long, no memory */
    FERRY_DROP_VLAN, /* of a VLAN that the port is not in */
    FERRY_DROP_STORM, /* flooded, beyond storm= */
    FERRY_DROP_PINNED, /* from a station that belongs at another port */
    FERRY_DROP_ISOLATED, /* between two isolated ports */
    FERRY_DROP_POLICY_IN, /* came in, refused by the port's policy */
    FERRY_DROP_POLICY_OUT, /* was to leave, refused by the port's policy */
    FERRY_DROP_MULTICAST, /* was to leave for a guest that did not ask for the group */
    FERRY_DROPS
};

enum ferry_port_kind {
    FERRY_PORT_VIF = 1,
    FERRY_PORT_NIC,
};

/* flags of a port */
#define FERRY_PORT_UP 1u /* link, or carrier */
#define FERRY_PORT_CONNECTED 2u /* a vif whose frontend is */
#define FERRY_PORT_FULL 4u /* takes nothing more for now */
#define FERRY_PORT_ISOLATED 8u

struct ferry_stats_port {
    char name[FERRY_STATS_NAME_SIZE]; /* "vif3.0", "nic0" */
    char bridge[FERRY_STATS_NAME_SIZE]; /* "": in none */
    uint8_t mac[6];
    uint8_t kind; /* enum ferry_port_kind */
    uint8_t flags;
    uint16_t guest, handle; /* of a vif */
    uint16_t nr_queues;
    uint16_t mtu;
    uint32_t
        nr_waiting; /* frames that have no room in the guest yet, or in the NIC's transmit ring */
    uint32_t speed; /* of a NIC's link, Mb/s; 0: down, or not known, as to older kernels */
    /* "in" is what came in through the port: from the guest, from the wire. */
    uint64_t in_frames, in_bytes, out_frames, out_bytes;
    uint64_t drops[FERRY_DROPS];
};

/* Parts of a turn of the loop. */
enum ferry_stage {
    FERRY_STAGE_EVENTS, /* event channels and what they lead to: xenstore, vifs that come and go */
    FERRY_STAGE_GUESTS, /* frames taken from guests, and on their way */
    FERRY_STAGE_NICS, /* frames taken from NICs, and on their way */
    FERRY_STAGE_FLUSH, /* frames given to guests and NICs */
    FERRY_STAGE_REST, /* timers and the like */
    FERRY_STAGES
};

/*
 * One turn of FERRY_STATS_SAMPLE is timed, in nanoseconds; those that found no work are not. Bucket i counts
 * turns in which the stage took less than 256 << i ns, and not less than half of that; the last one has the
 * rest, the first one those below 256 ns.
 */
#define FERRY_STATS_SAMPLE 16
struct ferry_stats_stage {
    uint64_t nr, sum_ns;
    uint32_t buckets[FERRY_STATS_BUCKETS];
};

/* The same of what began in such a turn, however many turns it took. */
enum ferry_latency {
    FERRY_LATENCY_TAKEN, /* from when a guest's event was seen until frames of it were taken */
    FERRY_LATENCY_QUEUED, /* from when a frame was queued for a guest until it was in the guest */
    FERRY_LATENCIES
};

/* A station that a bridge has learnt or been told of. */
struct ferry_stats_station {
    uint8_t mac[6];
    uint16_t vid; /* 0: no VLAN */
    uint8_t port; /* place in ports[] */
    uint8_t is_pinned;
    uint16_t age_s; /* since it last sent; 65535: longer */
};

/* What there is besides of the port in the same place of ports[]. */
struct ferry_stats_more {
    /* of a vif */
    uint64_t nr_copies; /* grant copies from and to the guest */
    uint64_t nr_notifications; /* events sent to the guest */
    uint64_t nr_events; /* events from the guest, but those for the control ring */

    /* of a NIC: looked at every FERRY_STATS_ERRORS_NS, if FERRY_MORE_ERRORS is set in flags */
    uint64_t nr_missed; /* frames that came when the NIC had no room */
    uint64_t nr_no_buffers; /* packet buffers that the driver did not get */
    uint64_t nr_in_errors, nr_out_errors; /* as the hardware counts them */
    /* of a NIC: descriptors of its rings now, or FERRY_STATS_UNKNOWN */
    uint32_t in_filled, in_ring; /* with frames that were not taken yet; all */
    uint32_t out_used, out_ring; /* with frames that are not sent yet; all */
    uint32_t flags;
    uint32_t reserved;
};
#define FERRY_MORE_ERRORS 1u
#define FERRY_STATS_UNKNOWN UINT32_MAX
#define FERRY_STATS_ERRORS_NS 5000000000ull

/* A queue of a connected vif: counters go on over its frontends. */
struct ferry_stats_queue {
    uint8_t port; /* place in ports[] */
    uint8_t index; /* among the vif's queues */
    uint16_t reserved;
    uint32_t nr_waiting; /* frames that have no room in the guest yet */
    uint64_t in_frames, in_bytes, out_frames, out_bytes;
};

/*
 * What there is besides of the queue in the same place of queues[]; goes on over frontends, too. What all queues of
 * a vif ever had is the vif's copies and events; of events sent to it, those for its control ring are not theirs.
 */
#define FERRY_QUEUE_DROPS (FERRY_DROP_FULL + 1)
struct ferry_stats_queue_more {
    uint64_t nr_copies; /* grant copies from and to the guest */
    uint64_t nr_notifications; /* events sent to the guest */
    uint64_t nr_events; /* events from the guest */
    /*
     * [FERRY_DROP_BAD]: requests on this queue that were answered with an error. [FERRY_DROP_FULL]: frames that were
     * for this queue. They are among the port's; what the port drops for other reasons is of no queue, and so is
     * "full" of frames that are too long, or while the vif is not connected.
     */
    uint64_t drops[FERRY_QUEUE_DROPS];
};

/* Why a frame that came in through a port of a bridge went nowhere: most are counted for a port as well. */
enum ferry_bridge_drop {
    FERRY_BRIDGE_DROP_BAD, /* too short, or from nobody's address */
    FERRY_BRIDGE_DROP_FULL, /* no memory to change its tag */
    FERRY_BRIDGE_DROP_VLAN,
    FERRY_BRIDGE_DROP_STORM,
    FERRY_BRIDGE_DROP_PINNED,
    FERRY_BRIDGE_DROP_ISOLATED,
    FERRY_BRIDGE_DROP_POLICY_IN, /* of the port that it came in through */
    FERRY_BRIDGE_DROP_POLICY_OUT, /* of the one port that it was for */
    FERRY_BRIDGE_DROP_RESERVED, /* to 01:80:C2:00:00:0n: for the bridge alone */
    FERRY_BRIDGE_DROP_SAME_PORT, /* its station is where it came from */
    FERRY_BRIDGE_DROP_NOBODY, /* no other port may have it */
    FERRY_BRIDGE_DROPS
};

/* Each frame that comes in is counted once: forwarded, flooded, or dropped. One for several is one frame. */
struct ferry_stats_bridge {
    char name[FERRY_STATS_NAME_SIZE];
    uint32_t nr_ports, nr_stations; /* now */
    uint64_t nr_forwarded; /* to the one port of their station */
    uint64_t nr_flooded; /* to all others; each counts once */
    uint64_t drops[FERRY_BRIDGE_DROPS];
};
#define FERRY_STATS_BRIDGES 16

/* The bytes of the frames that are counted in the same place of bridges[], as long as they came in. */
struct ferry_stats_bridge_bytes {
    uint64_t forwarded, flooded;
    uint64_t drops[FERRY_BRIDGE_DROPS];
};

struct ferry_stats {
    uint64_t magic;
    uint32_t version;
    uint32_t size; /* of all of it, bytes */
    uint32_t seq;
    uint32_t generation; /* as in ferry/status.h */
    uint64_t began_ns, written_ns; /* Xen's system time: counters began at 0; this was written */
    uint64_t nr_turns, nr_sleeps; /* of the loop */
    uint64_t nr_copies, nr_copy_calls; /* grant copies, and hypercalls that did them */
    uint64_t nr_notifications; /* events sent to guests */
    uint32_t nr_mbufs, nr_mbufs_free;
    uint32_t nr_ports, nr_stations;
    uint32_t nr_stations_known; /* also those that have no room here */
    uint32_t capture; /* where the pages of ferry/capture.h are, virtual; 0: there are none */
    struct ferry_stats_stage stages[FERRY_STAGES];
    struct ferry_stats_port ports[FERRY_STATS_PORTS];
    struct ferry_stats_station stations[FERRY_STATS_STATIONS];

    /* Since version 2. */
    uint32_t nr_queues, nr_bridges;
    struct ferry_stats_more more[FERRY_STATS_PORTS];
    struct ferry_stats_queue queues[FERRY_STATS_QUEUES];
    struct ferry_stats_bridge bridges[FERRY_STATS_BRIDGES];
    struct ferry_stats_stage latencies[FERRY_LATENCIES];

    /* Since version 3. */
    struct ferry_stats_queue_more queues_more[FERRY_STATS_QUEUES];
    struct ferry_stats_bridge_bytes bridges_bytes[FERRY_STATS_BRIDGES];
};

/* Of versions 1 and 2, bytes. */
#define FERRY_STATS_SIZE_1 __builtin_offsetof(struct ferry_stats, nr_queues)
#define FERRY_STATS_SIZE_2 __builtin_offsetof(struct ferry_stats, queues_more)

_Static_assert(sizeof(struct ferry_stats) <= FERRY_STATS_BYTES, "it has room");
#endif

#endif
