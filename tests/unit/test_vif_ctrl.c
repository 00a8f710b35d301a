/* SPDX-License-Identifier: BSD-2-Clause */
/* The control ring: what requests do, what they cannot do, and restarts. */
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
#define QUEUES 2u
#define CTRL_REF 50
#define DATA_REF 51
#define CTRL_PORT 33

#define OK XEN_NETIF_CTRL_STATUS_SUCCESS
#define INVALID XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
#define NOT_SUPPORTED XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED
#define V4_TCP XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP

static struct fake_guest queues[VIF_QUEUES_MAX];
static struct vif *const vif = &vif_table[0];
static xen_netif_ctrl_front_ring_t ring;
static uint32_t *page; /* what requests point at */
static uint32_t got_data;

static void ctrl_nodes(void)
{
    memset(ring.sring, 0, 4096);
    XEN_FRONT_RING_INIT(&ring, ring.sring, 4096);
    fake_grant(7, CTRL_REF, ring.sring);
    fake_grant(7, DATA_REF, page);
    fake_port_offer(7, CTRL_PORT);
    front_write(queues, "ctrl-ring-ref", "50");
    front_write(queues, "event-channel-ctrl", "33");
}

static void ring_connect(void)
{
    guest_queues(queues, QUEUES);
    ctrl_nodes();
    guest_state(queues, "4");
    fake_xen_sleep(500 * MS);
}

static int setup(void **state)
{
    if (vif_test_setup(state))
        return -1;
    ring.sring = aligned_alloc(4096, 4096);
    page = aligned_alloc(4096, 4096);
    memset(queues, 0, sizeof(queues));
    guest_create(queues, 7, 0);
    fake_xen_sleep(500 * MS);
    queues[0].split = true;
    ring_connect();
    return vif->ctrl.used ? 0 : -1;
}

static int teardown(void **state)
{
    vif_disconnect(vif);
    guest_queues_free(queues, QUEUES);
    free(ring.sring);
    free(page);
    if (gnttab_nr_maps() || evtchn_nr_open())
        return -1;
    return vif_test_teardown(state);
}

static void reconnect(void)
{
    guest_state(queues, "5");
    guest_state(queues, "6");
    guest_queues_free(queues, QUEUES);
    guest_state(queues, "1");
    ring_connect();
}

static void put(uint16_t type, uint32_t a, uint32_t b, uint32_t c)
{
    uint16_t id = (uint16_t)(ring.req_prod_pvt ^ 0x5000);

    *RING_GET_REQUEST(&ring, ring.req_prod_pvt++) =
        (struct xen_netif_ctrl_request){ .id = id, .type = type, .data = { a, b, c } };
}

static void push(void)
{
    int notify;

    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ring, notify);
    if (notify)
        fake_port_ring(7, CTRL_PORT);
}

/* The status of the next response, which must be of this type. UINT32_MAX: there is none. */
static uint32_t response(uint16_t type)
{
    struct xen_netif_ctrl_response *rsp = RING_GET_RESPONSE(&ring, ring.rsp_cons);

    if (ring.rsp_cons == ring.sring->rsp_prod)
        return UINT32_MAX;
    assert_int_equal(rsp->id, (uint16_t)(ring.rsp_cons ^ 0x5000));
    assert_int_equal(rsp->type, type);
    got_data = rsp->data;
    ring.rsp_cons++;
    return rsp->status;
}

static uint32_t ask(unsigned int type, uint32_t a, uint32_t b, uint32_t c)
{
    (void)fake_port_notified(7, CTRL_PORT);
    ring.sring->rsp_event = ring.rsp_cons + 1;
    put((uint16_t)type, a, b, c);
    push();
    loop_turn();
    assert_int_equal(fake_port_notified(7, CTRL_PORT), 1);
    return response((uint16_t)type);
}

#define ASK(type, ...) ask(XEN_NETIF_CTRL_TYPE_##type, __VA_ARGS__)

