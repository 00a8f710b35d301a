/* SPDX-License-Identifier: BSD-2-Clause */
/* linux-vif: when a vif is put into its bridge, when it is refused, and when its nodes go. */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_xs.h"
#include "net.h"
#include "vif/port.h"

#define BACK "/local/domain/3/backend/vif/7/0"
#define FRONT "/local/domain/7/device/vif/0"

static struct xs_handle *store;
static char did[256], interface[16], bridge[16];
static int join_err, only_err, up_err, rename_err, mtu_err, mtu_of_bridge;
static bool is_port, is_vif;

static void note(const char *what, const char *value)
{
    snprintf(did + strlen(did), sizeof(did) - strlen(did), "%s %s;", what, value);
}

unsigned int if_nametoindex(const char *name)
{
    return strcmp(name, interface) == 0 ? 5 : 0;
}

bool net_is_bridge(const char *name)
{
    return strcmp(name, bridge) == 0;
}

bool net_is_port(const char *of, const char *name)
{
    (void)of;
    (void)name;
    return is_port;
}

bool net_is_vif(const char *name, uint32_t guest, uint32_t handle)
{
    assert_int_equal(guest, 7);
    assert_int_equal(handle, 0);
    return is_vif && strcmp(name, interface) == 0;
}

int net_bridge_only(char name_r[16])
{
    if (!only_err)
        strcpy(name_r, bridge);
    return only_err;
}

int net_mtu(const char *name)
{
    assert_string_equal(name, bridge);
    return mtu_of_bridge;
}

int net_mtu_set(const char *name, int mtu)
{
    char text[16];

    (void)name;
    snprintf(text, sizeof(text), "%d", mtu);
    note("mtu", text);
    return mtu_err;
}

int net_mac_set(const char *name, const uint8_t mac[6])
{
    assert_int_equal(mac[0], 0xfe);
    note("mac", name);
    return 0;
}

int net_rename(const char *name, const char *to)
{
    (void)name;
    note("rename", to);
    return rename_err;
}

int net_bridge_join(const char *to, const char *name)
{
    (void)name;
    note("join", to);
    return join_err;
}

int net_up(const char *name)
{
    note("up", name);
    return up_err;
}

static int begin(void **state)
{
    (void)state;
    store = fake_xs_open();
    fake_xs_put(store, BACK "/state", "2");
    fake_xs_put(store, BACK "/online", "1");
    fake_xs_put(store, BACK "/bridge", "xenbr0");
    fake_xs_put(store, BACK "/script", "/etc/xen/scripts/vif-bridge");
    fake_xs_put(store, BACK "/hotplug-status", "");
    fake_xs_put(store, FRONT "/state", "4");
    did[0] = '\0';
    strcpy(interface, "vif7.0");
    strcpy(bridge, "xenbr0");
    join_err = up_err = rename_err = mtu_err = only_err = 0;
    mtu_of_bridge = 1500;
    is_port = is_vif = false;
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake_xs_close(store);
    return 0;
}

static void look_is(enum port_step step)
{
    assert_int_equal(port_look(store, 7, 0), step);
}

static void status_is(const char *wanted)
{
    const char *status = fake_xs_get(store, BACK "/hotplug-status");

    assert_string_equal(status ? status : "", wanted);
}

static void refused_with(const char *words)
{
    const char *error;

    look_is(PORT_REFUSED);
    status_is("error");
    error = fake_xs_get(store, BACK "/hotplug-error");
    assert_non_null(error);
    if (!strstr(error, words))
        fail_msg("'%s' does not say '%s'", error, words);
    look_is(PORT_STAYS); /* said once */
}

static void a_vif_is_put_into_its_bridge_once(void **state)
{
    (void)state;
    look_is(PORT_PLUGGED);
    assert_string_equal(did, "mac vif7.0;mtu 1500;join xenbr0;up vif7.0;");
    status_is("connected");
    assert_string_equal(fake_xs_get(store, FRONT "/mtu"), "1500");
    did[0] = '\0';
    look_is(PORT_STAYS);
    assert_string_equal(did, "");
}

static void one_that_netback_has_not_made_waits(void **state)
{
    (void)state;
    interface[0] = '\0';
    fake_xs_put(store, BACK "/state", "1");
    look_is(PORT_STAYS);
    status_is("");
    strcpy(interface, "vif7.0"); /* netback says InitWait a moment later */
    look_is(PORT_PLUGGED);
}

static void one_that_is_in_use_or_closes_is_left_alone(void **state)
{
    static const char *const states[] = { "0", "3", "4", "5", "7", "8", "9", "x" };

    (void)state;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        fake_xs_put(store, BACK "/state", states[i]);
        look_is(PORT_STAYS);
    }
    assert_string_equal(did, "");
    status_is("");
}

static void a_line_says_its_mtu_its_name_and_no_bridge(void **state)
{
    (void)state;
    fake_xs_put(store, BACK "/mtu", "9000");
    fake_xs_put(store, BACK "/vifname", "web");
    xs_rm(store, XBT_NULL, BACK "/bridge");
    look_is(PORT_PLUGGED);
    assert_string_equal(did, "rename web;mac web;mtu 9000;join xenbr0;up web;");
    assert_string_equal(fake_xs_get(store, FRONT "/mtu"), "9000");
}

