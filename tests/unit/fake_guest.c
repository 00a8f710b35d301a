/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_xen.h"
#include "fixture_net.h"
#include "net/egress.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

struct fake_host fake_host;

static int host_attach(struct port *port, const struct vif_wish *wish, const char **why_r)
{
    (void)port;
    if (strcmp(wish->bridge, "xenbr0") || fake_host.refuses) {
        *why_r = "no bridge 'x'; bridges are: xenbr0";
        return -ENOENT;
    }
    fake_host.nr_attached++;
    fake_host.wish = *wish;
    return 0;
}

static int host_policy(struct port *port, const struct vif_wish *wish, const char *text, size_t len,
                       const char **why_r)
{
    (void)wish;
    fake_host.nr_policies++;
    if (text && len >= 3 && !memcmp(text, "bad", 3)) {
        *why_r = "line 1: 'bad' is not understood";
        return -EINVAL;
    }
    if (!text && fake_host.wants_policy) {
        *why_r = "no policy, and policy=required";
        return -ENOENT;
    }
    snprintf(fake_host.policy, sizeof(fake_host.policy), "%.*s", text ? (int)len : 0,
             text ? text : "");
    port->finish_checksums = !strcmp(fake_host.policy, "tx-checksum off");
    return 0;
}

static void host_detach(struct port *port)
{
    (void)port;
    fake_host.nr_attached--;
}

static enum vif_carrier host_carrier(const struct port *port)
{
    (void)port;
    return fake_host.carrier;
}

