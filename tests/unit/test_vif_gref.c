/* SPDX-License-Identifier: BSD-2-Clause */
/* Static grants: pages that a guest leaves with us, good and bad lists of them, and restarts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define MS 1000000ull
#define QUEUES 3u
#define CTRL_REF 50
#define LIST_REF 51
#define CTRL_PORT 33
#define READ_ONLY XEN_NETIF_CTRLF_GREF_readonly

#define OK XEN_NETIF_CTRL_STATUS_SUCCESS
#define INVALID XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
#define NONE UINT32_MAX

static struct fake_guest queues[VIF_QUEUES_MAX];
static struct vif *const vif = &vif_table[0];
static xen_netif_ctrl_front_ring_t ring;
static struct xen_netif_gref *list;
static uint32_t got_data;

static int setup(void **state)
{
    if (vif_test_setup(state))
        return -1;
    ring.sring = aligned_alloc(4096, 4096);
    list = aligned_alloc(4096, 4096);
    memset(ring.sring, 0, 4096);
    memset(list, 0, 4096);
    memset(queues, 0, sizeof(queues));
    guest_create(queues, 7, 0);
    fake_xen_sleep(500 * MS);
    guest_queues(queues, QUEUES);
    XEN_FRONT_RING_INIT(&ring, ring.sring, 4096);
    fake_grant(7, CTRL_REF, ring.sring);
    fake_grant(7, LIST_REF, list);
    fake_port_offer(7, CTRL_PORT);
    front_write(queues, "ctrl-ring-ref", "50");
    front_write(queues, "event-channel-ctrl", "33");
    guest_state(queues, "4");
    fake_xen_sleep(500 * MS);
    return vif->ctrl.used ? 0 : -1;
}

static int teardown(void **state)
{
    vif_disconnect(vif);
    guest_queues_free(queues, QUEUES);
    free(ring.sring);
    free(list);
    if (gnttab_nr_maps() || evtchn_nr_open() || fake_pages_mapped(7, FAKE_REF_ANY) || gref_nr())
        return -1;
    return vif_test_teardown(state);
}

static void put(uint16_t type, uint32_t a, uint32_t b, uint32_t c)
{
    *RING_GET_REQUEST(&ring, ring.req_prod_pvt) = (struct xen_netif_ctrl_request){
        .id = (uint16_t)ring.req_prod_pvt, .type = type, .data = { a, b, c }
    };
    ring.req_prod_pvt++;
    ring.sring->req_prod = ring.req_prod_pvt;
}

/* The next response's status; NONE: there is none. */
static uint32_t response(void)
{
    struct xen_netif_ctrl_response *rsp = RING_GET_RESPONSE(&ring, ring.rsp_cons);

    if (ring.rsp_cons == ring.sring->rsp_prod)
        return NONE;
    assert_int_equal(rsp->id, (uint16_t)ring.rsp_cons);
    got_data = rsp->data;
    ring.rsp_cons++;
    return rsp->status;
}

/* Asked and answered, the rest after it included. */
static uint32_t ask(uint16_t type, uint32_t a, uint32_t b, uint32_t c)
{
    put(type, a, b, c);
    fake_port_ring(7, CTRL_PORT);
    fake_xen_sleep(2 * MS);
    return response();
}

#define SIZE(queue) ask(XEN_NETIF_CTRL_TYPE_GET_GREF_MAPPING_SIZE, queue, 0, 0)
#define ADD(queue, nr) ask(XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, queue, LIST_REF, nr)
#define DEL(queue, nr) ask(XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING, queue, LIST_REF, nr)

static grant_ref_t tx_ref(unsigned int queue, unsigned int page)
{
    return GUEST_TX_REF + queue * GUEST_QUEUE_REFS + page;
}

static grant_ref_t rx_ref(unsigned int queue, unsigned int page)
{
    return GUEST_RX_REF + queue * GUEST_QUEUE_REFS + page;
}

/* The list: nr references from this one on. */
static void list_fill(grant_ref_t first, unsigned int nr, uint16_t flags)
{
    for (unsigned int i = 0; i < nr; i++)
        list[i] = (struct xen_netif_gref){ first + i, flags, 0x7777 };
}

static unsigned int nr_mapped(void)
{
    assert_int_equal(gref_nr(), fake_pages_mapped(7, FAKE_REF_ANY));
    return gref_nr();
}