/* Everything set: all flows into queue 1. */
static void hash_set_up(void)
{
    static const uint8_t key[] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2 };

    assert_int_equal(ASK(SET_HASH_ALGORITHM, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ, 0, 0), OK);
    assert_int_equal(ASK(SET_HASH_FLAGS, V4_TCP, 0, 0), OK);
    memcpy(page, key, sizeof(key));
    assert_int_equal(ASK(SET_HASH_KEY, DATA_REF, sizeof(key), 0), OK);
    assert_int_equal(ASK(SET_HASH_MAPPING_SIZE, 4, 0, 0), OK);
    for (unsigned int i = 0; i < 4; i++)
        page[i] = 1;
    assert_int_equal(ASK(SET_HASH_MAPPING, DATA_REF, 4, 0), OK);
    assert_memory_equal(vif->hash.key, key, sizeof(key));
    assert_int_equal(vif->hash.key[sizeof(key)], 0);
}

/* A frame arrives in this queue, with these extra infos: GSO if segsz, the hash if it has one. */
static void assert_arrives(unsigned int queue, uint8_t protocol, uint16_t segsz, bool has_hash)
{
    struct rte_mbuf *frame = frame_make_l4(false, protocol, segsz ? 3000 : 100, segsz);
    netif_rx_front_ring_t *rx = &queues[queue].rx;
    unsigned int extras = (segsz != 0) + has_hash;
    struct netif_extra_info extra;
    uint32_t hash = 0;

    if (has_hash)
        assert_int_equal(hash_frame(&vif->hash, frame, &hash), V4_TCP);
    rx_post(&queues[queue], 1 + extras);
    vif->port.ops->tx_burst(&vif->port, &frame, 1);
    loop_turn();
    assert_int_equal(rx->sring->rsp_prod - rx->rsp_cons, 1 + extras);
    assert_int_equal(!!(RING_GET_RESPONSE(rx, rx->rsp_cons)->flags & NETRXF_extra_info),
                     extras != 0);
    assert_true(RING_GET_RESPONSE(rx, rx->rsp_cons++)->status > 0);
    if (segsz) {
        memcpy(&extra, RING_GET_RESPONSE(rx, rx->rsp_cons++), sizeof(extra));
        assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
        assert_int_equal(extra.flags, has_hash ? XEN_NETIF_EXTRA_FLAG_MORE : 0);
        assert_int_equal(extra.u.gso.size, segsz);
    }
    if (has_hash) {
        memcpy(&extra, RING_GET_RESPONSE(rx, rx->rsp_cons++), sizeof(extra));
        assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_HASH);
        assert_int_equal(extra.flags, 0);
        assert_int_equal(extra.u.hash.type, _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP);
        assert_int_equal(extra.u.hash.algorithm, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);
        assert_memory_equal(extra.u.hash.value, &hash, 4);
    }
}

static void frames_go_where_the_table_says_with_their_hash(void **state)
{
    (void)state;
    assert_string_equal(back_read(queues, "feature-ctrl-ring"), "1");
    hash_set_up();
    assert_arrives(1, IPPROTO_TCP, 0, true);
    assert_arrives(1, IPPROTO_TCP, 1000, true);
    assert_arrives(1, IPPROTO_UDP, 0, false); /* no hash of this type was asked for: entry 0 */
    page[0] = 0;
    assert_int_equal(ASK(SET_HASH_MAPPING, DATA_REF, 1, 0), OK);
    assert_arrives(0, IPPROTO_UDP, 0, false);
    assert_int_equal(ASK(SET_HASH_ALGORITHM, XEN_NETIF_CTRL_HASH_ALGORITHM_NONE, 0, 0), OK);
    assert_int_equal(ASK(GET_HASH_FLAGS, 0, 0, 0), NOT_SUPPORTED);
}

static void questions_are_answered(void **state)
{
    (void)state;
    assert_int_equal(ASK(GET_HASH_MAPPING_SIZE, 0, 0, 0), OK);
    assert_int_equal(got_data, HASH_MAPPING_MAX);
    assert_int_equal(ASK(SET_HASH_ALGORITHM, 1, 0, 0), OK);
    assert_int_equal(ASK(GET_HASH_FLAGS, 0, 0, 0), OK);
    assert_int_equal(got_data, HASH_FLAGS_ALL);
}

/* Whatever there may be one day. */
static void unknown_types_are_refused_aloud(void **state)
{
    static const uint16_t types[] = { 0, 11, 0xffff };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(types); i++) {
        assert_int_equal(ask(types[i], 0, DATA_REF, 1), NOT_SUPPORTED);
        assert_int_equal(got_data, 0);
    }
    assert_int_equal(gnttab_nr_maps(), 2 * QUEUES + 1);
}