static void host_input(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    (void)port;
    if (fake_host.to) {
        for (uint16_t i = 0; i < nr; i++)
            egress_put(fake_host.to, frames[i]);
        egress_flush_all();
        return;
    }
    memcpy(&fake_host.frames[fake_host.nr_frames], frames, nr * sizeof(*frames));
    fake_host.nr_frames += nr;
    for (uint16_t i = 0; fake_host.cuts && i < nr; i++)
        egress_notes()->nr_cut += (frames[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
}

static void host_time_take(enum ferry_latency what, uint64_t ns)
{
    fake_host.nr_times[what]++;
    fake_host.last_ns[what] = ns;
}

int vif_test_group(void **state)
{
    return fixture_start(state);
}

static int backend_start(void)
{
    const struct vif_host host = { .policy = host_policy,
                                   .attach = host_attach,
                                   .detach = host_detach,
                                   .carrier = host_carrier,
                                   .input = host_input,
                                   .is_timed = &fake_host.is_timed,
                                   .time_take = host_time_take,
                                   .pool = fixture_pool(),
                                   .notes = egress_notes(),
                                   .queue_mbufs = 1024 };

    egress_init(fixture_pool());
    return vif_init(&host);
}

int vif_test_setup(void **state)
{
    (void)state;
    fake_xen_reset();
    memset(&fake_host, 0, sizeof(fake_host));
    fake_host.carrier = VIF_CARRIER_UP;
    return backend_start() ? -1 : vif_watch();
}

static void queue_drain(struct vif_queue *queue)
{
    while (queue->waiting.list.nr)
        rte_pktmbuf_free(waiting_take(&queue->waiting.list));
}

static void queue_spoil(struct vif_queue *queue)
{
    struct vif_marks marks = queue->marks;

    queue_drain(queue);
    memset(queue, 0x5a, sizeof(*queue));
    queue->marks = marks;
}

/* The mbufs of what waits go back to the pool, as the restarted kernel makes the pool anew. */
static void place_spoil(struct vif *vif)
{
    struct vif_record record = vif->record;
    struct multicast_list multicast = vif->multicast;
    struct vif_hash hash = vif->hash;
    RING_IDX ctrl_mark = vif->ctrl_mark;
    struct vif_marks marks = vif->queue.marks;
    struct port_stats stats = vif->port.stats;
    struct vif_counts counts = vif->counts;

    queue_drain(&vif->queue);
    memset(vif, 0x5a, sizeof(*vif));
    vif->record = record;
    vif->multicast = multicast;
    vif->hash = hash;
    vif->ctrl_mark = ctrl_mark;
    vif->queue.marks = marks;
    vif->port.stats = stats;
    vif->counts = counts;
}

unsigned int kernel_restart(void)
{
    unsigned int nr;

    for (unsigned int i = 0; i < VIF_MAX; i++)
        place_spoil(&vif_table[i]);
    for (unsigned int i = 0; i < VIF_MORE_QUEUES; i++)
        queue_spoil(&vif_more_queues[i]);
    vif_active = vif_queued = vif_broken = vif_mapped = ~0ull;
    fake_host.nr_attached = 0;
    fake_xen_restart();
    INVARIANT(backend_start() == 0);
    nr = vif_resume();
    gnttab_sweep();
    evtchn_sweep();
    return nr;
}

int vif_test_teardown(void **state)
{
    (void)state;
    fake_host_empty();
    return fixture_in_use() ? -1 : 0;
}

void fake_host_empty(void)
{
    rte_pktmbuf_free_bulk(fake_host.frames, fake_host.nr_frames);
    fake_host.nr_frames = 0;
}

void loop_turn(void)
{
    fake_xen_run();
    vif_receive_all();
    vif_flush_all();
    fake_xen_run();
}

bool loop_idle(void)
{
    uint64_t due;

    loop_turn();
    return !vif_arm_all(&due);
}

static const char *path_of(const struct fake_guest *guest, bool back, const char *node)
{
    static char path[200];

    snprintf(path, sizeof(path),
             back ? "/local/domain/5/backend/vif/%u/%u%s%s" : "/local/domain/%u/device/vif/%u%s%s",
             guest->domid, guest->handle, *node ? "/" : "", node);
    return path;
}

void back_write(const struct fake_guest *guest, const char *node, const char *value)
{
    fake_store_write(path_of(guest, true, node), value);
}

const char *back_read(const struct fake_guest *guest, const char *node)
{
    return fake_store_read(path_of(guest, true, node));
}

void front_write(const struct fake_guest *guest, const char *node, const char *value)
{
    fake_store_write(path_of(guest, false, node), value);
}

static void front_number(const struct fake_guest *guest, const char *node, unsigned int value)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", value);
    front_write(guest, node, text);
}

static void queue_number(const struct fake_guest *guest, const char *node, unsigned int value)
{
    char path[48];

    snprintf(path, sizeof(path), "queue-%u/%s", guest->queue, node);
    front_number(guest, guest->in_directory ? path : node, value);
}

static grant_ref_t ref_of(const struct fake_guest *guest, grant_ref_t ref)
{
    return ref + guest->queue * GUEST_QUEUE_REFS;
}

unsigned int guest_port(const struct fake_guest *queue, unsigned int port)
{
    return port + queue->queue * GUEST_QUEUE_PORTS;
}

int back_state(const struct fake_guest *guest)
{
    const char *state = back_read(guest, "state");

    return state ? atoi(state) : -1;
}

void guest_state(struct fake_guest *guest, const char *state)
{
    front_write(guest, "state", state);
    fake_xen_run();
}

void guest_create(struct fake_guest *guest, domid_t domid, uint16_t handle)
{
    char text[80];

    memset(guest, 0, sizeof(*guest));
    guest->domid = domid;
    guest->handle = handle;
    front_write(guest, "state", "1");
    snprintf(text, sizeof(text), "/local/domain/%u/device/vif/%u", domid, handle);
    back_write(guest, "frontend", text);
    snprintf(text, sizeof(text), "%u", domid);
    back_write(guest, "frontend-id", text);
    back_write(guest, "online", "1");
    back_write(guest, "state", "1");
    back_write(guest, "script", "/etc/xen/scripts/vif-bridge");
    snprintf(text, sizeof(text), "00:16:3e:00:%02x:%02x", domid & 255, handle & 255);
    back_write(guest, "mac", text);
    back_write(guest, "bridge", "xenbr0");
    back_write(guest, "hotplug-status", "");
}

void guest_detach(struct fake_guest *guest)
{
    back_write(guest, "online", "0");
    if (back_state(guest) != 6)
        back_write(guest, "state", "5");
}

void guest_rings(struct fake_guest *guest)
{
    if (!guest->tx.sring) {
        guest->tx.sring = aligned_alloc(4096, 4096);
        guest->rx.sring = aligned_alloc(4096, 4096);
        guest->tx_pages = aligned_alloc(4096, GUEST_TX_PAGES * 4096);
        guest->rx_pages = aligned_alloc(4096, GUEST_RING * 4096);
    }
    memset(guest->rx_pages, 0xee, GUEST_RING * 4096);
    XEN_FRONT_RING_INIT(&guest->tx, guest->tx.sring, 4096);
    XEN_FRONT_RING_INIT(&guest->rx, guest->rx.sring, 4096);
    fake_grant(guest->domid, ref_of(guest, 8), guest->tx.sring);
    fake_grant(guest->domid, ref_of(guest, 9), guest->rx.sring);
    for (unsigned int i = 0; i < GUEST_TX_PAGES && !guest->no_data; i++)
        fake_grant(guest->domid, ref_of(guest, GUEST_TX_REF + i), guest->tx_pages + 4096 * i);
    for (unsigned int i = 0; i < GUEST_RING && !guest->no_data; i++)
        fake_grant(guest->domid, ref_of(guest, GUEST_RX_REF + i), guest->rx_pages + 4096 * i);
    fake_port_offer(guest->domid, guest_port(guest, GUEST_TX_PORT));
    if (guest->split)
        fake_port_offer(guest->domid, guest_port(guest, GUEST_RX_PORT));
}

void guest_nodes(struct fake_guest *guest)
{
    queue_number(guest, "tx-ring-ref", ref_of(guest, 8));
    queue_number(guest, "rx-ring-ref", ref_of(guest, 9));
    if (guest->split) {
        queue_number(guest, "event-channel-tx", guest_port(guest, GUEST_TX_PORT));
        queue_number(guest, "event-channel-rx", guest_port(guest, GUEST_RX_PORT));
    } else {
        queue_number(guest, "event-channel", guest_port(guest, GUEST_TX_PORT));
    }
    if (guest->queue > 0)
        return;
    front_number(guest, "request-rx-copy", 1);
    front_number(guest, "feature-rx-notify", !guest->no_rx_notify);
    front_number(guest, "feature-sg", !guest->no_sg);
    front_number(guest, "feature-gso-tcpv4", !guest->no_gso);
    front_number(guest, "feature-gso-tcpv6", !guest->no_gso6);
    front_number(guest, "feature-no-csum-offload", guest->no_csum);
    front_number(guest, "feature-ipv6-csum-offload", !guest->no_csum6);
}

void guest_connect(struct fake_guest *guest)
{
    guest_rings(guest);
    guest_nodes(guest);
    guest_state(guest, "4");
    fake_xen_sleep(500000000);
}

void guest_up(struct fake_guest *guest, domid_t domid)
{
    guest_create(guest, domid, 0);
    fake_xen_sleep(500000000);
    guest_connect(guest);
}

void guest_up_split(struct fake_guest *guest, domid_t domid)
{
    guest_create(guest, domid, 0);
    fake_xen_sleep(500000000);
    guest->split = true;
    guest_connect(guest);
}

void guests_ask(struct fake_guest *guests, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        guests[i].no_data = true;
        guest_rings(&guests[i]);
        guest_nodes(&guests[i]);
        front_write(&guests[i], "state", "4");
    }
}

