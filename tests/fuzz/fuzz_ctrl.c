/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a frontend puts on its control ring, and into the pages that its requests name. Whatever it is: each
 * request has one response, in order, with its id and type; what is kept of it stays within its bounds, and the
 * pages that we take to be mapped are those that are.
 *
 * Input: a byte for the number of queues, then steps: requests, bytes for the page, lists of static grants, a
 * push, a restart of what is kept of them.
 */
#include "fuzz.h"

#define FUZZ_POOL_ROOM (2048 + RTE_PKTMBUF_HEADROOM) /* VIF_MBUF_ROOM for data */
#include "fake_xen.h"
#include "fuzz_mbuf.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define GUEST 7
#define CTRL_REF 50
#define DATA_REF 51
#define CTRL_PORT 33
#define STEPS 400
#define PAGE_REF 200 /* of the first page that may be left with us */
#define NR_PAGES 100u

static uint8_t data_pages[2][4096] __attribute__((aligned(4096)));
static uint8_t pages[2 * VIF_QUEUES_MAX + 2][4096] __attribute__((aligned(4096)));
static xen_netif_ctrl_front_ring_t ring;
static uint32_t sent_ids[1024]; /* id and type, by place; more than a ring has */
static struct vif *vif;

static uint32_t *page_of_data(void)
{
    return (uint32_t *)pages[2 * VIF_QUEUES_MAX + 1];
}

static void vif_up(unsigned int nr_queues)
{
    struct vif_front *front;

    vif = vif_take(GUEST, 0);
    FUZZ_CHECK(vif);
    nodes_back_init(&vif->control.back);
    front = &vif->control.front;
    nodes_front_init(front);
    front->queues = nr_queues;
    for (unsigned int i = 0; i < 2 * nr_queues; i++)
        fake_grant(GUEST, i, pages[i]);
    for (unsigned int i = 0; i < nr_queues; i++) {
        fake_port_offer(GUEST, i + 1);
        front->queue[i] = (struct vif_front_queue){ 2 * i, 2 * i + 1, i + 1, i + 1, false };
    }
    front->has_ctrl = true;
    front->ctrl_ref = CTRL_REF;
    front->ctrl_port = CTRL_PORT;
    fake_port_offer(GUEST, CTRL_PORT);
    fake_grant(GUEST, CTRL_REF, pages[2 * VIF_QUEUES_MAX]);
    fake_grant(GUEST, DATA_REF, page_of_data());
    for (unsigned int i = 0; i < NR_PAGES; i++)
        fake_grant(GUEST, PAGE_REF + i, data_pages[i % 2]);
    fake_grant_read_only(GUEST, PAGE_REF + 7);
    ring.sring = (xen_netif_ctrl_sring_t *)pages[2 * VIF_QUEUES_MAX];
    XEN_FRONT_RING_INIT(&ring, ring.sring, 4096);
    (void)vif_offer_choose(vif);
    FUZZ_CHECK(vif_connect(vif) == 0);
}

static void request_put(struct fuzz_input *input)
{
    struct xen_netif_ctrl_request req = { .id = fuzz_u8(input), .type = fuzz_u8(input) };
    uint8_t shape = fuzz_u8(input);

    if (RING_FULL(&ring))
        return;
    for (unsigned int i = 0; i < 3; i++)
        req.data[i] =
            shape >> i & 1 ? (uint32_t)fuzz_u16(input) << 16 | fuzz_u16(input) : fuzz_u8(input);
    if (shape & 8)
        req.data[0] = DATA_REF;
    if (shape & 16) {
        req.type = (uint16_t)(XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING + (shape >> 5 & 1));
        req.data[1] = DATA_REF;
    }
    sent_ids[ring.req_prod_pvt % 1024] = (uint32_t)req.id << 16 | req.type;
    *RING_GET_REQUEST(&ring, ring.req_prod_pvt++) = req;
}

static void page_fill(struct fuzz_input *input)
{
    uint8_t at = fuzz_u8(input), value = fuzz_u8(input);

    if (value < 8)
        for (unsigned int i = 0; i < 1024; i++)
            page_of_data()[i] = value;
    page_of_data()[at] = fuzz_u8(input);
}

