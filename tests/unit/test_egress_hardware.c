/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports whose hardware cuts long TCP frames: it has limits, and behind them frames are cut here. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_egress.h"

static void hardware_cuts_what_it_can(void **state)
{
    const uint32_t caps = TSO | CSUM | PORT_TX_MULTI_SEG;
    struct rte_mbuf *frame = frame_make_l4(false, IPPROTO_TCP, 14480, 1448);

    (void)state;
    fake.port.tx_segments_max = frame->nb_segs;
    put(frame, caps);
    assert_int_equal(fake.nr_kept, 1);
    assert_ptr_equal(fake.kept[0], frame);
    put(frame_make_l4(true, IPPROTO_TCP, 14280, 1428), caps);
    assert_int_equal(fake.nr_kept, 2);
    fake_port_empty(&fake);
    fake.port.tx_segments_max--;
    put(frame_make_l4(false, IPPROTO_TCP, 14480, 1448), caps);
    assert_int_equal(fake.nr_kept, 10);
    fake_port_empty(&fake);
    put(frame_make_l4(false, IPPROTO_TCP, 1020, 255), caps);
    assert_int_equal(fake.nr_kept, 4);
    fake_port_empty(&fake);
    assert_dropped(frame_make_l4(false, IPPROTO_TCP, 4400, 1461), caps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hardware_cuts_what_it_can, start, end),
    };

    return cmocka_run_group_tests_name("egress_hardware", tests, fixture_start, NULL);
}
