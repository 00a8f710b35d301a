/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/tx_parse.h"

#define SLOT_PAGE 4096u /* a slot's page, whatever the page size of the guest */

/* The one read of a slot. */
static struct netif_tx_request slot_take(const struct tx_view *view, uint32_t index)
{
    struct netif_tx_request req;

    req = *(const volatile struct netif_tx_request *)&view
               ->ring[(view->cons + index) & (view->nr_ents - 1)]
               .req;
    return req;
}

static void blame(struct tx_packet *packet, const char *why)
{
    if (!packet->why)
        packet->why = why;
}

static void multicast_take(struct tx_packet *packet, const struct netif_extra_info *extra)
{
    if (packet->multicast)
        blame(packet, "two multicast extra infos");
    packet->multicast =
        extra->type == XEN_NETIF_EXTRA_TYPE_MCAST_ADD ? TX_MULTICAST_ADD : TX_MULTICAST_DELETE;
    memcpy(&packet->address, extra->u.mcast.addr, sizeof(packet->address));
}

static void gso_take(struct tx_packet *packet, const struct netif_extra_info *extra)
{
    if (packet->gso_size)
        blame(packet, "two GSO extra infos");
    else if (extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 &&
             extra->u.gso.type != XEN_NETIF_GSO_TYPE_TCPV6)
        blame(packet, "GSO of a type that was not offered");
    else if (extra->u.gso.size == 0)
        blame(packet, "GSO size 0");
    else {
        packet->gso_size = extra->u.gso.size;
        packet->gso_v6 = extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6;
    }
}

static void extra_add(struct tx_packet *packet, const struct netif_extra_info *extra)
{
    switch (extra->type) {
    case XEN_NETIF_EXTRA_TYPE_GSO:
        gso_take(packet, extra);
        break;
    case XEN_NETIF_EXTRA_TYPE_MCAST_ADD:
    case XEN_NETIF_EXTRA_TYPE_MCAST_DEL:
        multicast_take(packet, extra);
        break;
    case XEN_NETIF_EXTRA_TYPE_HASH: /* nothing here needs the guest's own */
        break;
    default:
        blame(packet, "extra info of a type that was not offered");
        break;
    }
}

/* Walk the extra-info slots that follow slot 0. Returns the next index, or 0 if they go on. */
static uint32_t extras_walk(const struct tx_view *view, struct tx_packet *packet,
                            struct tx_answer *answers)
{
    struct netif_extra_info extra;
    uint32_t index = 1;

    do {
        struct netif_tx_request req;

        if (index == view->nr)
            return 0;
        req = slot_take(view, index);
        memcpy(&extra, &req, sizeof(extra));
        answers[index] = (struct tx_answer){ .extra = true };
        index++;
        extra_add(packet, &extra);
    } while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
    return index;
}

static void slot_add(struct tx_packet *packet, const struct netif_tx_request *req)
{
    if (packet->nr_slots == TX_SLOTS_MAX) {
        blame(packet, "more than 20 slots");
        return;
    }
    if ((uint32_t)req->offset + req->size > SLOT_PAGE)
        blame(packet, "slot crosses a page");
    packet->slots[packet->nr_slots++] =
        (struct tx_slot){ .gref = req->gref, .offset = req->offset, .size = req->size };
}

/* The first slot's size field is the packet's: its own share is what the others leave. */
static void first_settle(struct tx_packet *packet, const struct netif_tx_request *first,
                         uint32_t rest)
{
    packet->len = first->size;
    if (rest > first->size) {
        blame(packet, "slots larger than the packet");
        return;
    }
    packet->slots[0].size = (uint16_t)(first->size - rest);
    if ((uint32_t)first->offset + packet->slots[0].size > SLOT_PAGE)
        blame(packet, "slot crosses a page");
    if (packet->len < RTE_ETHER_HDR_LEN)
        blame(packet, "shorter than an Ethernet header");
}

/* A dummy request: no slot of it is looked at, but there must be one only. */
static enum tx_verdict multicast_settle(struct tx_packet *packet)
{
    if (packet->nr_slots > 1 || packet->gso_size)
        blame(packet, "multicast control with data");
    return packet->why ? TX_BAD : TX_MULTICAST;
}

enum tx_verdict tx_parse(const struct tx_view *view, struct tx_packet *packet,
                         struct tx_answer *answers)
{
    struct netif_tx_request first = slot_take(view, 0), req = first;
    uint32_t index = 1, rest = 0;

    packet->nr_slots = 1;
    packet->gso_size = 0;
    packet->gso_v6 = false;
    packet->why = NULL;
    packet->multicast = TX_MULTICAST_NONE;
    packet->csum_blank = first.flags & NETTXF_csum_blank;
    packet->data_validated = first.flags & NETTXF_data_validated;
    packet->slots[0] = (struct tx_slot){ .gref = first.gref, .offset = first.offset };
    answers[0] = (struct tx_answer){ .id = first.id };

    if (first.flags & NETTXF_extra_info) {
        index = extras_walk(view, packet, answers);
        if (index == 0)
            return TX_UNFINISHED;
    }
    while (req.flags & NETTXF_more_data) {
        if (index == view->nr)
            return TX_UNFINISHED;
        req = slot_take(view, index);
        answers[index++] = (struct tx_answer){ .id = req.id };
        slot_add(packet, &req);
        rest += req.size;
    }
    packet->nr_ring = (uint16_t)index;
    if (packet->multicast)
        return multicast_settle(packet);
    first_settle(packet, &first, rest);
    return packet->why ? TX_BAD : TX_FRAME;
}
