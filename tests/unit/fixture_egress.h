/* SPDX-License-Identifier: BSD-2-Clause */
/* One fake port that frames leave through, for tests of net/egress.c. Include it once a program, after cmocka.h. */
#ifndef FIXTURE_EGRESS_H
#define FIXTURE_EGRESS_H

#include "fixture_net.h"
#include "net/egress.h"

#define CSUM (PORT_TX_CSUM_V4 | PORT_TX_CSUM_V6)
#define TSO (PORT_TX_TSO_V4 | PORT_TX_TSO_V6)

static struct fake_port fake;

static int start(void **state)
{
    (void)state;
    egress_init(fixture_pool());
    fake_port_init(&fake, "fake", 0);
    return egress_plug(&fake.port);
}

static int end(void **state)
{
    (void)state;
    fake_port_empty(&fake);
    return fixture_in_use();
}

static void put(struct rte_mbuf *frame, uint32_t tx_caps)
{
    fake.port.tx_caps = tx_caps;
    egress_put(&fake.port, frame);
    egress_flush_all();
}

static void assert_dropped(struct rte_mbuf *frame, uint32_t tx_caps)
{
    uint64_t before = fake.port.stats.tx_drops;

    put(frame, tx_caps);
    assert_int_equal(fake.nr_kept, 0);
    assert_int_equal(fake.port.stats.tx_drops, before + 1);
    assert_int_equal(fixture_in_use(), 0);
}

#endif
