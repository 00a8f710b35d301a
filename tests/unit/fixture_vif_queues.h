/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of a vif with several queues, which is connected at their start. One file of a program may include this. */
#ifndef FIXTURE_VIF_QUEUES_H
#define FIXTURE_VIF_QUEUES_H

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
#include "net/frame.h"
#include "vif/device.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define MS 1000000ull
#define QUEUES 3u

static struct fake_guest queues[VIF_QUEUES_MAX];
static struct vif *const vif = &vif_table[0];
static uint8_t bytes[2048], got[70000];

static inline int setup(void **state)
{
    if (vif_test_setup(state))
        return -1;
    memset(queues, 0, sizeof(queues));
    guest_queues_up(queues, QUEUES, 7);
    for (unsigned int i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    return vif->nr_queues == QUEUES ? 0 : -1;
}

static inline int teardown(void **state)
{
    vif_disconnect(vif);
    guest_queues_free(queues, VIF_QUEUES_MAX);
    if (gnttab_nr_maps() || evtchn_nr_open())
        return -1;
    for (unsigned int i = 0; i < VIF_MORE_QUEUES; i++)
        if (vif_more_queues[i].vif)
            return -1;
    return vif_test_teardown(state);
}

/* A UDP frame of a flow, which its source port names. */
static inline struct rte_mbuf *flow_frame(uint16_t flow)
{
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_UDP, 100, 0);

    *(uint16_t *)rte_pktmbuf_mtod_offset(frame, uint16_t *, 34) = rte_cpu_to_be_16(flow);
    frame->ol_flags = 0;
    return frame;
}

static inline void flow_send(uint16_t flow)
{
    struct rte_mbuf *frame = flow_frame(flow);

    vif->port.ops->tx_burst(&vif->port, &frame, 1);
}

/* Which queue has a frame to take; QUEUES: none. It is taken. */
static inline unsigned int queue_that_got_one(void)
{
    uint16_t flags, gso;

    for (unsigned int i = 0; i < QUEUES; i++)
        if (rx_take(&queues[i], got, &flags, &gso) > 0)
            return i;
    return QUEUES;
}

static inline void all_post(unsigned int nr)
{
    for (unsigned int i = 0; i < QUEUES; i++)
        rx_post(&queues[i], nr);
}

/* Each queue moves a frame in each direction. */
static inline void assert_serves(void)
{
    unsigned int seen = 0;

    for (unsigned int i = 0; i < QUEUES; i++) {
        fake_host_empty();
        tx_send(&queues[i], bytes, 60, 4096, 0, 0);
        loop_turn();
        assert_int_equal(fake_host.nr_frames, 1);
        assert_int_equal(tx_response(&queues[i], NULL), NETIF_RSP_OKAY);
        assert_int_equal(tx_response(&queues[i], NULL), -100);
    }
    fake_host_empty();
    all_post(64);
    for (uint16_t flow = 0; flow < 64 && seen != (1u << QUEUES) - 1; flow++) {
        flow_send(flow);
        loop_turn();
        seen |= 1u << queue_that_got_one();
    }
    assert_int_equal(seen, (1u << QUEUES) - 1);
    assert_true(loop_idle());
}

#endif