/* A list of static grants, good but for what a few bytes say. */
static void list_fill(struct fuzz_input *input)
{
    struct xen_netif_gref *list = (struct xen_netif_gref *)page_of_data();
    uint8_t first = fuzz_u8(input), flags = fuzz_u8(input), at = fuzz_u8(input);

    for (unsigned int i = 0; i < 512; i++)
        list[i] = (struct xen_netif_gref){ PAGE_REF + (first + i) % NR_PAGES, flags & 1, 0 };
    if (flags & 2)
        list[at % 64].ref = PAGE_REF + fuzz_u8(input);
    if (flags & 4)
        list[at % 64].flags = fuzz_u8(input);
}

static void grefs_check(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < vif->nr_queues; i++) {
        FUZZ_CHECK(vif_queue_of(vif, i)->nr_grefs <= GREF_QUEUE_MAX);
        nr += vif_queue_of(vif, i)->nr_grefs;
    }
    FUZZ_CHECK(nr <= GREF_VIF_MAX && nr == gref_nr());
    FUZZ_CHECK(nr == fake_pages_mapped(GUEST, FAKE_REF_ANY));
}

/* As after a restart: the vif goes on with its pages. */
static void grefs_restart(void)
{
    unsigned int nr = gref_nr();

    for (unsigned int i = 0; i < vif->nr_queues; i++)
        vif_queue_of(vif, i)->nr_grefs = 0;
    fake_resuming(true);
    FUZZ_CHECK(gref_init() == 0);
    fake_resuming(false);
    gref_resume(vif);
    gref_sweep();
    FUZZ_CHECK(gref_nr() == nr);
    grefs_check();
}

static void responses_take(void)
{
    while (ring.rsp_cons != ring.sring->rsp_prod) {
        struct xen_netif_ctrl_response *rsp = RING_GET_RESPONSE(&ring, ring.rsp_cons);

        FUZZ_CHECK(((uint32_t)rsp->id << 16 | rsp->type) == sent_ids[ring.rsp_cons % 1024]);
        FUZZ_CHECK(rsp->status <= XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW);
        ring.rsp_cons++;
    }
}

static void hash_check(void)
{
    const struct vif_hash *hash = &vif->hash;

    FUZZ_CHECK(hash->algorithm <= XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
    FUZZ_CHECK(!(hash->flags & ~(uint32_t)HASH_FLAGS_ALL));
    FUZZ_CHECK(hash->nr_mapping <= HASH_MAPPING_MAX);
    for (unsigned int i = 0; i < HASH_MAPPING_MAX; i++)
        FUZZ_CHECK(hash->mapping[i] < vif->nr_queues &&
                   (i < hash->nr_mapping || !hash->mapping[i]));
}

static void push(void)
{
    ring.sring->req_prod = ring.req_prod_pvt;
    fake_port_ring(GUEST, CTRL_PORT);
    fake_xen_run();
    /* A list of static grants is all that a millisecond serves. */
    for (unsigned int i = 0;
         i < 1 + RING_SIZE(&ring) / 20 && ring.sring->rsp_prod != ring.req_prod_pvt; i++)
        fake_xen_sleep(20000000);
    responses_take();
    FUZZ_CHECK(ring.rsp_cons == ring.req_prod_pvt);
    FUZZ_CHECK(!vif->broken);
    hash_check();
    grefs_check();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct vif_host host = { .pool = fuzz_pool(), .queue_mbufs = 64 };
    struct fuzz_input input = { bytes, size };

    fake_xen_reset();
    FUZZ_CHECK(vif_init(&host) == 0);
    memset(pages, 0, sizeof(pages));
    vif_up(1 + fuzz_u8(&input) % VIF_QUEUES_MAX);
    for (unsigned int i = 0; i < STEPS && input.left; i++) {
        switch (fuzz_u8(&input) % 10) {
        case 0:
            page_fill(&input);
            break;
        case 1:
            push();
            break;
        case 2:
            fake_copy_fail(1 + fuzz_u8(&input) % 4);
            break;
        case 8:
            list_fill(&input);
            break;
        case 9:
            push();
            grefs_restart();
            break;
        default:
            request_put(&input);
            break;
        }
    }
    push();
    ring.sring->req_prod += 1 + RING_SIZE(&ring) + fuzz_u8(&input);
    fake_port_ring(GUEST, CTRL_PORT);
    fake_xen_run();
    FUZZ_CHECK(vif->broken);
    vif_disconnect(vif);
    vif_release(vif);
    FUZZ_CHECK(gnttab_nr_maps() == 0 && evtchn_nr_open() == 0);
    FUZZ_CHECK(gref_nr() == 0 && fake_pages_mapped(GUEST, FAKE_REF_ANY) == 0);
    return 0;
}
