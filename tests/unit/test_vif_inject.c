/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that can fail in a vif's life fails, one after the other: a life is lived once to count what can, then once with
 * each failing alone, and once with every third and all after it failing. After each the vif is in a state that a
 * frontend can read, nothing is held that no vif holds, and with the toolstack's help the vif goes; the next guest is served.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
#define CTRL_PORT 33

static struct fake_guest queues[VIF_QUEUES_MAX], next;
static xen_netif_ctrl_front_ring_t ctrl;
static uint8_t bytes[4000];
static char what[64]; /* failed in this run, for a message */

static const int errors[] = { -EAGAIN, -EINVAL, -ENOENT, -ENOSPC, -E2BIG, -EACCES, -EIO };

/* mbufs are points as well: DPDK asks for each through this table. */
static rte_mempool_dequeue_t dequeue_real;

static int dequeue(struct rte_mempool *pool, void **objects, unsigned int nr)
{
    return fake_inject_fails() ? -ENOBUFS : dequeue_real(pool, objects, nr);
}

static int group(void **state)
{
    struct rte_mempool_ops *ops;

    if (vif_test_group(state))
        return -1;
    ops = rte_mempool_get_ops(fixture_pool()->ops_index);
    dequeue_real = ops->dequeue;
    ops->dequeue = dequeue;
    for (unsigned int i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    return 0;
}

static void ctrl_nodes(void)
{
    memset(ctrl.sring, 0, 4096);
    XEN_FRONT_RING_INIT(&ctrl, ctrl.sring, 4096);
    fake_grant(7, CTRL_REF, ctrl.sring);
    fake_port_offer(7, CTRL_PORT);
    front_write(queues, "ctrl-ring-ref", "50");
    front_write(queues, "event-channel-ctrl", "33");
}

static void ctrl_ask(void)
{
    struct xen_netif_ctrl_request *req = RING_GET_REQUEST(&ctrl, ctrl.req_prod_pvt++);

    *req = (struct xen_netif_ctrl_request){ .type = XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM,
                                            .data = { XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ } };
    RING_PUSH_REQUESTS(&ctrl);
    fake_port_ring(7, CTRL_PORT);
}

static void frames_to_guest(void)
{
    struct rte_mbuf *frame = rte_pktmbuf_alloc(fixture_pool());
    struct vif *vif = vif_find(7, 0);

    if (frame)
        memcpy(rte_pktmbuf_append(frame, 1400), bytes, 1400);
    if (frame && vif)
        vif->port.ops->tx_burst(&vif->port, &frame, 1);
    else
        rte_pktmbuf_free(frame);
}

static void traffic(void)
{
    for (unsigned int i = 0; i < QUEUES; i++) {
        rx_post(&queues[i], 8);
        tx_send(&queues[i], bytes, 60, 4096, 0, 0);
        tx_send(&queues[i], bytes, 3000, 1000, 0, 0);
    }
    ctrl_ask();
    frames_to_guest();
    for (unsigned int i = 0; i < 3; i++)
        loop_turn();
}

static void rings_connect(void)
{
    guest_queues_free(queues + 1,
                      QUEUES - 1); /* they are made anew; a ring that is still used stays mapped */
    guest_queues(queues, QUEUES);
    ctrl_nodes();
    guest_state(queues, "4");
    fake_xen_sleep(100 * MS);
}

/* Up, traffic, the frontend's driver is loaded anew, traffic, the toolstack detaches it. */
static void life(void)
{
    guest_create(queues, 7, 0);
    queues->split = true;
    fake_xen_sleep(100 * MS);
    rings_connect();
    traffic();
    guest_state(queues, "6");
    fake_xen_sleep(100 * MS);
    guest_state(queues, "1");
    fake_xen_sleep(100 * MS);
    rings_connect();
    traffic();
    guest_detach(queues);
    fake_xen_sleep(100 * MS);
}

/* The kernel restarts itself under traffic. */
static void life_with_restart(void)
{
    guest_create(queues, 7, 0);
    queues->split = true;
    fake_xen_sleep(100 * MS);
    rings_connect();
    traffic();
    kernel_restart();
    if (vif_watch()) { /* the kernel gives up and starts once more */
        (void)fake_inject_end();
        assert_int_equal(vif_watch(), 0);
    }
    fake_xen_sleep(100 * MS);
    traffic();
}

static void assert_okay(bool okay, const char *expected)
{
    if (!okay)
        fail_msg("%s: not so: %s", what, expected);
}

/* What is held is held by a vif that is connected. */
static void assert_held_by_vifs(void)
{
    const struct vif *vif = vif_find(7, 0);
    unsigned int maps = 0, ports = 0;

    if (vif && vif->mapped) {
        maps = 2u * vif->nr_queues + vif->ctrl.used;
        ports = 2u * vif->nr_queues + vif->ctrl.used;
    }
    assert_okay(gnttab_nr_maps() == maps, "only rings of connected vifs are mapped");
    assert_okay(evtchn_nr_open() == ports, "only ports of connected vifs are bound");
    assert_okay(!vif || vif->mapped || vif->nr_waiting_mbufs == 0, "no frames wait for others");
    for (unsigned int i = 0, used = 0; i < VIF_MORE_QUEUES; i++) {
        used += vif_more_queues[i].vif != NULL;
        assert_okay(used <= (vif && vif->mapped ? QUEUES - 1 : 0), "queues are given back");
    }
}

static void assert_state_is_defined(void)
{
    int state = back_state(queues);

    assert_okay(state == -1 || (state >= 1 && state <= 6), "the backend's state is one of xenbus'");
}

/* libxl ends it: forced, after a detach that nothing came of. */
static void vif_removed(void)
{
    guest_detach(queues);
    fake_xen_sleep(10000 * MS);
    fake_store_write("/local/domain/5/backend/vif/7", NULL);
    fake_store_write("/local/domain/7", NULL);
    fake_xen_sleep(3000 * MS);
    assert_okay(vif_nr() == 0, "the vif is forgotten");
    assert_okay(gnttab_nr_maps() == 0 && evtchn_nr_open() == 0, "nothing is mapped or bound");
    assert_okay(fake_host.nr_attached == 0, "it has left its bridge");
    assert_okay(fake_store_watches() == 1, "no watch is left");
    fake_host_empty();
    assert_okay(fixture_in_use() == 0, "all buffers are back");
}

static void next_guest_is_served(void)
{
    guest_up(&next, 8);
    assert_okay(back_state(&next) == 4 && vif_nr_connected() == 1, "the next guest connects");
    tx_send(&next, bytes, 60, 4096, 0, 0);
    loop_turn();
    assert_okay(fake_host.nr_frames == 1, "the next guest's frame is taken");
    vif_disconnect(vif_find(8, 0));
    guest_free(&next);
    fake_host_empty();
    assert_okay(fixture_in_use() == 0, "all buffers are back");
}

/* One life with this failing. Returns how many points there were. */
static unsigned int lived(void (*fn)(void), unsigned int at, unsigned int from, int err)
{
    void *state = NULL;
    unsigned int nr;

    snprintf(what, sizeof(what), "at %u, from %u, error %d", at, from, err);
    assert_int_equal(vif_test_setup(&state), 0);
    ctrl.sring = fake_page_alloc();
    memset(queues, 0, sizeof(queues));
    fake_inject(at, from, err);
    fn();
    nr = fake_inject_end();
    assert_state_is_defined();
    assert_held_by_vifs();
    vif_removed();
    next_guest_is_served();
    guest_queues_free(queues, QUEUES);
    fake_page_free(ctrl.sring);
    assert_int_equal(vif_test_teardown(&state), 0);
    return nr;
}

static void each_fails(void (*fn)(void))
{
    unsigned int nr = lived(fn, 0, 0, 0);

    assert_in_range(nr, 100, 2000);
    for (unsigned int at = 1; at <= nr; at++)
        (void)lived(fn, at, 0, errors[at % ARRAY_LEN(errors)]);
    for (unsigned int from = 1; from <= nr; from += 3)
        (void)lived(fn, 0, from, errors[from % ARRAY_LEN(errors)]);
}

static void a_vifs_life_with_each_point_failing(void **state)
{
    (void)state;
    each_fails(life);
}

static void a_restart_with_each_point_failing(void **state)
{
    (void)state;
    each_fails(life_with_restart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vifs_life_with_each_point_failing),
        cmocka_unit_test(a_restart_with_each_point_failing),
    };

    return cmocka_run_group_tests(tests, group, NULL);
}