/* A frame of 3 slots leaves by this queue and arrives whole. Returns how many grant copies that took. */
static unsigned int send_by(unsigned int queue)
{
    unsigned int before = fake_copy_ops(), nr = fake_host.nr_frames;
    static uint8_t bytes[7000];
    uint8_t got[7000];

    for (unsigned int i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(rand() >> 3);
    queues[queue].tx_page_next = 0;
    tx_send(&queues[queue], bytes, sizeof(bytes), 3000, 0, 0);
    loop_turn();
    assert_int_equal(fake_host.nr_frames, nr + 1);
    assert_int_equal(rte_pktmbuf_pkt_len(fake_host.frames[nr]), sizeof(bytes));
    assert_memory_equal(rte_pktmbuf_read(fake_host.frames[nr], 0, sizeof(got), got), bytes,
                        sizeof(bytes));
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(tx_response(&queues[queue], NULL), NETIF_RSP_OKAY);
    return fake_copy_ops() - before;
}

/* A frame arrives in queue 0, where all of UDP is kept by hand, whole. Returns as above. */
static unsigned int receive(void)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_UDP, 1000, 0);
    uint8_t sent[2000], got[8192];
    unsigned int before = fake_copy_ops();
    uint32_t len = rte_pktmbuf_pkt_len(frame);
    uint16_t flags, gso;

    memcpy(sent, rte_pktmbuf_read(frame, 0, len, sent), len);
    vif->hash.algorithm = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
    vif->hash.flags = XEN_NETIF_CTRL_HASH_TYPE_IPV6; /* which it is not */
    vif->hash.nr_mapping = 1; /* its one entry is 0 */
    rx_post(&queues[0], 1);
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
    loop_turn();
    assert_int_equal(rx_take(&queues[0], got, &flags, &gso), len);
    assert_memory_equal(got, sent, len);
    return fake_copy_ops() - before;
}

static void size_is_what_a_queue_may_have_now(void **state)
{
    (void)state;
    assert_int_equal(SIZE(0), OK);
    assert_int_equal(got_data, GREF_QUEUE_MAX);
    for (unsigned int queue = 0; queue < 2; queue++) {
        list_fill(rx_ref(queue, 0), GREF_QUEUE_MAX, 0);
        assert_int_equal(ADD(queue, GREF_QUEUE_MAX), OK);
    }
    assert_int_equal(SIZE(1), OK);
    assert_int_equal(got_data, GREF_QUEUE_MAX);
    assert_int_equal(SIZE(2), OK);
    assert_int_equal(got_data, 0); /* the vif has its share */
    assert_int_equal(SIZE(QUEUES), INVALID);
    assert_int_equal(SIZE(UINT32_MAX), INVALID);
    assert_int_equal(nr_mapped(), GREF_VIF_MAX);
}

static void frames_from_mapped_pages_need_no_grant_copy(void **state)
{
    (void)state;
    assert_true(send_by(0) >= 3);
    list_fill(tx_ref(0, 0), 3, READ_ONLY);
    assert_int_equal(ADD(0, 3), OK);
    assert_int_equal(got_data, 0);
    assert_int_equal(nr_mapped(), 3);
    assert_int_equal(send_by(0), 0);
    assert_true(send_by(1) >= 3); /* another queue has its own */
    assert_int_equal(DEL(0, 1), OK);
    assert_int_equal(got_data, 1);
    assert_in_range(send_by(0), 1, 2); /* one slot in three, of two mbufs perhaps */
    list_fill(tx_ref(0, 1), 2, 0);
    assert_int_equal(DEL(0, 2), OK);
    assert_int_equal(nr_mapped(), 0);
    assert_true(send_by(0) >= 3);
}

static void frames_to_mapped_pages_need_no_grant_copy(void **state)
{
    (void)state;
    assert_true(receive() > 0);
    list_fill(rx_ref(0, 1), 1, 0);
    assert_int_equal(ADD(0, 1), OK);
    assert_int_equal(receive(), 0);
    list_fill(rx_ref(0, 2), 1, READ_ONLY);
    assert_int_equal(ADD(0, 1), OK);
    assert_true(receive() > 0); /* into the third, which is not to be written */
    list_fill(rx_ref(0, 1), 2, 0);
    assert_int_equal(DEL(0, 2), OK);
    assert_int_equal(got_data, 2);
    assert_true(receive() > 0);
}

