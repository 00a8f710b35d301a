/* SPDX-License-Identifier: BSD-2-Clause */
/* The way of a frame through its bridge: in by which VLAN, to which ports, in which form. */
#include <string.h>

#include <rte_prefetch.h>

#include <ferry/vlan.h>

#include "net/bridge_internal.h"
#include "net/egress.h"
#include "net/fdb.h"
#include "net/filter.h"
#include "net/tag.h"

#define NS_PER_SECOND 1000000000u
#define STORM_BURST_PART 4 /* of a second */

/* A frame on its way. */
struct passage {
    struct port *from;
    struct bridge *bridge; /* of from */
    struct rte_mbuf *frame;
    uint32_t len; /* as it came in */
    bool has_tag;
    bool has_second_tag; /* behind that one */
    uint16_t tag_vid; /* 0: no tag, or one with a priority alone */
    uint16_t vid; /* the VLAN that it is in */
    uint64_t now;
};

/* Addresses and EtherType with the TCI of a tag, or with what is there without one. */
#define HEAD_LEN 16

/* What became of a frame, kept for those right behind it that begin alike. */
struct verdict {
    struct port
        *straight; /* out of this port as they are, nothing else being of interest; or NULL */
    uint8_t head[HEAD_LEN];
    uint8_t addresses[2 * RTE_ETHER_ADDR_LEN]; /* destination and source */
    uint16_t vid;
    struct port *to; /* NULL: flood */
};

/* How a frame leaves through a port. */
enum form {
    FORM_AS_IT_IS,
    FORM_TAGGED, /* with a tag that is not there yet, or has another VID */
    FORM_UNTAGGED, /* without the one that is there */
    FORM_NR,
    FORM_NONE /* not at all: the port does not carry its VLAN */
};

/* The frame is not to go on. counter: of a port; NULL: none counts it. */
static void drop(const struct passage *p, enum ferry_bridge_drop why, uint64_t *counter)
{
    p->bridge->stats.drops[why]++;
    p->bridge->stats.drop_bytes[why] += p->len;
    if (counter)
        (*counter)++;
    rte_pktmbuf_free(p->frame);
}

/*
 * Frames of VLAN 0 on ports without VLANs may have a priority; else they have no tag. A second tag that would come
 * to light behind a port of several VLANs would be taken there for the frame's: such a frame does not leave.
 */
static enum form form_for(const struct port *port, const struct passage *p)
{
    if (port->vlans) {
        if (!vlan_set_has(port->vlans, p->vid))
            return FORM_NONE;
        if (p->vid == 0 || vlan_set_is_untagged(port->vlans, p->vid))
            return !p->has_tag                                    ? FORM_AS_IT_IS
                   : p->has_second_tag && !port->vlans->is_access ? FORM_NONE
                                                                  : FORM_UNTAGGED;
    }
    return p->tag_vid == p->vid ? FORM_AS_IT_IS : FORM_TAGGED;
}

/* Bring a frame, which passes in, into a form. NULL: no memory, and it is gone. */
static struct rte_mbuf *form_make(struct rte_mbuf *frame, enum form form, const struct passage *p)
{
    struct rte_mbuf *own;

    if (form == FORM_AS_IT_IS)
        return frame;
    own = egress_own(frame, 0);
    if (!own)
        rte_pktmbuf_free(frame);
    else if (form == FORM_UNTAGGED)
        tag_pop(own);
    else if (p->has_tag)
        tag_vid_set(own, p->vid);
    else
        tag_push(own, p->vid);
    return own;
}

static bool is_let_through(struct port *port, struct rte_mbuf *frame, uint64_t now)
{
    if (!port->filter || filter_to_port(port->filter, frame, FILTER_NEW, now) == 0)
        return true;
    port->stats.tx_drops_policy++;
    return false;
}

/*
 * Give a frame to several ports (bits of targets), the last of which gets it for its own. Sending may take ports
 * out of the bridge, one that is still to come or the one held back.
 */
static void share(struct passage *p, struct rte_mbuf *frame, uint64_t targets)
{
    struct port *held = NULL;

    for (; targets; targets &= targets - 1) {
        struct port *port = p->bridge->ports[__builtin_ctzll(targets)];

        if (!port || !is_let_through(port, frame, p->now))
            continue;
        if (held) {
            rte_pktmbuf_refcnt_update(frame, 1);
            egress_put(held, frame);
        }
        held = port;
    }
    if (held)
        egress_put(held, frame);
    else
        rte_pktmbuf_free(frame);
}

static void count_no_memory(const struct bridge *bridge, uint64_t targets)
{
    for (; targets; targets &= targets - 1) {
        struct port *port = bridge->ports[__builtin_ctzll(targets)];

        if (port)
            port->stats.tx_drops++;
    }
}

