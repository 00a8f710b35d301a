/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vif line and dom0's policy say about a vif: taken before it is offered, kept to while it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_net.h"
#include "fixture_vif_tx.h"
#include "vif/credit.h"
#include "vif/device.h"

#define MS 1000000ull
#define POLICY "/local/domain/5/ferry/policy/"

static struct fake_guest other;

static void offer(domid_t domid)
{
    guest_create(&other, domid, 0);
    fake_xen_sleep(500 * MS);
}

static void assert_refused_with(const char *words)
{
    assert_null(back_read(&other, "state"));
    assert_non_null(strstr(back_read(&other, "hotplug-error"), words));
    assert_true(fake_log_has(words));
    assert_int_equal(fake_host.nr_attached, 0);
}

static void node_that_nobody_honours_refuses_the_vif(void **state)
{
    (void)state;
    guest_create(&other, 9, 0);
    back_write(&other, "colo_sock_mirror_id", "1");
    fake_xen_sleep(500 * MS);
    assert_refused_with("node 'colo_sock_mirror_id' is not understood");
}

static void long_list_of_addresses_reaches_the_host_whole(void **state)
{
    char ip[VIF_IP_SIZE];

    (void)state;
    memset(ip, '1', sizeof(ip));
    ip[sizeof(ip) - 1] = '\0';
    guest_create(&other, 9, 0);
    back_write(&other, "ip", ip);
    back_write(&other, "vifname", "web");
    back_write(&other, "type", "vif");
    fake_xen_sleep(500 * MS);
    assert_int_equal(fake_host.nr_attached, 1);
    assert_string_equal(fake_host.wish.ip, ip);
    assert_string_equal(fake_host.wish.script, "vif-bridge");
    assert_int_equal(fake_host.wish.mac.addr_bytes[4], 9);
}

static void longer_list_than_any_buffer_is_refused_by_name(void **state)
{
    char ip[VIF_IP_SIZE + 1];

    (void)state;
    memset(ip, '1', sizeof(ip));
    ip[sizeof(ip) - 1] = '\0';
    guest_create(&other, 9, 0);
    back_write(&other, "ip", ip);
    fake_xen_sleep(500 * MS);
    assert_refused_with("ip='1111");
}

static void policy_of_its_mac_is_taken_before_the_vif_is_attached(void **state)
{
    (void)state;
    fake_store_write(POLICY "default", "isolated");
    fake_store_write(POLICY "00163e000900", "guard ra");
    offer(9);
    assert_string_equal(fake_host.policy, "guard ra");
    assert_int_equal(fake_host.nr_policies, 1);
    assert_int_equal(fake_host.nr_attached, 1);
}

static void vif_without_a_policy_gets_the_default_one(void **state)
{
    (void)state;
    fake_store_write(POLICY "default", "isolated");
    offer(9);
    assert_string_equal(fake_host.policy, "isolated");
    assert_int_equal(back_state(&other), 2);
}

static void policy_that_makes_no_sense_refuses_the_vif(void **state)
{
    (void)state;
    fake_store_write(POLICY "00163e000900", "bad");
    offer(9);
    assert_refused_with("line 1: 'bad' is not understood");
}

static void vif_without_the_policy_that_is_required_is_refused(void **state)
{
    (void)state;
    fake_host.wants_policy = true;
    offer(9);
    assert_refused_with("policy=required");
}

static void new_policy_holds_while_the_vif_is_in_use(void **state)
{
    (void)state;
    assert_true(vif_table[0].port.tx_caps & PORT_TX_TSO_V4);
    fake_store_write(POLICY "00163e000700", "tx-checksum off");
    vif_policies_changed();
    fake_xen_run();
    assert_string_equal(fake_host.policy, "tx-checksum off");
    assert_int_equal(vif_table[0].port.tx_caps, PORT_TX_MULTI_SEG);
    assert_int_equal(vif_nr_connected(), 1);
    fake_store_write(POLICY "00163e000700", NULL);
    vif_policies_changed();
    fake_xen_run();
    assert_true(vif_table[0].port.tx_caps & PORT_TX_TSO_V4);
}

static void bad_new_policy_leaves_the_old_one_and_the_vif(void **state)
{
    (void)state;
    fake_store_write(POLICY "00163e000700", "tx-checksum off");
    vif_policies_changed();
    fake_xen_run();
    fake_store_write(POLICY "00163e000700", "bad");
    vif_policies_changed();
    fake_xen_run();
    assert_int_equal(vif_table[0].port.tx_caps, PORT_TX_MULTI_SEG);
    assert_int_equal(vif_nr_connected(), 1);
    assert_true(fake_log_has("the old one holds: line 1"));
}

/* Send nr frames of len bytes; returns how many came in. */
static unsigned int sent(unsigned int nr, uint32_t len)
{
    unsigned int came;

    fake_host_empty();
    for (unsigned int i = 0; i < nr; i++)
        tx_send(&guest, bytes, len, 4096, 0, 0);
    while (!loop_idle())
        ;
    came = fake_host.nr_frames;
    while (tx_response(&guest, NULL) != -100)
        ;
    return came;
}

static void guest_sends_no_faster_than_its_rate(void **state)
{
    (void)state;
    back_write(&guest, "rate", "5000,50000");
    fake_xen_run();
    assert_int_equal(sent(20, 1000), 5);
    assert_int_equal(guest.tx.sring->rsp_prod, 5); /* the rest waits with the guest */
    fake_xen_sleep(49 * MS);
    assert_int_equal(sent(0, 0), 0);
    fake_xen_sleep(2 * MS);
    assert_int_equal(sent(0, 0), 5);
    fake_xen_sleep(500 * MS);
    assert_int_equal(sent(0, 0), 10);
}