static void bad_lists_add_nothing(void **state)
{
    (void)state;
    list_fill(tx_ref(0, 0), 4, READ_ONLY);
    assert_int_equal(ADD(0, 2), OK);
    assert_int_equal(ADD(0, 4), INVALID); /* two are there already */
    list_fill(tx_ref(0, 2), 4, READ_ONLY);
    list[3].ref = 9999;
    assert_int_equal(ADD(0, 4), INVALID);
    list[3].ref = list[1].ref;
    assert_int_equal(ADD(0, 4), INVALID);
    list[3] = (struct xen_netif_gref){ tx_ref(0, 9), 2, 0 };
    assert_int_equal(ADD(0, 4), INVALID);
    list[3].flags = 0;
    fake_grant_read_only(7, tx_ref(0, 9));
    assert_int_equal(ADD(0, 4), INVALID);
    assert_int_equal(nr_mapped(), 2);
    list[3].flags = READ_ONLY;
    assert_int_equal(ADD(QUEUES, 4), INVALID);
    assert_int_equal(ask(XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, 0, 9999, 4), INVALID);
    list_fill(rx_ref(0, 0), 65, 0);
    assert_int_equal(ADD(0, 63), INVALID); /* 62 are left */
    assert_int_equal(ADD(0, 513), INVALID);
    assert_int_equal(ADD(0, UINT32_MAX), INVALID);
    assert_int_equal(nr_mapped(), 2);
    assert_int_equal(ADD(0, 0), OK);
    assert_int_equal(ADD(0, 62), OK);
    assert_int_equal(nr_mapped(), 64);
}

static void each_entry_to_delete_has_its_status(void **state)
{
    (void)state;
    list_fill(tx_ref(0, 0), 3, READ_ONLY);
    assert_int_equal(ADD(0, 3), OK);
    assert_int_equal(list[0].status, 0x7777); /* not ours to write */
    list_fill(tx_ref(0, 0), 4, 0xffff);
    list[1].ref = list[0].ref;
    assert_int_equal(DEL(0, 4), OK);
    assert_int_equal(got_data, 2);
    assert_int_equal(list[0].status, OK);
    assert_int_equal(list[1].status, INVALID); /* twice */
    assert_int_equal(list[2].status, OK);
    assert_int_equal(list[3].status, INVALID); /* never added */
    assert_int_equal(list[3].flags, 0xffff);
    assert_int_equal(nr_mapped(), 1);
    list_fill(tx_ref(0, 1), 1, 0);
    assert_int_equal(DEL(1, 1), OK); /* of another queue */
    assert_int_equal(got_data, 0);
    assert_int_equal(list[0].status, INVALID);
    assert_int_equal(DEL(QUEUES, 1), INVALID);
    assert_int_equal(DEL(0, 513), INVALID);
    fake_grant_read_only(7, LIST_REF);
    assert_int_equal(DEL(0, 1), INVALID); /* it could not be told */
    assert_int_equal(nr_mapped(), 1);
    assert_int_equal(send_by(0) > 0, 1);
    fake_grant(7, LIST_REF, list);
    list_fill(20000, 512, 0);
    list[511].ref = tx_ref(0, 1);
    assert_int_equal(DEL(0, 512), OK);
    assert_int_equal(list[510].status, INVALID);
    assert_int_equal(list[511].status, OK);
    assert_int_equal(nr_mapped(), 0);
}

static void a_turn_ends_with_a_list(void **state)
{
    (void)state;
    list_fill(tx_ref(0, 0), 1, READ_ONLY);
    put(XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING, 0, LIST_REF, 1);
    put(XEN_NETIF_CTRL_TYPE_DEL_GREF_MAPPING, 0, LIST_REF, 1);
    fake_port_ring(7, CTRL_PORT);
    assert_int_equal(response(), OK);
    assert_int_equal(response(), NONE);
    fake_xen_sleep(3 * MS);
    assert_int_equal(response(), OK);
    assert_int_equal(nr_mapped(), 0);
}

static void pages_go_back_with_the_vif(void **state)
{
    (void)state;
    list_fill(rx_ref(2, 0), 64, 0);
    assert_int_equal(ADD(2, 64), OK);
    guest_state(queues, "5");
    fake_xen_sleep(100 * MS);
    assert_int_equal(nr_mapped(), 0);
    assert_false(vif->mapped);
}

