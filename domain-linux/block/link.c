/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "block/nodes.h"

#define PROTOCOL "x86_64-abi" /* xen/io/protocols.h */

struct offer {
    unsigned int order;
    uint32_t refs[1 << RING_ORDER_MAX];
    uint32_t port;
    const char *ref_name;
};

static int refs_read(struct xs_handle *xs, const char *front, struct offer *offer,
                     char why[LINK_WHY_SIZE])
{
    uint32_t order;
    int err = nodes_number(xs, front, "ring-page-order", RING_ORDER_MAX, &order);

    if (err == -ENOENT) {
        offer->order = 0;
        offer->ref_name = "ring-ref";
        err = nodes_number(xs, front, "ring-ref", UINT32_MAX, &offer->refs[0]);
        if (err != -ENOENT) {
            if (err)
                snprintf(why, LINK_WHY_SIZE, "its ring-ref is no number");
            return err;
        }
        order = 0;
    } else if (err) {
        snprintf(why, LINK_WHY_SIZE, "its ring-page-order is none of 0 to %d", RING_ORDER_MAX);
        return err;
    }
    offer->order = order;
    offer->ref_name = "ring-ref0";
    for (unsigned int i = 0; i < 1u << order; i++) {
        char name[24];

        snprintf(name, sizeof(name), "ring-ref%u", i);
        err = nodes_number(xs, front, name, UINT32_MAX, &offer->refs[i]);
        if (err) {
            snprintf(why, LINK_WHY_SIZE, "its %s is not there, or no number", name);
            return err;
        }
    }
    return 0;
}

static int offer_read(struct xs_handle *xs, const char *front, struct offer *offer,
                      char why[LINK_WHY_SIZE])
{
    char protocol[32] = PROTOCOL;
    uint32_t nr_queues = 1;
    int err = nodes_read(xs, front, "protocol", protocol, sizeof(protocol));

    if ((err && err != -ENOENT) || strcmp(protocol, PROTOCOL) != 0) {
        snprintf(why, LINK_WHY_SIZE, "its protocol '%.31s' is not %s", protocol, PROTOCOL);
        return -EPROTONOSUPPORT;
    }
    err = nodes_number(xs, front, "multi-queue-num-queues", 1, &nr_queues);
    if ((err && err != -ENOENT) || nr_queues != 1) {
        snprintf(why, LINK_WHY_SIZE, "it asks for several queues, which were not offered");
        return -EPROTONOSUPPORT;
    }
    err = nodes_number(xs, front, "event-channel", UINT32_MAX, &offer->port);
    if (err) {
        snprintf(why, LINK_WHY_SIZE, "its event-channel is not there, or no number");
        return err;
    }
    return refs_read(xs, front, offer, why);
}

int link_open(struct xs_handle *xs, xengnttab_handle *grants, xenevtchn_handle *events,
              uint32_t guest, const char *front, struct link *link_r, char why[LINK_WHY_SIZE])
{
    struct link link = { 0 };
    struct offer offer;
    int err = offer_read(xs, front, &offer, why), port;

    if (err)
        return err;
    link.order = offer.order;
    link.pages = xengnttab_map_domain_grant_refs(grants, 1u << offer.order, guest, offer.refs,
                                                 PROT_READ | PROT_WRITE);
    if (!link.pages) {
        err = -errno;
        snprintf(why, LINK_WHY_SIZE, "its ring cannot be mapped: %s", strerror(-err));
        return err;
    }
    port = xenevtchn_bind_interdomain(events, guest, offer.port);
    if (port < 0) {
        err = -errno;
        snprintf(why, LINK_WHY_SIZE, "its event channel %u cannot be bound: %s", offer.port,
                 strerror(-err));
        xengnttab_unmap(grants, link.pages, 1u << link.order);
        return err;
    }
    link.port = (evtchn_port_t)port;
    link.first_ref = offer.refs[0];
    link.ref_name = offer.ref_name;
    *link_r = link;
    return 0;
}

bool link_has_changed(struct xs_handle *xs, const char *front, const struct link *link)
{
    uint32_t ref;

    return nodes_number(xs, front, link->ref_name, UINT32_MAX, &ref) == 0 && ref != link->first_ref;
}

void link_close(xengnttab_handle *grants, xenevtchn_handle *events, struct link *link)
{
    if (!link->pages)
        return;
    xenevtchn_unbind(events, link->port);
    xengnttab_unmap(grants, link->pages, 1u << link->order);
    link->pages = NULL;
}