static void limit_is_lifted_when_its_node_goes(void **state)
{
    (void)state;
    back_write(&guest, "rate", "5000,50000");
    fake_xen_run();
    assert_int_equal(sent(20, 1000), 5);
    back_write(&guest, "rate", NULL);
    fake_xen_run();
    assert_int_equal(sent(0, 0), 15);
}

static void rate_that_makes_no_sense_leaves_the_old_limit(void **state)
{
    (void)state;
    back_write(&guest, "rate", "5000,50000");
    fake_xen_run();
    back_write(&guest, "rate", "fast");
    fake_xen_run();
    assert_true(fake_log_has("the old one holds: rate='fast'"));
    assert_int_equal(sent(20, 1000), 5);
}

static void limit_outlives_a_restart(void **state)
{
    (void)state;
    back_write(&guest, "rate", "5000,50000");
    fake_xen_run();
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(sent(20, 1000), 5);
    back_write(&guest, "rate", "10000,50000"); /* before anybody watches again */
    assert_int_equal(vif_watch(), 0);
    fake_xen_run();
    assert_int_equal(sent(0, 0), 10);
}

static void to_guest(unsigned int nr, uint32_t len)
{
    struct rte_mbuf *frames[PORT_BURST];

    for (unsigned int i = 0; i < nr; i++)
        frames[i] = frame_make(station(1), station(2), len);
    vif_rx_enqueue(&vif_table[0].port, frames, (uint16_t)nr);
}

static unsigned int received(void)
{
    unsigned int nr = 0;
    uint16_t flags, gso;

    while (!loop_idle())
        ;
    while (rx_take(&guest, got, &flags, &gso) >= 0)
        nr++;
    return nr;
}

static void guest_is_sent_to_no_faster_than_the_policy_says(void **state)
{
    (void)state;
    vif_table[0].port.tx_rate = (struct port_rate){ 4000, 50000 };
    vif_limits_set(&vif_table[0]);
    rx_post(&guest, 64);
    to_guest(10, 1000);
    assert_int_equal(received(), 4);
    fake_xen_sleep(51 * MS);
    assert_int_equal(received(), 4);
    fake_xen_sleep(51 * MS);
    assert_int_equal(received(), 2);
}

static void policy_goes_before_the_vif_line(void **state)
{
    (void)state;
    back_write(&guest, "rate", "5000,50000");
    vif_table[0].port.rx_rate = (struct port_rate){ 2000, 50000 };
    fake_xen_run();
    assert_int_equal(sent(20, 1000), 2);
}

static void credit_adds_up_to_a_long_frame_and_no_further(void **state)
{
    struct credit credit = { 0 };
    const struct port_rate rate = { 1000, 1000 };

    (void)state;
    credit_set(&credit, &rate, 0);
    assert_false(credit_take(&credit, 65536, 60 * MS));
    assert_true(credit_take(&credit, 65536, 100 * MS));
    assert_false(credit_take(&credit, 65536, 100 * MS));
    assert_true(credit_take(&credit, 65536, UINT64_MAX / 2));
    assert_true(credit_take(&credit, 65536, UINT64_MAX / 2));
    assert_false(credit_take(&credit, 1, UINT64_MAX / 2));
}

static void same_rate_set_again_gives_no_new_credit(void **state)
{
    struct credit credit = { 0 };
    const struct port_rate rate = { 1000, 1000 };

    (void)state;
    credit_set(&credit, &rate, 0);
    assert_true(credit_take(&credit, 1000, 0));
    credit_set(&credit, &rate, 0);
    assert_false(credit_take(&credit, 1, 0));
}

static void huge_rate_does_not_overflow(void **state)
{
    struct credit credit = { 0 };
    const struct port_rate rate = { UINT64_MAX, UINT32_MAX };

    (void)state;
    credit_set(&credit, &rate, 0);
    for (unsigned int i = 0; i < 100; i++)
        assert_true(credit_take(&credit, 65536, i * 10000000 * MS));
}

int main(void)
{
#define FRESH(name) cmocka_unit_test_setup_teardown(name, vif_test_setup, vif_test_teardown)
#define CONNECTED(name) cmocka_unit_test_setup_teardown(name, tx_setup, tx_teardown)
    const struct CMUnitTest tests[] = {
        FRESH(node_that_nobody_honours_refuses_the_vif),
        FRESH(long_list_of_addresses_reaches_the_host_whole),
        FRESH(longer_list_than_any_buffer_is_refused_by_name),
        FRESH(policy_of_its_mac_is_taken_before_the_vif_is_attached),
        FRESH(vif_without_a_policy_gets_the_default_one),
        FRESH(policy_that_makes_no_sense_refuses_the_vif),
        FRESH(vif_without_the_policy_that_is_required_is_refused),
        CONNECTED(new_policy_holds_while_the_vif_is_in_use),
        CONNECTED(bad_new_policy_leaves_the_old_one_and_the_vif),
        CONNECTED(guest_sends_no_faster_than_its_rate),
        CONNECTED(limit_is_lifted_when_its_node_goes),
        CONNECTED(rate_that_makes_no_sense_leaves_the_old_limit),
        CONNECTED(limit_outlives_a_restart),
        CONNECTED(guest_is_sent_to_no_faster_than_the_policy_says),
        CONNECTED(policy_goes_before_the_vif_line),
        cmocka_unit_test(credit_adds_up_to_a_long_frame_and_no_further),
        cmocka_unit_test(same_rate_set_again_gives_no_new_credit),
        cmocka_unit_test(huge_rate_does_not_overflow),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