/* Which ports a flooded frame leaves through, by form: bits of targets. */
static void targets_find(const struct passage *p, uint64_t targets[FORM_NR])
{
    uint64_t left = p->bridge->present & ~(1ull << p->from->bridge_index);

    for (; left; left &= left - 1) {
        unsigned int i = (unsigned int)__builtin_ctzll(left);
        const struct port *port = p->bridge->ports[i];
        enum form form = form_for(port, p);

        if (form != FORM_NONE && !(p->from->isolated && port->isolated))
            targets[form] |= 1ull << i;
    }
}

/* The frame itself goes out last, as it is if any port takes it so: until then the other forms are made of it. */
static void flood(struct passage *p)
{
    static const enum form order[FORM_NR] = { FORM_TAGGED, FORM_UNTAGGED, FORM_AS_IT_IS };
    uint64_t targets[FORM_NR] = { 0 };
    struct rte_mbuf *forms[FORM_NR] = { NULL };
    bool is_given = false;

    targets_find(p, targets);
    for (unsigned int i = FORM_NR; i-- > 0;) {
        if (!targets[order[i]])
            continue;
        if (is_given)
            rte_pktmbuf_refcnt_update(p->frame, 1);
        is_given = true;
        forms[order[i]] = p->frame;
    }
    if (!is_given) {
        drop(p, FERRY_BRIDGE_DROP_NOBODY, NULL);
        return;
    }
    p->bridge->stats.nr_flooded++;
    p->bridge->stats.flooded_bytes += p->len;
    for (unsigned int i = 0; i < FORM_NR; i++) {
        enum form form = order[i];

        if (!forms[form])
            continue;
        forms[form] = form_make(forms[form], form, p);
        if (forms[form])
            share(p, forms[form], targets[form]);
        else
            count_no_memory(p->bridge, targets[form]);
    }
}

static void flood_if_allowed(struct passage *p)
{
    uint32_t limit = p->from->storm_limit;
    struct rate *storm = &p->bridge->storms[p->from->bridge_index];

    if (limit > 0 &&
        !rate_take(storm, NS_PER_SECOND / limit, RTE_MAX(limit / STORM_BURST_PART, 1u), p->now))
        drop(p, FERRY_BRIDGE_DROP_STORM, &p->from->stats.rx_drops_storm);
    else
        flood(p);
}

static void forward(struct passage *p, struct port *to)
{
    enum form form = form_for(to, p);
    struct rte_mbuf *frame;

    if (form == FORM_NONE) {
        drop(p, FERRY_BRIDGE_DROP_VLAN, &p->from->stats.rx_drops_vlan);
    } else if (p->from->isolated && to->isolated) {
        drop(p, FERRY_BRIDGE_DROP_ISOLATED, &p->from->stats.rx_drops_isolated);
    } else if (!is_let_through(to, p->frame, p->now)) {
        drop(p, FERRY_BRIDGE_DROP_POLICY_OUT, NULL);
    } else {
        frame = form_make(p->frame, form, p);
        if (frame) {
            p->bridge->stats.nr_forwarded++;
            p->bridge->stats.forwarded_bytes += p->len;
            egress_put(to, frame);
        } else {
            p->bridge->stats.drops[FERRY_BRIDGE_DROP_FULL]++;
            p->bridge->stats.drop_bytes[FERRY_BRIDGE_DROP_FULL] += p->len;
            to->stats.tx_drops++;
        }
    }
}

/* 01:80:C2:00:00:00 to 0F, but those that go on. */
static bool is_for_the_bridge(const struct bridge *bridge, const struct rte_ether_addr *mac)
{
    static const uint8_t prefix[] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };
    uint8_t last = mac->addr_bytes[5];

    return last <= 0x0f && memcmp(mac->addr_bytes, prefix, sizeof(prefix)) == 0 &&
           !(bridge->group_fwd_mask >> last & 1);
}

/* The VLAN of a frame that comes in; VLAN_NONE: the port does not carry it. */
static uint16_t vlan_of(const struct passage *p)
{
    const struct vlan_set *vlans = p->from->vlans;

    if (!vlans)
        return p->tag_vid;
    if (p->tag_vid == 0)
        return vlans->pvid;
    return vlan_set_has(vlans, p->tag_vid) && !vlans->is_access ? p->tag_vid : VLAN_NONE;
}

/* Look at a frame's tag. False: the frame is no frame, or nobody's. */
static bool headers_read(struct passage *p)
{
    const struct rte_mbuf *frame = p->frame;
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(frame, const struct rte_ether_hdr *);

    if (frame->data_len < RTE_ETHER_HDR_LEN || !rte_is_valid_assigned_ether_addr(&ether->src_addr))
        return false;
    p->has_tag = tag_is_there(frame);
    if (p->has_tag && !tag_is_beside(frame) && frame->data_len < RTE_ETHER_HDR_LEN + TAG_LEN)
        return false;
    p->tag_vid = p->has_tag ? tag_vid(frame) : 0;
    p->has_second_tag = p->has_tag && tag_has_second(frame);
    return true;
}

