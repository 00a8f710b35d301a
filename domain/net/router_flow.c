/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/router_internal.h"

#include <rte_ip.h>

#include "net/filter.h"
#include "net/frame.h"
#include "net/nat.h"

_Static_assert(ROUTER_VIFS_MAX == NAT_GUESTS && ROUTER_MAX == NAT_OUTSIDES,
               "a vif's index is a guest's number, a router's that of an outside");

/* A frame, and the fragments that waited for it. */
static void collect(struct batch *batch, struct rte_mbuf *frame)
{
    batch->nr = 0;
    while (frame) {
        batch->frames[batch->nr++] = frame;
        frame = batch->nr < ROUTER_BATCH ? nat_released() : NULL;
    }
}

static int ask(struct router_vif *vif, struct rte_mbuf *frame, bool from_guest,
               enum filter_state state)
{
    struct filter *filter = vif->port->filter;

    return from_guest ? filter_from_port(filter, frame, state, router_host.now)
                      : filter_to_port(filter, frame, state, router_host.now);
}

/* Of frames of a flow that is known those stay that pass. */
static void filter_known(struct router_vif *vif, struct router_stats *stats, bool from_guest,
                         struct batch *batch)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < batch->nr; i++)
        if (ask(vif, batch->frames[i], from_guest, FILTER_ESTABLISHED) == 0)
            batch->frames[nr++] = batch->frames[i];
        else
            router_drop(batch->frames[i], &stats->filtered);
    batch->nr = nr;
}

/* The first frame of a flow; opens: the flow is known from then on. */
static void filter_new(struct router_vif *vif, const struct packet *packet, bool from_guest,
                       bool opens, struct batch *batch)
{
    struct router_stats *stats = &packet->router->stats;

    batch->nr = 0;
    if (ask(vif, packet->frame, from_guest, FILTER_NEW) != 0) {
        router_drop(packet->frame, &stats->filtered);
        return;
    }
    if (opens && nat_track_open(vif->index, packet->frame, from_guest, router_host.now) < 0) {
        router_drop(packet->frame, &stats->nat_drops);
        return;
    }
    collect(batch, packet->frame);
    filter_known(vif, stats, from_guest, batch);
}

static void filter(struct router_vif *vif, const struct packet *packet, bool from_guest, bool opens,
                   struct batch *batch)
{
    int track = nat_track(vif->index, packet->frame, from_guest, router_host.now);

    batch->nr = 0;
    if (track < 0) {
        router_drop(packet->frame, &packet->router->stats.nat_drops);
    } else if (track == NAT_TRACK_NEW) {
        filter_new(vif, packet, from_guest, opens, batch);
    } else if (track == NAT_TRACK_KNOWN) {
        collect(batch, packet->frame);
        filter_known(vif, &packet->router->stats, from_guest, batch);
    }
}

/* To the router itself, or to a group: no flow. */
static bool is_to_here(const struct packet *packet)
{
    const struct rte_ipv4_hdr *ip4 = frame_l3_at(packet->frame);
    const struct rte_ipv6_hdr *ip6 = frame_l3_at(packet->frame);
    struct address dst =
        frame_is_ipv4(packet->frame) ? address_of4(ip4->dst_addr) : address_of6(ip6->dst_addr);

    return router_is_local(packet->router, packet->vif, &dst) ||
           (frame_is_ipv4(packet->frame) && !ip4_is_host(ip4->dst_addr));
}

void router_filter_in(struct packet *packet, struct batch *batch_r)
{
    *batch_r = (struct batch){ .nr = 1, .frames = { packet->frame } };
    if (packet->vif && packet->vif->port->filter)
        filter(packet->vif, packet, true, !is_to_here(packet), batch_r);
}

void router_filter_out(struct router_vif *to, const struct packet *packet, struct batch *batch_r)
{
    *batch_r = (struct batch){ .nr = 1, .frames = { packet->frame } };
    if (to->port->filter)
        filter(to, packet, false, true, batch_r);
}

static void translated(struct packet *packet, enum nat_verdict verdict, struct batch *batch,
                       bool *is_local)
{
    batch->nr = 0;
    *is_local = verdict == NAT_LOCAL;
    if (verdict == NAT_OK || verdict == NAT_TURNED || verdict == NAT_LOCAL)
        collect(batch, packet->frame);
    else if (verdict == NAT_DROP)
        router_drop(packet->frame, &packet->router->stats.nat_drops);
}

void router_nat_out(struct packet *packet, struct batch *batch_r, uint8_t *guest_r,
                    bool *is_local_r)
{
    enum nat_verdict verdict;

    *guest_r = ROUTE_NONE;
    verdict = nat_out(packet->vif->index, packet->frame, router_host.now, guest_r);
    translated(packet, verdict, batch_r, is_local_r);
}

void router_nat_in(struct packet *packet, struct batch *batch_r, uint8_t *guest_r, bool *is_local_r)
{
    enum nat_verdict verdict;

    *guest_r = ROUTE_NONE;
    verdict = nat_in(packet->router->index, packet->frame, router_host.now, guest_r);
    translated(packet, verdict, batch_r, is_local_r);
}
