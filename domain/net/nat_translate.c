/* SPDX-License-Identifier: BSD-2-Clause */
#include <netinet/in.h>
#include <string.h>

#include <rte_ip.h>

#include "net/checksum.h"
#include "net/frame.h"
#include "net/nat_flow.h"
#include "net/nat_icmp.h"
#include "net/nat_internal.h"
#include "net/nat_mapping.h"
#include "net/nat_rewrite.h"

static bool is_translatable(const struct nat_packet *p)
{
    return !p->is_v6 && (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP ||
                         p->protocol == IPPROTO_ICMP);
}

static bool has_ports(const struct nat_packet *p)
{
    return p->protocol != IPPROTO_ICMP;
}

static void frame_rewrite(struct nat_transit *t, bool is_source,
                          const struct nat_endpoint *endpoint)
{
    struct nat_bytes bytes = { .ip = frame_l3_at(t->frame),
                               .have = t->frame->data_len - t->frame->l2_len,
                               .is_unfinished = checksum_is_unfinished(t->frame),
                               .is_later = t->packet.kind == NAT_KIND_LATER };

    nat_rewrite(&bytes, is_source, endpoint);
}

/*
 * What may be cut on its way, or was, has an id that no other guest's packet has: RFC 6864, 5.3.1. All
 * fragments of a packet have the same, that of its note.
 */
static void id_renew(struct nat_transit *t, const struct nat_note *note)
{
    uint8_t *ip = frame_l3_at(t->frame);

    if (note)
        nat_rewrite_id(ip, note->id);
    else if (!(ip[6] & RTE_IPV4_HDR_DF_FLAG >> 8))
        nat_rewrite_id(ip, nat_fragment_id());
}

static int later_translate(struct nat_transit *t, uint8_t *guest_r)
{
    bool is_out = t->path == NAT_PATH_OUT;
    struct nat_note *note = NULL;
    int verdict = nat_later_find(t, &note);

    if (verdict != NAT_OK)
        return verdict;
    if (is_out)
        id_renew(t, note);
    frame_rewrite(t, is_out, &(struct nat_endpoint){ .address = note->address });
    *guest_r = note->guest;
    return NAT_OK;
}

/* Note the first fragment of a packet that has more. */
static struct nat_note *first_note(struct nat_transit *t, const struct nat_flow *flow,
                                   rte_be32_t address)
{
    struct nat_note *note;

    if (!t->packet.more_fragments)
        return NULL;
    note = nat_first_note(t, flow->key.guest);
    note->address = address;
    return note;
}

static int open_out(const struct nat_transit *t, const struct nat_key *key, rte_be32_t address,
                    struct nat_flow **flow_r)
{
    struct nat_guest *guest = &nat.guests[key->guest];
    struct nat_inside inside = { .address = key->inside.words[0],
                                 .port = key->inside_port,
                                 .protocol = key->protocol,
                                 .outside = key->outside };
    const struct nat_forward *forward =
        guest->address == inside.address ? nat_mapping_forward_to(&inside) : NULL;
    struct nat_flow_plan plan = { .key = *key,
                                  .outside_address = address,
                                  .forwarded_port = forward ? forward->outside_port : 0,
                                  .state = nat_state_first(&t->packet, true) };

    if (plan.state == NAT_STATE_NONE)
        return -NAT_NO_FLOW;
    if (has_ports(&t->packet) && t->packet.src_port == 0)
        return -NAT_BAD;
    /* With another port than before a connection cannot go on. */
    plan.is_own_port_only = nat_state_phase(plan.state) == NAT_PICKED;
    *flow_r = nat_flow_open(&plan, t->now);
    if (!*flow_r)
        return -NAT_NO_PORT;
    guest->stats.opened++;
    return NAT_OK;
}

static int flow_out(struct nat_transit *t, rte_be32_t address)
{
    struct nat_key key = nat_key_of(&t->packet, t->owner, nat.guests[t->owner].outside, true);
    struct nat_flow *flow;
    int error = nat_first_check(t);

    if (error)
        return error;
    flow = nat_flow_find(&key, t->now);
    if (flow)
        nat_flow_see(flow, &t->packet, true, t->now);
    else
        error = open_out(t, &key, address, &flow);
    if (error)
        return error;
    id_renew(t, first_note(t, flow, address));
    frame_rewrite(t, true, &(struct nat_endpoint){ address, flow->outside_port });
    return NAT_OK;
}

/* Is there anybody at this port of the outside's own address? */
static bool is_somebody(const struct nat_packet *p, uint8_t outside)
{
    return has_ports(p) && (nat_mapping_forward_from(outside, p->protocol, p->dst_port) ||
                            nat_mapping_is_port(outside, p->protocol, p->dst_port));
}

