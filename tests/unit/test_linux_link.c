/* SPDX-License-Identifier: BSD-2-Clause */
/* linux-block's link to a frontend: which nodes it reads, and that a new ring is seen. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "block/link.h"
#include "fake_xs.h"

#define FRONT "/local/domain/7/device/vbd/51712"

static struct xs_handle *store;
static char page[RING_PAGE_SIZE];
static uint32_t mapped[4], nr_mapped;
static struct link link_;
static char why[LINK_WHY_SIZE];

void *xengnttab_map_domain_grant_refs(xengnttab_handle *grants, uint32_t count, uint32_t domid,
                                      uint32_t *refs, int prot)
{
    (void)grants;
    (void)prot;
    assert_int_equal(domid, 7);
    memcpy(mapped, refs, count * sizeof(*refs));
    nr_mapped += count;
    return page;
}

int xengnttab_unmap(xengnttab_handle *grants, void *start, uint32_t count)
{
    (void)grants;
    assert_ptr_equal(start, page);
    nr_mapped -= count;
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *events, uint32_t domid,
                                                     evtchn_port_t port)
{
    (void)events;
    assert_int_equal(domid, 7);
    assert_int_equal(port, 9);
    return 5;
}

int xenevtchn_unbind(xenevtchn_handle *events, evtchn_port_t port)
{
    (void)events;
    assert_int_equal(port, 5);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    store = fake_xs_open();
    fake_xs_put(store, FRONT "/event-channel", "9");
    nr_mapped = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    link_close(NULL, NULL, &link_);
    link_close(NULL, NULL, &link_);
    assert_int_equal(nr_mapped, 0);
    fake_xs_close(store);
    return 0;
}

static bool has_changed(void)
{
    return link_has_changed(store, FRONT, &link_);
}

static void a_new_ring_is_seen(void **state)
{
    (void)state;
    fake_xs_put(store, FRONT "/ring-ref", "8");
    assert_int_equal(link_open(store, NULL, NULL, 7, FRONT, &link_, why), 0);
    assert_int_equal(link_.order, 0);
    assert_int_equal(link_.port, 5);
    assert_int_equal(mapped[0], 8);
    assert_false(has_changed());
    fake_xs_put(store, FRONT "/ring-ref0", "7");
    assert_false(has_changed());
    fake_xs_put(store, FRONT "/ring-ref", "9");
    assert_true(has_changed());
    fake_xs_put(store, FRONT "/ring-ref", "x");
    assert_false(has_changed());
    fake_xs_fail_reads(store, FRONT "/ring-ref", EIO);
    assert_false(has_changed());
}

static void a_new_ring_of_more_pages_is_seen(void **state)
{
    (void)state;
    fake_xs_put(store, FRONT "/ring-page-order", "1");
    fake_xs_put(store, FRONT "/ring-ref0", "8");
    fake_xs_put(store, FRONT "/ring-ref1", "3");
    assert_int_equal(link_open(store, NULL, NULL, 7, FRONT, &link_, why), 0);
    assert_int_equal(link_.order, 1);
    assert_int_equal(mapped[1], 3);
    assert_false(has_changed());
    fake_xs_put(store, FRONT "/ring-ref0", "9");
    assert_true(has_changed());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_ring_is_seen),
        TEST(a_new_ring_of_more_pages_is_seen),
    };

    return cmocka_run_group_tests_name("linux_link", tests, NULL, NULL);
}
