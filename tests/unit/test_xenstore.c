/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "test_xenstore_fixture.h"
#include "xen/recovery.h"

static struct outcome one, two;
static struct server_request request;

static int start(void **state)
{
    memset(&one, 0, sizeof(one));
    memset(&two, 0, sizeof(two));
    return fixture_client(state);
}

static void expect_request(uint32_t type, uint32_t tx, const char *payload, size_t len)
{
    assert_true(server_take(&request));
    assert_int_equal(request.header.type, type);
    assert_int_equal(request.header.tx_id, tx);
    assert_int_equal(request.header.len, len);
    assert_memory_equal(request.payload, payload, len);
}

static void test_requests_as_they_are_on_the_ring(void **state)
{
    (void)state;
    assert_int_equal(xenstore_read(0, "name", NULL, NULL), 0);
    assert_int_equal(xenstore_directory(3, "device/vif", NULL, NULL), 0);
    assert_int_equal(xenstore_write(4, "a/b", "value", NULL, NULL), 0);
    assert_int_equal(xenstore_write(0, "a/b", "", NULL, NULL), 0);
    assert_int_equal(xenstore_remove(0, "/x", NULL, NULL), 0);
    assert_int_equal(xenstore_tx_start(NULL, NULL), 0);
    assert_int_equal(xenstore_tx_end(5, true, NULL, NULL), 0);
    assert_int_equal(xenstore_tx_end(6, false, NULL, NULL), 0);
    expect_request(XS_READ, 0, "name", 5);
    expect_request(XS_DIRECTORY, 3, "device/vif", 11);
    expect_request(XS_WRITE, 4, "a/b\0value", 9);
    expect_request(XS_WRITE, 0, "a/b", 4);
    expect_request(XS_RM, 0, "/x", 3);
    expect_request(XS_TRANSACTION_START, 0, "", 1);
    expect_request(XS_TRANSACTION_END, 5, "T", 2);
    expect_request(XS_TRANSACTION_END, 6, "F", 2);
}

static void test_requests_that_cannot_be_are_refused(void **state)
{
    char value[XENSTORE_REQUEST_MAX];
    char path[XENSTORE_PATH_SIZE + 1];

    (void)state;
    memset(value, 'v', sizeof(value));
    memset(path, 'p', sizeof(path));
    path[XENSTORE_PATH_SIZE] = '\0';
    assert_int_equal(xenstore_read(0, "", outcome_keep, &one), -EINVAL);
    assert_int_equal(xenstore_read(0, path, outcome_keep, &one), -ENAMETOOLONG);
    assert_int_equal(xenstore_tx_end(0, true, outcome_keep, &one), -EINVAL);
    value[XENSTORE_REQUEST_MAX - 16 - 2 + 1] = '\0';
    assert_int_equal(xenstore_write(0, "a", value, outcome_keep, &one), -E2BIG);
    value[XENSTORE_REQUEST_MAX - 16 - 2] = '\0';
    assert_int_equal(xenstore_write(0, "a", value, outcome_keep, &one), 0);
    assert_true(server_take(&request));
    assert_false(server_take(&request));
    assert_int_equal(one.calls, 0);
}

static void test_read_ends_with_its_value(void **state)
{
    (void)state;
    assert_int_equal(xenstore_read(0, "name", outcome_keep, &one), 0);
    assert_int_equal(fake_notified, 1);
    assert_true(server_take(&request));
    server_answer(&request, "Domain-7");
    assert_int_equal(one.calls, 0); /* never outside of xenstore_poll() */
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_int_equal(one.err, 0);
    assert_int_equal(one.len, 8);
    assert_string_equal(one.value, "Domain-7");
    xenstore_poll();
    assert_int_equal(one.calls, 1);
}

static void test_read_ends_with_xenstoreds_error(void **state)
{
    (void)state;
    assert_int_equal(xenstore_read(0, "name", outcome_keep, &one), 0);
    assert_true(server_take(&request));
    server_error(&request, "ENOENT");
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_int_equal(one.err, -ENOENT);
    assert_int_equal(one.len, 0);
    assert_string_equal(one.value, "");
}