static void bad_parameters_change_nothing(void **state)
{
    struct vif_hash before;

    (void)state;
    hash_set_up();
    before = vif->hash;
    assert_int_equal(ASK(SET_HASH_ALGORITHM, 2, 0, 0), INVALID);
    assert_int_equal(ASK(SET_HASH_FLAGS, 0x10, 0, 0), INVALID);
    assert_int_equal(ASK(SET_HASH_KEY, 9999, 8, 0), INVALID);
    assert_int_equal(ASK(SET_HASH_KEY, DATA_REF, 41, 0), XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW);
    assert_int_equal(ASK(SET_HASH_MAPPING_SIZE, 129, 0, 0), INVALID);
    assert_int_equal(ASK(SET_HASH_MAPPING, 9999, 4, 0), INVALID);
    assert_int_equal(ASK(SET_HASH_MAPPING, DATA_REF, 5, 0), INVALID);
    assert_int_equal(ASK(SET_HASH_MAPPING, DATA_REF, 1, UINT32_MAX), INVALID);
    page[0] = 0;
    page[1] = QUEUES; /* no such queue */
    assert_int_equal(ASK(SET_HASH_MAPPING, DATA_REF, 2, 0), INVALID);
    assert_memory_equal(&vif->hash, &before, sizeof(before));
}

/* More than one turn serves, without another event. */
static void full_ring_is_served_bit_by_bit(void **state)
{
    unsigned int first;

    (void)state;
    for (unsigned int i = 0; i < RING_SIZE(&ring); i++)
        put(XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0);
    push();
    fake_xen_run();
    first = ring.sring->rsp_prod;
    assert_true(first > 0 && first < 32);
    fake_xen_sleep(100 * MS);
    for (unsigned int i = 0; i < RING_SIZE(&ring); i++)
        assert_int_equal(response(XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE), OK);
    assert_int_equal(response(0), UINT32_MAX);
    assert_int_equal(ASK(GET_HASH_MAPPING_SIZE, 0, 0, 0), OK);
}

static void bad_index_closes_the_vif(void **state)
{
    (void)state;
    ring.sring->req_prod += 1000;
    fake_port_ring(7, CTRL_PORT);
    loop_turn();
    loop_turn();
    fake_xen_sleep(100 * MS);
    assert_int_equal(back_state(queues), 5);
    assert_non_null(strstr(back_read(queues, "hotplug-error"), "control ring's req_prod"));
    assert_int_equal(gnttab_nr_maps(), 0);
    assert_int_equal(evtchn_nr_open(), 0);
}

static void bad_nodes_close_the_vif(void **state)
{
    static const char *const rows[][3] = {
        { "event-channel-ctrl", NULL, "event-channel-ctrl is missing" },
        { "event-channel-ctrl", "99", "event-channel-ctrl cannot be used" },
        { "event-channel-ctrl", "22", "event-channel-ctrl is the event channel of another" },
        { "ctrl-ring-ref", "-1", "ctrl-ring-ref makes no sense" },
        { "ctrl-ring-ref", "77", "ctrl-ring-ref cannot be used" },
        { "ctrl-ring-ref", "2008", "ctrl-ring-ref is the page of another ring" },
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
        guest_state(queues, "5");
        guest_state(queues, "6");
        guest_queues_free(queues, QUEUES);
        guest_state(queues, "1");
        guest_queues(queues, QUEUES);
        ctrl_nodes();
        front_write(queues, rows[i][0], rows[i][1]);
        guest_state(queues, "4");
        fake_xen_sleep(500 * MS);
        if (back_state(queues) != 5 || !strstr(back_read(queues, "hotplug-error"), rows[i][2]))
            fail_msg("row %u: state %d, %s", i, back_state(queues),
                     back_read(queues, "hotplug-error"));
        assert_int_equal(gnttab_nr_maps(), 0);
        assert_int_equal(evtchn_nr_open(), 0);
    }
}

/* What was set on one ring is forgotten with it. */
static void next_ring_begins_anew(void **state)
{
    (void)state;
    hash_set_up();
    reconnect();
    assert_int_equal(vif->hash.algorithm, 0);
    assert_int_equal(ASK(GET_HASH_FLAGS, 0, 0, 0), NOT_SUPPORTED);
}

