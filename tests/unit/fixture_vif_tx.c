/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "fixture_vif_tx.h"
#include "vif/device.h"
#include "xen/gnttab.h"

struct fake_guest guest;
uint8_t bytes[70000], got[70000];

int tx_setup(void **state)
{
    if (vif_test_setup(state))
        return -1;
    guest_up(&guest, 7);
    for (unsigned int i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    return vif_nr_connected() == 1 ? 0 : -1;
}

int tx_teardown(void **state)
{
    vif_disconnect(&vif_table[0]);
    guest_free(&guest);
    return vif_test_teardown(state);
}

/* The only frame that came in is these bytes, in well-formed mbufs. */
void assert_frame(unsigned int index, uint32_t len)
{
    struct rte_mbuf *frame = fake_host.frames[index];
    const char *why;

    assert_true(index < fake_host.nr_frames);
    assert_int_equal(frame->pkt_len, len);
    assert_int_equal(rte_mbuf_check(frame, 1, &why), 0);
    assert_int_equal(frame_bytes(frame, got, sizeof(got)), len);
    assert_memory_equal(got, bytes, len);
}

void assert_responses(unsigned int nr, int status)
{
    static uint16_t expected;
    uint16_t id;

    expected = guest.tx.rsp_cons % GUEST_RING;
    for (unsigned int i = 0; i < nr; i++) {
        assert_int_equal(tx_response(&guest, &id), status);
        assert_int_equal(id, 0x4000 + expected++ % GUEST_RING);
    }
}

void assert_no_response(void)
{
    assert_int_equal(tx_response(&guest, NULL), -100);
}

/* One packet was refused, with so many slots, and the vif lives on. */
void assert_refused(unsigned int slots)
{
    loop_turn();
    assert_int_equal(fake_host.nr_frames, 0);
    assert_responses(slots, NETIF_RSP_ERROR);
    assert_no_response();
    assert_int_equal(vif_port(0)->stats.rx_errors, 1);
    tx_send(&guest, bytes, 60, 4096, 0, 0);
    loop_turn();
    assert_frame(0, 60);
    assert_responses(1, NETIF_RSP_OKAY);
    assert_true(loop_idle());
}