static void test_directory_ends_with_its_names(void **state)
{
    (void)state;
    assert_int_equal(xenstore_directory(0, "d", outcome_keep, &one), 0);
    assert_true(server_take(&request));
    server_message(XS_DIRECTORY, request.header.req_id, "0\0001\00017", 7);
    xenstore_poll();
    assert_int_equal(one.err, 0);
    assert_int_equal(one.len, 7);
    assert_memory_equal(one.value, "0\0001\00017", 7);
}

static void test_answers_in_any_order_find_their_requests(void **state)
{
    struct server_request second;

    (void)state;
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    assert_int_equal(xenstore_read(0, "b", outcome_keep, &two), 0);
    assert_true(server_take(&request));
    assert_true(server_take(&second));
    server_answer(&second, "2");
    server_answer(&request, "1");
    xenstore_poll();
    assert_string_equal(one.value, "1");
    assert_string_equal(two.value, "2");
}

static void test_transaction_has_an_id_and_may_have_to_be_redone(void **state)
{
    uint32_t tx = 0;

    (void)state;
    assert_int_equal(xenstore_tx_start(outcome_keep, &one), 0);
    assert_true(server_take(&request));
    server_answer(&request, "4711");
    xenstore_poll();
    assert_int_equal(one.err, 0);
    assert_int_equal(xenstore_parse_u32(one.value, UINT32_MAX, &tx), 0);
    assert_int_equal(xenstore_write(tx, "a", "1", NULL, NULL), 0);
    assert_true(server_take(&request));
    assert_int_equal(request.header.tx_id, 4711);
    server_answer(&request, "OK");
    assert_int_equal(xenstore_tx_end(tx, true, outcome_keep, &two), 0);
    assert_true(server_take(&request));
    server_error(&request, "EAGAIN");
    xenstore_poll();
    assert_int_equal(two.err, -EAGAIN);
}

static void test_unknown_ids_are_dropped_and_counted(void **state)
{
    (void)state;
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    assert_true(server_take(&request));
    server_message(XS_READ, request.header.req_id + 1, "wrong", 5);
    server_message(XS_READ, 0, "wrong", 5);
    server_answer(&request, "right");
    server_answer(&request, "again");
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_string_equal(one.value, "right");
    assert_int_equal(xenstore_stats()->unknown_answers, 3);
}

static void test_answer_that_makes_no_sense_ends_its_request_only(void **state)
{
    struct server_request second;

    (void)state;
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    assert_int_equal(xenstore_read(0, "b", outcome_keep, &two), 0);
    assert_true(server_take(&request));
    assert_true(server_take(&second));
    server_message(XS_WRITE, request.header.req_id, "OK", 3);
    server_answer(&second, "2");
    xenstore_poll();
    assert_int_equal(one.err, -EPROTO);
    assert_int_equal(two.err, 0);
    assert_int_equal(xenstore_stats()->bad_answers, 1);
    assert_false(xenstore_stopped());
}

static void test_longest_value_arrives(void **state)
{
    static char value[XENSTORE_PAYLOAD_MAX + 1];

    (void)state;
    memset(value, 'x', XENSTORE_PAYLOAD_MAX);
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    assert_true(server_take(&request));
    server_answer(&request, value);
    xenstore_poll();
    assert_int_equal(one.err, 0);
    assert_int_equal(one.len, XENSTORE_PAYLOAD_MAX);
    assert_string_equal(one.value, value);
    assert_true(fake_notified > 1); /* the server waited for room */
}

static void test_table_of_requests_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < XENSTORE_MAX_REQUESTS; i++)
        assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &two), -ENOBUFS);
    assert_true(server_take(&request));
    server_answer(&request, "1");
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &two), 0);
    for (int i = 0; i < XENSTORE_MAX_REQUESTS; i++) {
        while (!server_take(&request))
            xenstore_poll();
        server_answer(&request, "1");
        xenstore_poll();
    }
    assert_int_equal(one.calls, XENSTORE_MAX_REQUESTS);
    assert_int_equal(two.calls, 1);
}