void guest_queues(struct fake_guest *queues, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        struct fake_guest *queue = &queues[i];

        if (i > 0) {
            *queue = (struct fake_guest){ .domid = queues[0].domid,
                                          .handle = queues[0].handle,
                                          .split = queues[0].split,
                                          .queue = i };
        }
        queue->in_directory = nr > 1;
        guest_rings(queue);
        guest_nodes(queue);
    }
    front_number(queues, "multi-queue-num-queues", nr);
}

void guest_queues_up(struct fake_guest *queues, unsigned int nr, domid_t domid)
{
    guest_create(queues, domid, 0);
    fake_xen_sleep(500000000);
    queues->split = true;
    guest_queues(queues, nr);
    guest_state(queues, "4");
    fake_xen_sleep(500000000);
}

void guest_queues_free(struct fake_guest *queues, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++)
        if (queues[i].tx.sring)
            guest_free(&queues[i]);
}

void guest_free(struct fake_guest *guest)
{
    free(guest->tx.sring);
    free(guest->rx.sring);
    free(guest->tx_pages);
    free(guest->rx_pages);
    guest->tx.sring = NULL;
}

void tx_put(struct fake_guest *guest, grant_ref_t gref, uint16_t offset, uint16_t size,
            uint16_t flags)
{
    uint16_t id = guest->tx.req_prod_pvt % GUEST_RING;

    *RING_GET_REQUEST(&guest->tx, guest->tx.req_prod_pvt++) =
        (struct netif_tx_request){ gref, offset, flags, (uint16_t)(0x4000 + id), size };
}

