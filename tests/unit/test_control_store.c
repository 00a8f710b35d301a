/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0's side of xenstore: the nodes of a vif's backend, written anew from what libxl keeps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_xs.h"
#include "xen/store.h"

#define LIBXL "/libxl/7/device/vif/0"
#define BACK "/local/domain/3/backend/vif/7/0"
#define FRONT "/local/domain/7/device/vif/0"
#define CONNECTED 4

static int setup(void **state)
{
    struct xs_handle *xs = fake_xs_open();

    fake_xs_put(xs, LIBXL "/frontend", FRONT);
    fake_xs_put(xs, LIBXL "/backend", BACK);
    fake_xs_put(xs, LIBXL "/frontend-id", "7");
    fake_xs_put(xs, LIBXL "/mac", "00:16:3e:00:00:01");
    fake_xs_put(xs, LIBXL "/state", "1");
    fake_xs_put(xs, BACK "/hotplug-status", "connected");
    *state = xs;
    return 0;
}

static int teardown(void **state)
{
    fake_xs_close(*state);
    return 0;
}

static void nodes_are_written_anew(void **state)
{
    struct xs_handle *xs = *state;

    assert_int_equal(store_vif_nodes(xs, 3, 7, 0, CONNECTED), 0);
    assert_string_equal(fake_xs_get(xs, BACK "/mac"), "00:16:3e:00:00:01");
    assert_string_equal(fake_xs_get(xs, BACK "/frontend"), FRONT);
    assert_string_equal(fake_xs_get(xs, BACK "/state"), "4");
    assert_string_equal(fake_xs_last_change(xs), BACK "/state");
    assert_string_equal(fake_xs_rights(xs, BACK "/mac"), "n3,r7");
    assert_null(fake_xs_get(xs, BACK "/hotplug-status"));
    assert_null(fake_xs_get(xs, BACK "/backend"));
}

static char *filled(const char *head, size_t len)
{
    char *text = malloc(len + 1);

    memset(text, '1', len);
    memcpy(text, head, strlen(head));
    text[len] = '\0';
    return text;
}

/* Whatever fits into xenstore as libxl's value of the backend survives: it did fit there before. */
static void long_values_survive(void **state)
{
    static const char *const names[] = { "ip", "script", "bridge" };
    static const size_t lengths[] = { 255, 256, 700, 2048, 4000 };
    struct xs_handle *xs = *state;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *text = filled("192.0.2.1 2001:db8::1 ", lengths[i]);

        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            char from[128], to[128];

            snprintf(from, sizeof(from), LIBXL "/%s", names[j]);
            snprintf(to, sizeof(to), BACK "/%s", names[j]);
            fake_xs_put(xs, from, text);
            assert_int_equal(store_vif_nodes(xs, 3, 7, 0, CONNECTED), 0);
            assert_string_equal(fake_xs_get(xs, to), text);
        }
        free(text);
    }
}

static void many_nodes_survive(void **state)
{
    struct xs_handle *xs = *state;
    char path[128];

    for (unsigned int i = 0; i < 200; i++) {
        snprintf(path, sizeof(path), LIBXL "/colo-%u", i);
        fake_xs_put(xs, path, "x");
    }
    assert_int_equal(store_vif_nodes(xs, 3, 7, 0, CONNECTED), 0);
    assert_string_equal(fake_xs_get(xs, BACK "/colo-199"), "x");
}

static void nothing_is_written_on_an_error(void **state)
{
    struct xs_handle *xs = *state;
    char *text = filled("", 4096);

    fake_xs_put(xs, LIBXL "/ip", text);
    assert_int_equal(store_vif_nodes(xs, 3, 7, 0, CONNECTED), -EIO);
    assert_string_equal(fake_xs_get(xs, BACK "/hotplug-status"), "connected");
    assert_null(fake_xs_get(xs, BACK "/state"));
    fake_xs_put(xs, LIBXL "/ip", "");
    for (int nr = 0; nr < 5; nr++) {
        fake_xs_allow_changes(xs, nr);
        assert_int_equal(store_vif_nodes(xs, 3, 7, 0, CONNECTED), -EIO);
        assert_string_equal(fake_xs_get(xs, BACK "/hotplug-status"), "connected");
    }
    free(text);
}

static void a_vif_that_libxl_does_not_know_is_refused(void **state)
{
    struct xs_handle *xs = *state;

    assert_int_equal(store_vif_nodes(xs, 3, 8, 0, CONNECTED), -ENOENT);
    fake_xs_put(xs, "/libxl/9/device/vif/0/mac", "00:16:3e:00:00:02");
    assert_int_equal(store_vif_nodes(xs, 3, 9, 0, CONNECTED), -EINVAL);
}

static void somebody_elses_writes_are_waited_out(void **state)
{
    struct xs_handle *xs = *state;

    fake_xs_refuse_commits(xs, 3);
    assert_int_equal(store_vif_nodes(xs, 3, 7, 0, CONNECTED), 0);
    assert_string_equal(fake_xs_get(xs, BACK "/state"), "4");
    fake_xs_refuse_commits(xs, 1000);
    assert_int_equal(store_vif_nodes(xs, 3, 7, 0, 1), -EBUSY);
    assert_string_equal(fake_xs_get(xs, BACK "/state"), "4");
}

static void rights_on_the_frontend_come_back(void **state)
{
    struct xs_handle *xs = *state;

    assert_int_equal(store_vif_rights(xs, 3, 7, 0), -ENOENT);
    fake_xs_put(xs, FRONT "/tx-ring-ref", "8");
    fake_xs_put(xs, FRONT "/queue-1/tx-ring-ref", "9");
    fake_xs_put(xs, FRONT "/other/node", "1");
    assert_int_equal(store_vif_rights(xs, 3, 7, 0), 0);
    assert_string_equal(fake_xs_rights(xs, FRONT), "n7,r3");
    assert_string_equal(fake_xs_rights(xs, FRONT "/tx-ring-ref"), "n7,r3");
    assert_string_equal(fake_xs_rights(xs, FRONT "/queue-1"), "n7,r3");
    assert_string_equal(fake_xs_rights(xs, FRONT "/queue-1/tx-ring-ref"), "n7,r3");
    assert_string_not_equal(fake_xs_rights(xs, FRONT "/other/node"),
                            "n7,r3"); /* nobody's business */
}

static void reads_are_bounded(void **state)
{
    struct xs_handle *xs = *state;
    char value[8] = "before";

    fake_xs_put(xs, "/a", "1234567");
    fake_xs_put(xs, "/b", "12345678");
    fake_xs_put(xs, "/state", "4");
    xs_write(xs, XBT_NULL, "/nul", "1\0002", 3);
    assert_int_equal(store_read(xs, value, sizeof(value), "/%s", "b"), -EINVAL);
    assert_int_equal(store_read(xs, value, sizeof(value), "/nul"), -EINVAL);
    assert_int_equal(store_read(xs, value, sizeof(value), "/none"), -ENOENT);
    assert_string_equal(value, "before");
    assert_int_equal(store_read(xs, value, sizeof(value), "/a"), 0);
    assert_string_equal(value, "1234567");
    assert_int_equal(store_state(xs, "/state"), 4);
    assert_int_equal(store_state(xs, "/a"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nodes_are_written_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(long_values_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(many_nodes_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_written_on_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_vif_that_libxl_does_not_know_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(somebody_elses_writes_are_waited_out, setup, teardown),
        cmocka_unit_test_setup_teardown(rights_on_the_frontend_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_are_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