static void test_queue_in_memory_is_bounded(void **state)
{
    char value[901];
    unsigned int sent = 0;
    int rc;

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    while ((rc = xenstore_write(0, "a", value, outcome_keep, &one)) == 0)
        sent++;
    assert_int_equal(rc, -ENOBUFS);
    assert_true(sent < XENSTORE_MAX_REQUESTS);
    for (unsigned int i = 0; i < sent; i++) {
        assert_true(server_take(&request));
        server_answer(&request, "OK");
        xenstore_poll(); /* moves the next one to the ring */
    }
    assert_int_equal(one.calls, sent);
    assert_false(server_take(&request));
}

static void test_forgotten_requests_end_silently(void **state)
{
    struct server_request second;

    (void)state;
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    assert_int_equal(xenstore_read(0, "b", outcome_keep, &two), 0);
    xenstore_forget(&one);
    assert_true(server_take(&request));
    assert_true(server_take(&second));
    server_answer(&request, "1");
    server_answer(&second, "2");
    xenstore_poll();
    assert_int_equal(one.calls, 0);
    assert_int_equal(two.calls, 1);
    assert_int_equal(xenstore_stats()->unknown_answers, 0);
}

static void forget_two(void *ctx, int err, const char *value, size_t len)
{
    outcome_keep(ctx, err, value, len);
    xenstore_forget(&two);
}

static void test_callback_may_forget_what_is_next(void **state)
{
    struct server_request second;

    (void)state;
    assert_int_equal(xenstore_read(0, "a", forget_two, &one), 0);
    assert_int_equal(xenstore_read(0, "b", outcome_keep, &two), 0);
    assert_true(server_take(&request));
    assert_true(server_take(&second));
    server_answer(&request, "1");
    server_answer(&second, "2");
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_int_equal(two.calls, 0);
}

static void ask_again(void *ctx, int err, const char *value, size_t len)
{
    outcome_keep(ctx, err, value, len);
    assert_int_equal(xenstore_read(0, "again", outcome_keep, &two), 0);
}

static void test_callback_may_ask_again_with_a_full_table(void **state)
{
    (void)state;
    assert_int_equal(xenstore_read(0, "a", ask_again, &one), 0);
    for (int i = 1; i < XENSTORE_MAX_REQUESTS; i++)
        assert_int_equal(xenstore_read(0, "a", NULL, NULL), 0);
    assert_true(server_take(&request));
    server_answer(&request, "1");
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    for (int i = 0; i < XENSTORE_MAX_REQUESTS; i++) {
        while (!server_take(&request))
            xenstore_poll();
        server_answer(&request, "2");
        xenstore_poll();
    }
    assert_int_equal(two.calls, 1);
}

static void poll_in_callback(void *ctx, int err, const char *value, size_t len)
{
    xenstore_poll();
    assert_int_equal(two.calls, 0);
    assert_string_equal(value, "1");
    outcome_keep(ctx, err, value, len);
}

static void test_poll_in_a_callback_does_nothing(void **state)
{
    struct server_request second;

    (void)state;
    assert_int_equal(xenstore_read(0, "a", poll_in_callback, &one), 0);
    assert_int_equal(xenstore_read(0, "b", outcome_keep, &two), 0);
    assert_true(server_take(&request));
    assert_true(server_take(&second));
    server_answer(&request, "1");
    server_answer(&second, "2");
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_int_equal(two.calls, 1);
}

