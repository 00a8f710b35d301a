/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "eal/nic_mtu.h"

#define PIECES_IN RTE_ETH_RX_OFFLOAD_SCATTER
#define PIECES_OUT RTE_ETH_TX_OFFLOAD_MULTI_SEGS

/* As the drivers of DPDK 22.11 fill it in. */
static void the_most_is_the_drivers(void **state)
{
    static const struct {
        const char *name;
        uint32_t max_rx_pktlen;
        uint16_t max_mtu;
        uint64_t rx, tx;
        uint16_t most;
        bool is_explained;
    } rows[] = {
        { "82574L", 0x2412, UINT16_MAX, PIECES_IN, PIECES_OUT, 0x2412 - 22, false },
        { "82540EM", 0x3f00, UINT16_MAX, PIECES_IN, PIECES_OUT, 0x3f00 - 22, false },
        { "PCH", 0x1000, UINT16_MAX, PIECES_IN, PIECES_OUT, 0x1000 - 22, false },
        { "ICH8", 1518, UINT16_MAX, PIECES_IN, PIECES_OUT, 1500, false },
        { "vmxnet3", 16384, 9000, PIECES_IN, PIECES_OUT, 9000, false },
        { "virtio", 9728, 9710, PIECES_IN, PIECES_OUT, 9710, false },
        { "virtio, host_mtu=1400", 9728, 1400, PIECES_IN, PIECES_OUT, 1400, false },
        { "virtio, mrg_rxbuf=off", 9728, 9710, 0, PIECES_OUT, 1500, true },
        { "one buffer to transmit", 9728, 9710, PIECES_IN, 0, 1500, true },
        { "1400 and no pieces", 9728, 1400, 0, 0, 1400, false },
        { "65535", UINT32_MAX, UINT16_MAX, PIECES_IN, PIECES_OUT, UINT16_MAX, false },
        { "nothing", 0, UINT16_MAX, PIECES_IN, PIECES_OUT, 1500, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rte_eth_dev_info info = { .max_rx_pktlen = rows[i].max_rx_pktlen,
                                         .max_mtu = rows[i].max_mtu,
                                         .rx_offload_capa = rows[i].rx,
                                         .tx_offload_capa = rows[i].tx };
        const char *why = NULL;
        uint16_t most = nic_mtu_max(&info, &why);

        if (most != rows[i].most || (why[0] != '\0') != rows[i].is_explained)
            fail_msg("%s: %u%s", rows[i].name, most, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_is_the_drivers),
    };

    return cmocka_run_group_tests_name("nic_mtu", tests, NULL, NULL);
}