void tx_extra(struct fake_guest *guest, uint8_t type, uint8_t more, uint8_t gso_type,
              uint16_t gso_size)
{
    struct netif_extra_info extra = { .type = type, .flags = more };

    extra.u.gso.size = gso_size;
    extra.u.gso.type = gso_type;
    memcpy(RING_GET_REQUEST(&guest->tx, guest->tx.req_prod_pvt++), &extra, sizeof(extra));
}

void tx_push(struct fake_guest *guest)
{
    int notify;

    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&guest->tx, notify);
    if (notify)
        fake_port_ring(guest->domid, guest_port(guest, GUEST_TX_PORT));
}

void tx_send(struct fake_guest *guest, const uint8_t *bytes, uint32_t len, uint32_t per_slot,
             uint16_t flags, uint16_t gso)
{
    uint8_t gso_type =
        len > 12 && bytes[12] == 0x86 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;

    for (uint32_t at = 0, part; at < len; at += part) {
        unsigned int page = guest->tx_page_next++ % GUEST_TX_PAGES;
        uint16_t offset = (uint16_t)(4096 - per_slot);

        part = RTE_MIN(per_slot, len - at);
        memcpy(guest->tx_pages + page * 4096 + offset, bytes + at, part);
        tx_put(guest, ref_of(guest, GUEST_TX_REF + page), offset, (uint16_t)(at ? part : len),
               (at ? 0 : flags) | (at + part < len ? NETTXF_more_data : 0) |
                   (gso && !at ? NETTXF_extra_info : 0));
        if (gso && !at)
            tx_extra(guest, XEN_NETIF_EXTRA_TYPE_GSO, 0, gso_type, gso);
    }
    tx_push(guest);
}

int tx_response(struct fake_guest *guest, uint16_t *id_r)
{
    struct netif_tx_response *rsp = RING_GET_RESPONSE(&guest->tx, guest->tx.rsp_cons);

    if (guest->tx.rsp_cons == guest->tx.sring->rsp_prod)
        return -100;
    guest->tx.rsp_cons++;
    if (id_r)
        *id_r = rsp->id;
    return rsp->status;
}

void rx_post(struct fake_guest *guest, unsigned int nr)
{
    int notify;

    while (nr--) {
        uint16_t id = guest->rx.req_prod_pvt % GUEST_RING;

        *RING_GET_REQUEST(&guest->rx, guest->rx.req_prod_pvt++) =
            (struct netif_rx_request){ id, 0, ref_of(guest, GUEST_RX_REF + id) };
    }
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&guest->rx, notify);
    if (notify)
        fake_port_ring(guest->domid,
                       guest_port(guest, guest->split ? GUEST_RX_PORT : GUEST_TX_PORT));
}

int rx_take(struct fake_guest *guest, uint8_t *bytes, uint16_t *flags_r, uint16_t *gso_r)
{
    struct netif_rx_response *rsp;
    bool first = true, bad = false;
    int len = 0;

    if (guest->rx.rsp_cons == guest->rx.sring->rsp_prod)
        return -100;
    do {
        unsigned int slot = guest->rx.rsp_cons % GUEST_RING;

        rsp = RING_GET_RESPONSE(&guest->rx, guest->rx.rsp_cons++);
        INVARIANT(rsp->id == slot);
        bad |= rsp->status < 0;
        if (!bad) {
            memcpy(bytes + len, guest->rx_pages + slot * 4096 + rsp->offset, rsp->status);
            len += rsp->status;
        }
        if (first) {
            *flags_r = rsp->flags;
            *gso_r = 0;
        }
        if (first && (rsp->flags & NETRXF_extra_info)) {
            struct netif_extra_info extra;

            memcpy(&extra, RING_GET_RESPONSE(&guest->rx, guest->rx.rsp_cons++), sizeof(extra));
            INVARIANT(extra.type == XEN_NETIF_EXTRA_TYPE_GSO && !extra.flags);
            *gso_r = extra.u.gso.size;
            guest->rx_gso_type = extra.u.gso.type;
        }
        first = false;
    } while (rsp->flags & NETRXF_more_data);
    return bad ? -1 : len;
}