static void test_poll_takes_a_bounded_number_and_comes_back(void **state)
{
    const unsigned int sent = 50;

    (void)state;
    for (unsigned int i = 0; i < 3 * sent; i++)
        server_message(XS_READ, 1, NULL, 0); /* polls when the ring is full */
    while (store_page->rsp_prod != store_page->rsp_cons)
        xenstore_poll();
    timers_run(fake_now);
    assert_int_equal(timers_next(), UINT64_MAX);
    for (unsigned int i = 0; i < XENSTORE_POLL_BUDGET; i++)
        server_message(XS_READ, 1, NULL, 0);
    xenstore_poll();
    assert_int_equal(timers_next(), fake_now); /* nobody knows whether that was all */
    server_message(XS_READ, 1, NULL, 0);
    timers_run(fake_now);
    assert_int_equal(xenstore_stats()->unknown_answers, 3 * sent + XENSTORE_POLL_BUDGET + 1);
    assert_int_equal(timers_next(), UINT64_MAX);
}

static void test_oversize_answer_stops_the_client(void **state)
{
    struct xsd_sockmsg header = { .type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1 };

    (void)state;
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    assert_int_equal(xenstore_read(0, "b", outcome_keep, &two), 0);
    server_put(&header, sizeof(header));
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_int_equal(one.err, -EIO);
    assert_int_equal(two.calls, 1);
    assert_true(xenstore_stopped());
    assert_int_equal(fake_errors, 1);
    assert_non_null(strstr(fake_log, "4096"));
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), -EIO);
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_int_equal(fake_errors, 1);
}

static void ask_when_stopped(void *ctx, int err, const char *value, size_t len)
{
    outcome_keep(ctx, err, value, len);
    assert_int_equal(xenstore_read(0, "again", outcome_keep, &two), -EIO);
}

static void test_damaged_indices_stop_the_client(void **state)
{
    (void)state;
    assert_int_equal(xenstore_read(0, "a", ask_when_stopped, &one), 0);
    store_page->rsp_prod += 5000;
    xenstore_poll();
    assert_int_equal(one.calls, 1);
    assert_int_equal(one.err, -EIO);
    assert_int_equal(two.calls, 0);
    assert_true(xenstore_stopped());
    assert_non_null(strstr(fake_log, "indices"));
}

static void test_damage_seen_while_asking_ends_the_others_later(void **state)
{
    (void)state;
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    store_page->req_cons = 5000;
    assert_int_equal(xenstore_read(0, "b", outcome_keep, &two), -EIO);
    assert_int_equal(one.calls, 0);
    timers_run(fake_now);
    assert_int_equal(one.calls, 1);
    assert_int_equal(one.err, -EIO);
    assert_int_equal(two.calls, 0);
    assert_true(xenstore_stopped());
}

static void test_without_an_event_channel_the_client_is_stopped(void **state)
{
    (void)state;
    fixture_reset(0);
    fake_adopt_rc = -ENOTCONN;
    xenstore_init();
    timers_run(fake_now);
    assert_true(xenstore_stopped());
    assert_non_null(strstr(fake_log, "event channel"));
}

static void start_at_id(uint32_t id)
{
    fixture_reset(0);
    recovery_note_xenstore_id(id);
    xenstore_init();
    assert_true(server_take(&request));
    server_answer(&request, "OK");
    xenstore_poll();
    timers_run(fake_now);
}

static void test_ids_are_noted_before_they_are_used(void **state)
{
    uint32_t next;

    (void)state;
    start_at_id(5000);
    assert_int_equal(request.header.req_id, 5000);
    next = 5001;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(xenstore_read(0, "a", NULL, NULL), 0);
        assert_true(server_take(&request));
        assert_int_equal(request.header.req_id, next++);
        assert_true(request.header.req_id < fake_noted_id);
        server_answer(&request, "");
        xenstore_poll();
    }
}

static void test_id_0_is_left_out(void **state)
{
    (void)state;
    start_at_id(UINT32_MAX);
    assert_int_equal(request.header.req_id, UINT32_MAX);
    assert_int_equal(xenstore_read(0, "a", NULL, NULL), 0);
    assert_true(server_take(&request));
    assert_int_equal(request.header.req_id, 1);
}