static void pages_go_on_after_a_restart(void **state)
{
    (void)state;
    list_fill(tx_ref(0, 0), 3, READ_ONLY);
    assert_int_equal(ADD(0, 3), OK);
    list_fill(rx_ref(1, 0), 2, 0);
    assert_int_equal(ADD(1, 2), OK);
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(nr_mapped(), 5);
    assert_int_equal(send_by(0), 0);
    assert_int_equal(SIZE(1), OK);
    assert_int_equal(got_data, GREF_QUEUE_MAX);
    assert_int_equal(ADD(1, 2), INVALID); /* there already */
    assert_int_equal(DEL(1, 2), OK);
    assert_int_equal(got_data, 2);
    list_fill(tx_ref(0, 0), 3, READ_ONLY);
    assert_int_equal(DEL(0, 3), OK);
    assert_int_equal(nr_mapped(), 0);
}

/* Its response was never seen, and says that it failed. */
static void list_in_hand_is_undone_by_a_restart(void **state)
{
    (void)state;
    list_fill(rx_ref(0, 0), 2, 0);
    assert_int_equal(ADD(0, 2), OK);
    list_fill(rx_ref(0, 2), 3, 0);
    assert_int_equal(ADD(0, 3), OK);
    *RING_GET_REQUEST(&ring, ring.rsp_cons - 1) =
        (struct xen_netif_ctrl_request){ .id = (uint16_t)(ring.rsp_cons - 1),
                                         .type = XEN_NETIF_CTRL_TYPE_ADD_GREF_MAPPING };
    ring.sring->rsp_prod = --ring.rsp_cons;
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(response(), INVALID);
    assert_int_equal(nr_mapped(), 2);
    assert_int_equal(ADD(0, 3), OK);
    assert_int_equal(nr_mapped(), 5);
}

/* The last start died on the way through DEL: before Xen unmapped them, or after. */
static void leaving_pages_are_gone_after_a_restart(void **state)
{
    (void)state;
    list_fill(rx_ref(0, 0), 4, 0);
    assert_int_equal(ADD(0, 4), OK);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(gref_tables[0].entries[i].state, GREF_MAPPED);
        gref_tables[0].entries[i].state = GREF_LEAVING;
    }
    fake_pages_forget(0);
    gref_tables[0].sum = recovery_sum(gref_tables[0].entries, sizeof(gref_tables[0].entries));
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(nr_mapped(), 2);
    assert_int_equal(DEL(0, 4), OK);
    assert_int_equal(got_data, 2);
}

static void pages_of_vifs_that_do_not_go_on_go_back(void **state)
{
    (void)state;
    list_fill(rx_ref(0, 0), 4, 0);
    assert_int_equal(ADD(0, 4), OK);
    vif->hash.mapping[77] ^= 1; /* damaged */
    assert_int_equal(kernel_restart(), 0);
    assert_int_equal(nr_mapped(), 0);
}

static void one_damaged_copy_is_put_right(void **state)
{
    (void)state;
    list_fill(rx_ref(0, 0), 4, 0);
    assert_int_equal(ADD(0, 4), OK);
    gref_tables[0].entries[2].ref ^= 0x100;
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(nr_mapped(), 4);
    assert_int_equal(DEL(0, 4), OK);
    assert_int_equal(got_data, 4);
}

static void two_damaged_copies_are_not_believed(void **state)
{
    struct gref_table copy = gref_tables[0];

    (void)state;
    gref_tables[0].entries[2].ref ^= 0x100;
    gref_tables[1].entries[200].place = 255;
    fake_xen_restart();
    assert_int_equal(gref_init(), -EPROTO);
    gref_tables[0] = gref_tables[1] = copy;
    assert_int_equal(gref_init(), 0);
    assert_int_equal(kernel_restart(), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(size_is_what_a_queue_may_have_now),
        TEST(frames_from_mapped_pages_need_no_grant_copy),
        TEST(frames_to_mapped_pages_need_no_grant_copy),
        TEST(bad_lists_add_nothing),
        TEST(each_entry_to_delete_has_its_status),
        TEST(a_turn_ends_with_a_list),
        TEST(pages_go_back_with_the_vif),
        TEST(pages_go_on_after_a_restart),
        TEST(list_in_hand_is_undone_by_a_restart),
        TEST(leaving_pages_are_gone_after_a_restart),
        TEST(pages_of_vifs_that_do_not_go_on_go_back),
        TEST(one_damaged_copy_is_put_right),
        TEST(two_damaged_copies_are_not_believed),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
