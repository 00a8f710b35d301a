/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "test_xenstore_fixture.h"

#define SECOND 1000000000ull

static struct server_request request;
static char value[16];

static int start(void **state)
{
    memset(value, 'x', sizeof(value));
    return fixture_client(state);
}

static void answer_domain(void)
{
    if (server_take(&request))
        server_answer(&request, request.header.type == XS_READ ? "domain" : "OK");
}

static void test_wait_returns_the_value(void **state)
{
    (void)state;
    fake_sleep = answer_domain;
    assert_int_equal(xenstore_read_wait("name", value, sizeof(value), SECOND), 0);
    assert_string_equal(value, "domain");
    assert_int_equal(xenstore_write_wait("a", "b", SECOND), 0);
    assert_string_equal(request.payload, "a");
    assert_memory_equal(request.payload + 2, "b", 1);
}

static void answer_denied(void)
{
    if (server_take(&request))
        server_error(&request, "EACCES");
}

static void test_wait_returns_the_error(void **state)
{
    (void)state;
    fake_sleep = answer_denied;
    assert_int_equal(xenstore_read_wait("name", value, sizeof(value), SECOND), -EACCES);
    assert_int_equal(xenstore_write_wait("name", "x", SECOND), -EACCES);
    assert_int_equal(value[0], 'x');
    assert_int_equal(xenstore_read_wait("", value, sizeof(value), SECOND), -EINVAL);
}

static void test_wait_refuses_values_it_cannot_return(void **state)
{
    (void)state;
    fake_sleep = answer_domain;
    assert_int_equal(xenstore_read_wait("name", value, 6, SECOND), -E2BIG);
    assert_int_equal(value[0], 'x');
    assert_int_equal(xenstore_read_wait("name", value, 7, SECOND), 0);
}

static void answer_with_nul(void)
{
    if (server_take(&request))
        server_message(XS_READ, request.header.req_id, "1\0002", 3);
}

static void test_wait_refuses_values_with_nuls(void **state)
{
    (void)state;
    fake_sleep = answer_with_nul;
    assert_int_equal(xenstore_read_wait("name", value, sizeof(value), SECOND), -EPROTO);
    assert_int_equal(value[0], 'x');
}

static void test_wait_ends_and_a_late_answer_harms_nobody(void **state)
{
    uint64_t before = fake_now;

    (void)state;
    assert_int_equal(xenstore_read_wait("name", value, sizeof(value), SECOND), -ETIMEDOUT);
    assert_true(fake_now >= before + SECOND);
    answer_domain();
    xenstore_poll();
    assert_int_equal(value[0], 'x');
    assert_int_equal(xenstore_read_wait("name", value, sizeof(value), UINT64_MAX), -ETIMEDOUT);
}

static struct server_request awaited;

/* In the middle of a poll that began with a full ring: the answer comes behind its budget. */
static void refill(void *ctx, int err, const char *answer, size_t len)
{
    (void)ctx;
    (void)err;
    (void)answer;
    (void)len;
    for (int i = 0; i < 4; i++)
        server_message(XS_READ, 1, NULL, 0);
    server_answer(&awaited, "domain");
}

static void flood(void)
{
    assert_true(server_take(&request));
    assert_true(server_take(&awaited));
    for (int i = 0; i < 63; i++)
        server_message(XS_READ, i == 10 ? request.header.req_id : 1, NULL, 0);
    fake_sleep = NULL;
}

static void test_wait_does_not_sleep_over_a_flood(void **state)
{
    uint64_t before = fake_now;

    (void)state;
    fake_sleep = flood;
    assert_int_equal(xenstore_read(0, "refill", refill, NULL), 0);
    assert_int_equal(xenstore_read_wait("name", value, sizeof(value), SECOND), 0);
    assert_int_equal(fake_now, before);
}

static void wait_in_callback(void *ctx, int err, const char *answer, size_t len)
{
    (void)err;
    (void)answer;
    (void)len;
    *(int *)ctx = xenstore_read_wait("b", value, sizeof(value), SECOND);
    assert_int_equal(xenstore_write_wait("b", "c", SECOND), -EDEADLK);
}

static void test_wait_in_a_callback_is_refused(void **state)
{
    int rc = 0;

    (void)state;
    assert_int_equal(xenstore_read(0, "a", wait_in_callback, &rc), 0);
    answer_domain();
    xenstore_poll();
    assert_int_equal(rc, -EDEADLK);
}

static void damage(void)
{
    store_page->rsp_prod += 9999;
}

static void test_wait_ends_when_the_client_stops(void **state)
{
    (void)state;
    fake_sleep = damage;
    assert_int_equal(xenstore_read_wait("name", value, sizeof(value), SECOND), -EIO);
    assert_true(xenstore_stopped());
}

#define WAIT_TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WAIT_TEST(test_wait_returns_the_value),
        WAIT_TEST(test_wait_returns_the_error),
        WAIT_TEST(test_wait_refuses_values_it_cannot_return),
        WAIT_TEST(test_wait_refuses_values_with_nuls),
        WAIT_TEST(test_wait_ends_and_a_late_answer_harms_nobody),
        WAIT_TEST(test_wait_does_not_sleep_over_a_flood),
        WAIT_TEST(test_wait_in_a_callback_is_refused),
        WAIT_TEST(test_wait_ends_when_the_client_stops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