static void test_restart_drops_answers_of_the_kernel_before(void **state)
{
    struct server_request old;

    (void)state;
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &one), 0);
    assert_true(server_take(&old));
    server_answer(&old, "old");
    xenstore_init();
    assert_true(server_take(&request));
    assert_int_equal(request.header.type, XS_RESET_WATCHES);
    assert_int_not_equal(request.header.req_id, old.header.req_id);
    assert_int_equal(xenstore_read(0, "a", outcome_keep, &two), 0);
    assert_true(server_take(&request));
    server_answer(&old, "old again");
    server_answer(&request, "new");
    timers_run(fake_now); /* without any event */
    assert_int_equal(one.calls, 0);
    assert_int_equal(two.calls, 1);
    assert_string_equal(two.value, "new");
    assert_int_equal(xenstore_stats()->unknown_answers, 2);
}

/* What a mad server might send, from a fixed sequence. The client may stop, and nothing else. */
static void test_nonsense_ends_stopped_or_ignored(void **state)
{
    uint64_t random = 1;

    for (int round = 0; round < 300; round++) {
        assert_int_equal(start(state), 0);
        for (int i = 0; i < 40 && !xenstore_stopped(); i++) {
            char bytes[256];
            size_t len;

            for (size_t n = 0; n < sizeof(bytes); n++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                bytes[n] = (char)(random >> 56 & (n < 16 && round % 3 ? 0x1f : 0xff));
                if (n < 16 && n % 4 && round % 3)
                    bytes[n] = 0; /* plausible headers in two rounds of three */
            }
            len = (random >> 33) % sizeof(bytes);
            (void)!xenstore_read(0, "a", outcome_keep, &one);
            while (server_take(&request))
                ;
            if (store_page->rsp_prod - store_page->rsp_cons + len <= XENSTORE_RING_SIZE)
                server_put(bytes, len);
            if ((random >> 40) % 64 == 0)
                store_page->rsp_prod ^= (uint32_t)random;
            xenstore_poll();
            timers_run(fake_now);
        }
    }
}

#define CLIENT_TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(test_requests_as_they_are_on_the_ring),
        CLIENT_TEST(test_requests_that_cannot_be_are_refused),
        CLIENT_TEST(test_read_ends_with_its_value),
        CLIENT_TEST(test_read_ends_with_xenstoreds_error),
        CLIENT_TEST(test_directory_ends_with_its_names),
        CLIENT_TEST(test_answers_in_any_order_find_their_requests),
        CLIENT_TEST(test_transaction_has_an_id_and_may_have_to_be_redone),
        CLIENT_TEST(test_unknown_ids_are_dropped_and_counted),
        CLIENT_TEST(test_answer_that_makes_no_sense_ends_its_request_only),
        CLIENT_TEST(test_longest_value_arrives),
        CLIENT_TEST(test_table_of_requests_is_bounded),
        CLIENT_TEST(test_queue_in_memory_is_bounded),
        CLIENT_TEST(test_forgotten_requests_end_silently),
        CLIENT_TEST(test_callback_may_forget_what_is_next),
        CLIENT_TEST(test_callback_may_ask_again_with_a_full_table),
        CLIENT_TEST(test_poll_in_a_callback_does_nothing),
        CLIENT_TEST(test_poll_takes_a_bounded_number_and_comes_back),
        CLIENT_TEST(test_oversize_answer_stops_the_client),
        CLIENT_TEST(test_damaged_indices_stop_the_client),
        CLIENT_TEST(test_damage_seen_while_asking_ends_the_others_later),
        CLIENT_TEST(test_without_an_event_channel_the_client_is_stopped),
        CLIENT_TEST(test_ids_are_noted_before_they_are_used),
        CLIENT_TEST(test_id_0_is_left_out),
        CLIENT_TEST(test_restart_drops_answers_of_the_kernel_before),
        CLIENT_TEST(test_nonsense_ends_stopped_or_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
