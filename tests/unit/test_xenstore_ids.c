/* SPDX-License-Identifier: BSD-2-Clause */
/* Request ids after they came round: built around the client, to begin there. */
#include "test_xenstore_fixture.h"

#include "xen/xenstore.c"

static void test_ids_in_flight_are_not_reused(void **state)
{
    static struct server_request request;
    static struct outcome held;
    uint32_t held_id;

    (void)state;
    assert_int_equal(xenstore_read(0, "held", outcome_keep, &held), 0);
    assert_true(server_take(&request));
    held_id = request.header.req_id;
    id_next = held_id - 2;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(xenstore_read(0, "a", NULL, NULL), 0);
        assert_true(server_take(&request));
        assert_int_equal(request.header.req_id, held_id - 2 + i + (i >= 2));
        server_answer(&request, "");
        xenstore_poll();
    }
    assert_int_equal(held.calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ids_in_flight_are_not_reused, fixture_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