/* One that died after it had named it. */
static void one_that_has_its_name_already_goes_on(void **state)
{
    (void)state;
    fake_xs_put(store, BACK "/vifname", "web");
    strcpy(interface, "web");
    look_is(PORT_STAYS); /* somebody else's */
    assert_string_equal(did, "");
    is_vif = true;
    look_is(PORT_PLUGGED);
    assert_string_equal(did, "mac web;mtu 1500;join xenbr0;up web;");
}

static void no_bridge_and_several_of_them(void **state)
{
    (void)state;
    xs_rm(store, XBT_NULL, BACK "/bridge");
    only_err = -ENOENT;
    refused_with("names no bridge");
}

static void a_bridge_that_is_not_there(void **state)
{
    (void)state;
    strcpy(bridge, "xenbr1");
    refused_with("no bridge 'xenbr0'");
}

static void names_that_are_none(void **state)
{
    static const char *const bad[] = { "..", "a/b", "0123456789abcdef", "a b" };

    end(state);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin(state);
        strcpy(bridge, "..");
        fake_xs_put(store, BACK "/bridge", bad[i]);
        refused_with("no bridge");
        end(state);
        begin(state);
        fake_xs_put(store, BACK "/vifname", bad[i]);
        refused_with("vifname=");
        assert_string_equal(did, "");
        end(state);
    }
    begin(state);
}

static void a_script_that_is_not_in_the_image(void **state)
{
    (void)state;
    fake_xs_put(store, BACK "/script", "/etc/xen/scripts/vif-openvswitch");
    refused_with(
        "vif-openvswitch, and this image runs none: make it with `ferry image linux --scripts`");
    assert_string_equal(did, "");
}

static void one_that_ferryd_put_back_is_as_a_new_one(void **state)
{
    (void)state;
    xs_rm(store, XBT_NULL, BACK "/hotplug-status");
    fake_xs_put(store, BACK "/state", "1");
    look_is(PORT_PLUGGED);
    status_is("connected");
}

static void no_script_is_the_stock_one(void **state)
{
    (void)state;
    xs_rm(store, XBT_NULL, BACK "/script");
    look_is(PORT_PLUGGED);
}

static void what_fails_is_said(void **state)
{
    (void)state;
    join_err = -ELOOP;
    refused_with("cannot be put into bridge xenbr0");
    end(state);
    begin(state);
    fake_xs_put(store, BACK "/vifname", "web");
    rename_err = -EEXIST;
    refused_with("cannot be named web");
}

static void one_that_is_in_the_bridge_already_goes_on(void **state)
{
    (void)state;
    join_err = -EBUSY;
    is_port = true; /* by a linux-vif that died before it could say so */
    look_is(PORT_PLUGGED);
    status_is("connected");
    end(state);
    begin(state);
    join_err = -EBUSY; /* in another one */
    refused_with("cannot be put into bridge");
}

static void an_mtu_that_cannot_be_set_is_no_reason(void **state)
{
    (void)state;
    mtu_err = -EINVAL;
    look_is(PORT_PLUGGED);
    assert_null(fake_xs_get(store, FRONT "/mtu"));
    status_is("connected");
}

static void what_xenstore_does_not_say_is_asked_again(void **state)
{
    static const char *const nodes[] = { BACK "/state",  BACK "/hotplug-status", BACK "/script",
                                         BACK "/bridge", BACK "/vifname",        BACK "/mtu" };

    (void)state;
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        fake_xs_fail_reads(store, nodes[i], EIO);
        look_is(PORT_STAYS);
        status_is("");
    }
    fake_xs_fail_reads(store, NULL, 0);
    look_is(PORT_PLUGGED);
}

static void one_that_is_wanted_no_more_goes(void **state)
{
    (void)state;
    fake_xs_put(store, "/local/domain/3/backend/vif/7/1/state", "4");
    fake_xs_put(store, BACK "/state", "6");
    look_is(PORT_STAYS); /* its guest may come again */
    fake_xs_put(store, BACK "/online", "0");
    fake_xs_refuse_commits(store, 2);
    look_is(PORT_REMOVED);
    assert_null(fake_xs_get(store, BACK "/state"));
    assert_string_equal(fake_xs_get(store, "/local/domain/3/backend/vif/7/1/state"), "4");
    fake_xs_put(store, "/local/domain/3/backend/vif/7/1/state", "6");
    fake_xs_put(store, "/local/domain/3/backend/vif/7/1/online", "0");
    assert_int_equal(port_look(store, 7, 1), PORT_REMOVED);
    assert_null(fake_xs_get(store, "/local/domain/3/backend/vif/7"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_vif_is_put_into_its_bridge_once),
        TEST(one_that_netback_has_not_made_waits),
        TEST(one_that_is_in_use_or_closes_is_left_alone),
        TEST(a_line_says_its_mtu_its_name_and_no_bridge),
        TEST(one_that_has_its_name_already_goes_on),
        TEST(no_bridge_and_several_of_them),
        TEST(a_bridge_that_is_not_there),
        TEST(names_that_are_none),
        TEST(a_script_that_is_not_in_the_image),
        TEST(one_that_ferryd_put_back_is_as_a_new_one),
        TEST(no_script_is_the_stock_one),
        TEST(what_fails_is_said),
        TEST(one_that_is_in_the_bridge_already_goes_on),
        TEST(an_mtu_that_cannot_be_set_is_no_reason),
        TEST(what_xenstore_does_not_say_is_asked_again),
        TEST(one_that_is_wanted_no_more_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