static int source_translate(struct nat_transit *t, rte_be32_t address)
{
    const struct nat_packet *p = &t->packet;
    uint8_t outside = nat.guests[t->owner].outside, guest;
    bool is_turning = p->dst.words[0] == address;

    if (!is_translatable(p))
        return is_turning ? NAT_LOCAL : -NAT_PROTOCOL;
    switch (p->kind) {
    case NAT_KIND_LATER:
        return later_translate(t, &guest);
    case NAT_KIND_ERROR:
        return nat_icmp_out(t->frame, t->owner, outside, address, t->now);
    case NAT_KIND_FLOW:
        return is_turning && !is_somebody(p, outside) ? NAT_LOCAL : flow_out(t, address);
    default:
        return is_turning ? NAT_LOCAL : -NAT_PROTOCOL;
    }
}

/* Hairpinning, RFC 4787 REQ-9: the frame, which has its source outside now, comes in again at once. */
static int turn(uint8_t outside, struct nat_transit *t, uint8_t *guest_r)
{
    int verdict = nat_translate_in(outside, t->frame, t->now, guest_r);

    return verdict == NAT_OK ? NAT_TURNED : verdict == NAT_LOCAL ? -NAT_NO_FLOW : verdict;
}

int nat_translate_out(uint8_t guest, struct rte_mbuf *frame, uint64_t now, uint8_t *guest_r)
{
    struct nat_transit t = { .frame = frame, .path = NAT_PATH_OUT, .owner = guest, .now = now };
    uint8_t outside = nat.guests[guest].outside;
    rte_be32_t address = outside == NAT_NO_OUTSIDE ? 0 : nat.outsides[outside].address;
    int verdict;

    if (address == 0)
        return -NAT_NO_ADDRESS;
    verdict = nat_packet_read(frame, &t.packet);
    if (verdict == 0)
        verdict = source_translate(&t, address);
    if (verdict == NAT_OK && t.packet.dst.words[0] == address)
        verdict = turn(outside, &t, guest_r);
    return verdict;
}

static uint8_t guest_at(uint8_t outside, rte_be32_t address)
{
    for (uint8_t i = 0; i < NAT_GUESTS; i++) {
        const struct nat_guest *guest = &nat.guests[i];

        if (guest->is_there && guest->outside == outside && guest->address == address)
            return i;
    }
    return NAT_NO_GUEST;
}

/* By a port forward, or not at all. */
static int open_in(const struct nat_transit *t, struct nat_flow **flow_r)
{
    const struct nat_packet *p = &t->packet;
    const struct nat_forward *forward =
        has_ports(p) ? nat_mapping_forward_from(t->owner, p->protocol, p->dst_port) : NULL;
    uint8_t guest = forward ? guest_at(t->owner, forward->address) : NAT_NO_GUEST;
    struct nat_flow_plan plan = { .key = nat_key_of(p, guest, t->owner, false),
                                  .outside_address = nat.outsides[t->owner].address,
                                  .state = nat_state_first(p, false) };

    if (guest == NAT_NO_GUEST)
        return NAT_LOCAL;
    if (plan.state == NAT_STATE_NONE)
        return -NAT_NO_FLOW;
    if (p->src_port == 0)
        return -NAT_BAD;
    plan.key.inside = nat_address_v4(forward->address);
    plan.key.inside_port = forward->port;
    plan.forwarded_port = forward->outside_port;
    /* The guest and its peer may be connected already by way of another port. */
    *flow_r = nat_flow_find(&plan.key, t->now) ? NULL : nat_flow_open(&plan, t->now);
    if (!*flow_r)
        return -NAT_NO_PORT;
    nat.guests[guest].stats.opened++;
    return NAT_OK;
}

static int flow_in(struct nat_transit *t, uint8_t *guest_r)
{
    struct nat_flow *flow = nat_flow_find_outside(&t->packet, t->owner, false, t->now);
    int error = nat_first_check(t);

    if (error)
        return error;
    if (flow)
        nat_flow_see(flow, &t->packet, false, t->now);
    else
        error = open_in(t, &flow);
    if (error)
        return error;
    first_note(t, flow, flow->key.inside.words[0]);
    frame_rewrite(t, false,
                  &(struct nat_endpoint){ flow->key.inside.words[0], flow->key.inside_port });
    *guest_r = flow->key.guest;
    return NAT_OK;
}

static int error_in(struct nat_transit *t, uint8_t *guest_r)
{
    int error = nat_icmp_in(t->frame, t->owner, nat.outsides[t->owner].address, t->now, guest_r);

    return error == -NAT_NO_FLOW ? NAT_LOCAL : error;
}

int nat_translate_in(uint8_t outside, struct rte_mbuf *frame, uint64_t now, uint8_t *guest_r)
{
    struct nat_transit t = { .frame = frame, .path = NAT_PATH_IN, .owner = outside, .now = now };
    rte_be32_t address = nat.outsides[outside].address;
    int error = nat_packet_read(frame, &t.packet);

    if (error)
        return error;
    if (address == 0 || t.packet.dst.words[0] != address || !is_translatable(&t.packet))
        return NAT_LOCAL;
    switch (t.packet.kind) {
    case NAT_KIND_LATER:
        return later_translate(&t, guest_r);
    case NAT_KIND_ERROR:
        return error_in(&t, guest_r);
    case NAT_KIND_FLOW:
        return flow_in(&t, guest_r);
    default:
        return NAT_LOCAL;
    }
}
