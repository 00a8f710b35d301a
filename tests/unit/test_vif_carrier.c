/* SPDX-License-Identifier: BSD-2-Clause */
/* The carrier node: it says what main says, is written when that changes, and is right after a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_guest.h"
#include "fake_xen.h"
#include "fixture_vif_tx.h"
#include "vif/device.h"

#define MS 1000000ull

static void say(enum vif_carrier carrier)
{
    fake_host.carrier = carrier;
    vif_carriers_changed();
    fake_xen_run();
}

static void assert_says(const char *value)
{
    assert_string_equal(back_read(&guest, "carrier"), value);
}

static void node_follows_the_link(void **state)
{
    unsigned int writes = fake_store_writes();

    (void)state;
    assert_says("1");
    for (unsigned int i = 1; i <= 5; i++) {
        say(VIF_CARRIER_DOWN);
        assert_says("0");
        say(VIF_CARRIER_DOWN);
        say(VIF_CARRIER_UP);
        assert_says("1");
        assert_int_equal(fake_store_writes(), writes + 2 * i);
    }
    assert_int_equal(back_state(&guest), 4);
    assert_true(vif_port(0)->up); /* other guests are still there */
}

static void link_that_is_not_known_changes_nothing(void **state)
{
    (void)state;
    say(VIF_CARRIER_UNKNOWN);
    assert_says("1");
    say(VIF_CARRIER_DOWN);
    say(VIF_CARRIER_UNKNOWN);
    assert_says("0");
}

static void vif_is_offered_with_what_is_so(void **state)
{
    static const enum vif_carrier carriers[] = { VIF_CARRIER_DOWN, VIF_CARRIER_UP,
                                                 VIF_CARRIER_UNKNOWN };
    struct fake_guest other[ARRAY_LEN(carriers)];

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(carriers); i++) {
        fake_host.carrier = carriers[i];
        memset(&other[i], 0, sizeof(other[i]));
        guest_create(&other[i], (domid_t)(20 + i), 0);
        fake_xen_sleep(500 * MS);
        assert_int_equal(back_state(&other[i]), 2);
        assert_string_equal(back_read(&other[i], "carrier"), i ? "1" : "0");
        guest_free(&other[i]);
    }
}

/* Before its frontend connects, too. */
static void waiting_vif_is_told(void **state)
{
    (void)state;
    guest_state(&guest, "1");
    fake_xen_sleep(500 * MS);
    assert_int_equal(back_state(&guest), 2);
    say(VIF_CARRIER_DOWN);
    assert_says("0");
    guest_connect(&guest);
    assert_int_equal(back_state(&guest), 4);
    assert_says("0");
}

/* The next start knows what the node says: it writes what has changed, and nothing else. */
static void restart_writes_only_what_changed(void **state)
{
    unsigned int writes;

    (void)state;
    say(VIF_CARRIER_DOWN);
    for (unsigned int i = 0; i < 4; i++) {
        assert_int_equal(kernel_restart(), 1);
        writes = fake_store_writes();
        fake_host.carrier = i % 2 ? VIF_CARRIER_DOWN : VIF_CARRIER_UP;
        assert_int_equal(vif_watch(), 0);
        fake_xen_run();
        assert_says(i % 2 ? "0" : "1");
        assert_int_equal(fake_store_writes(), writes + 1);
        assert_int_equal(kernel_restart(), 1);
        writes = fake_store_writes();
        assert_int_equal(vif_watch(), 0);
        fake_xen_run();
        assert_int_equal(fake_store_writes(), writes);
    }
}

static void node_that_cannot_be_written_is_not_asked_for_without_end(void **state)
{
    unsigned int requests;

    (void)state;
    fake_store_refuse_writes("carrier");
    say(VIF_CARRIER_DOWN);
    requests = fake_store_requests();
    fake_xen_sleep(5000 * MS);
    assert_int_equal(fake_store_requests(), requests);
    fake_store_refuse_writes(NULL);
    assert_int_equal(back_state(&guest), 4);
    say(VIF_CARRIER_UP);
    say(VIF_CARRIER_DOWN);
    assert_says("0");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tx_setup, tx_teardown)
    const struct CMUnitTest tests[] = {
        TEST(node_follows_the_link),
        TEST(link_that_is_not_known_changes_nothing),
        TEST(vif_is_offered_with_what_is_so),
        TEST(waiting_vif_is_told),
        TEST(restart_writes_only_what_changed),
        TEST(node_that_cannot_be_written_is_not_asked_for_without_end),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