static void hash_goes_on_after_a_restart(void **state)
{
    struct vif_hash before;

    (void)state;
    hash_set_up();
    before = vif->hash;
    assert_int_equal(kernel_restart(), 1);
    assert_memory_equal(&vif->hash, &before, sizeof(before));
    assert_int_equal(gnttab_nr_maps(), 2 * QUEUES + 1);
    assert_int_equal(evtchn_nr_open(), 2 * QUEUES + 1);
    assert_arrives(1, IPPROTO_TCP, 1000, true);
    assert_int_equal(ASK(GET_HASH_FLAGS, 0, 0, 0), OK);
    assert_int_equal(vif_watch(), 0);
    fake_xen_sleep(1000 * MS);
    assert_int_equal(back_state(queues), 4);
}

/* The one in hand may have been done, or not; those behind it were not touched. */
static void request_in_hand_fails_the_others_are_served(void **state)
{
    (void)state;
    put(XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, 1, 0, 0);
    put(XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0);
    ring.sring->req_prod = ring.req_prod_pvt;
    vif->ctrl_mark = ring.rsp_cons + 1;
    assert_int_equal(kernel_restart(), 1);
    loop_turn();
    assert_int_equal(response(XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM), INVALID);
    assert_int_equal(response(XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE), OK);
    assert_int_equal(vif->hash.algorithm, 0);
}

static void damaged_hash_is_not_believed(void **state)
{
    (void)state;
    hash_set_up();
    vif->hash.mapping[77] ^= 1;
    assert_int_equal(kernel_restart(), 0);
    assert_true(fake_log_has("cannot go on: what is kept of its hash"));
    assert_int_equal(gnttab_nr_maps(), 0);
    assert_int_equal(evtchn_nr_open(), 0);
}

/* Responses with extra infos were written and not pushed: the requests' ids are known all the same. */
static void slots_of_extras_in_hand_are_answered(void **state)
{
    netif_rx_front_ring_t *rx = &queues[1].rx;
    uint8_t bytes[4096];
    uint16_t flags, gso;

    (void)state;
    hash_set_up();
    assert_arrives(1, IPPROTO_TCP, 1000, true);
    rx->rsp_cons -= 3;
    rx->sring->rsp_prod -= 3;
    assert_int_equal(kernel_restart(), 1);
    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(rx_take(&queues[1], bytes, &flags, &gso), -1);
    assert_int_equal(rx_take(&queues[1], bytes, &flags, &gso), -100);
    assert_arrives(1, IPPROTO_TCP, 1000, true);
}

/* As after depth 3: what was set is lost, the frontend's requests are answered, it works on. */
static void ring_is_taken_over_without_its_hash(void **state)
{
    (void)state;
    hash_set_up();
    put(XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS, V4_TCP, 0, 0);
    ring.sring->req_prod = ring.req_prod_pvt;
    vif_disconnect(vif);
    for (unsigned int i = 0; i < QUEUES; i++) {
        fake_port_offer(7, guest_port(&queues[i], GUEST_TX_PORT));
        fake_port_offer(7, guest_port(&queues[i], GUEST_RX_PORT));
    }
    fake_port_offer(7, CTRL_PORT);
    memset(vif_table, 0, sizeof(vif_table));
    memset(vif_more_queues, 0, sizeof(vif_more_queues));
    fake_xen_restart();
    assert_int_equal(vif_init(&vif_host), 0);
    assert_int_equal(vif_watch(), 0);
    fake_xen_sleep(1000 * MS);
    assert_true(vif->ctrl.used);
    assert_int_equal(response(XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS), INVALID);
    assert_int_equal(ASK(GET_HASH_FLAGS, 0, 0, 0), NOT_SUPPORTED);
    hash_set_up();
    assert_arrives(1, IPPROTO_TCP, 0, true);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(frames_go_where_the_table_says_with_their_hash),
        TEST(questions_are_answered),
        TEST(unknown_types_are_refused_aloud),
        TEST(bad_parameters_change_nothing),
        TEST(full_ring_is_served_bit_by_bit),
        TEST(bad_index_closes_the_vif),
        TEST(bad_nodes_close_the_vif),
        TEST(next_ring_begins_anew),
        TEST(hash_goes_on_after_a_restart),
        TEST(request_in_hand_fails_the_others_are_served),
        TEST(damaged_hash_is_not_believed),
        TEST(slots_of_extras_in_hand_are_answered),
        TEST(ring_is_taken_over_without_its_hash),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