/* May a frame come in? If not it is freed. Its VLAN is known then. */
static bool admit(struct passage *p)
{
    struct port *port = p->from;
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(p->frame, const struct rte_ether_hdr *);

    if (!p->bridge) {
        port->stats.rx_errors++;
        rte_pktmbuf_free(p->frame);
        return false;
    }
    if (!headers_read(p)) {
        drop(p, FERRY_BRIDGE_DROP_BAD, &port->stats.rx_errors);
        return false;
    }
    p->vid = vlan_of(p);
    if (p->vid == VLAN_NONE)
        drop(p, FERRY_BRIDGE_DROP_VLAN, &port->stats.rx_drops_vlan);
    else if (is_for_the_bridge(p->bridge, &ether->dst_addr))
        drop(p, FERRY_BRIDGE_DROP_RESERVED, NULL);
    else if (port->filter && filter_from_port(port->filter, p->frame, FILTER_NEW, p->now) != 0)
        drop(p, FERRY_BRIDGE_DROP_POLICY_IN, &port->stats.rx_drops_policy);
    else
        return true;
    return false;
}

/* Learn where a frame came from and find out where it goes. False: it does not come from there. */
static bool decide(const struct passage *p, struct verdict *verdict)
{
    const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(p->frame, const struct rte_ether_hdr *);
    uint16_t domain = FDB_DOMAIN(p->bridge->index, p->vid), owner = FDB_NONE;

    if (!fdb_learn(bridge_owner(p->from), domain, &ether->src_addr, p->now))
        return false;
    if (rte_is_unicast_ether_addr(&ether->dst_addr))
        owner = fdb_lookup(domain, &ether->dst_addr, p->now);
    memcpy(verdict->addresses, ether, sizeof(verdict->addresses));
    verdict->vid = p->vid;
    verdict->to = owner == FDB_NONE ? NULL : bridge_owner_port(p->bridge, owner);
    return true;
}

/* Still right for a frame? Not if its port was unplugged in between. */
static bool verdict_holds(const struct verdict *verdict, const struct passage *p)
{
    return memcmp(verdict->addresses, rte_pktmbuf_mtod(p->frame, const void *),
                  sizeof(verdict->addresses)) == 0 &&
           verdict->vid == p->vid && (!verdict->to || verdict->to->bridge == p->bridge);
}

/* Do frames like this one and the one before, to the same known port, all go straight there? */
static void straight_set(struct verdict *verdict, const struct passage *p)
{
    struct port *to = verdict->to;

    if (p->frame->data_len < HEAD_LEN || p->from->filter || to->filter ||
        (p->from->isolated && to->isolated) || tag_is_beside(p->frame) ||
        form_for(to, p) != FORM_AS_IT_IS)
        return;
    memcpy(verdict->head, rte_pktmbuf_mtod(p->frame, const void *), HEAD_LEN);
    verdict->straight = to;
}

static bool goes_straight(const struct verdict *verdict, const struct port *from,
                          const struct rte_mbuf *frame)
{
    return verdict->straight && frame->data_len >= HEAD_LEN && !tag_is_beside(frame) &&
           memcmp(verdict->head, rte_pktmbuf_mtod(frame, const void *), HEAD_LEN) == 0 &&
           from->bridge && verdict->straight->bridge == from->bridge;
}

static void input_one(struct passage *p, struct verdict *verdict)
{
    bool holds;

    verdict->straight = NULL;
    if (!admit(p))
        return;
    holds = verdict_holds(verdict, p);
    if (!holds && !decide(p, verdict)) {
        drop(p, FERRY_BRIDGE_DROP_PINNED, &p->from->stats.rx_drops_pinned);
    } else if (!verdict->to) {
        flood_if_allowed(p);
    } else if (verdict->to == p->from) {
        drop(p, FERRY_BRIDGE_DROP_SAME_PORT, NULL);
    } else {
        if (holds)
            straight_set(verdict, p);
        forward(p, verdict->to);
    }
}

void bridge_input(struct port *port, struct rte_mbuf **frames, uint16_t nr, uint64_t now)
{
    struct verdict verdict = { 0 }; /* holds for no valid frame: nobody's address is 0 */
    struct bridge *bridge = port->bridge; /* lives for ever, though the port may leave it */
    uint64_t straight_bytes = 0;
    uint16_t nr_straight = 0;

    for (uint16_t i = 0; i < nr; i++)
        rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
    for (uint16_t i = 0; i < nr; i++) {
        if (goes_straight(&verdict, port, frames[i])) {
            nr_straight++;
            straight_bytes += frames[i]->pkt_len;
            egress_put(verdict.straight, frames[i]);
        } else {
            struct passage p = { .from = port,
                                 .bridge = port->bridge,
                                 .frame = frames[i],
                                 .len = frames[i]->pkt_len,
                                 .now = now };

            input_one(&p, &verdict);
        }
    }
    if (!bridge)
        return;
    bridge->stats.nr_forwarded += nr_straight;
    bridge->stats.forwarded_bytes += straight_bytes;
}
