/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "test_xenstore_fixture.h"

struct seen {
    unsigned int calls;
    char path[64];
};

static struct seen seen, other;
static struct server_request request;
static char token[32]; /* of the watch that expect_watched() saw last */
static unsigned int id, other_id;

static int start(void **state)
{
    memset(&seen, 0, sizeof(seen));
    memset(&other, 0, sizeof(other));
    return fixture_client(state);
}

static void keep(void *ctx, const char *path)
{
    struct seen *to = ctx;

    to->calls++;
    snprintf(to->path, sizeof(to->path), "%s", path);
}

/* Take the request to watch path, remember its token. */
static void expect_asked(uint32_t type, const char *path)
{
    assert_true(server_take(&request));
    assert_int_equal(request.header.type, type);
    assert_string_equal(request.payload, path);
    assert_int_equal(request.header.len, strlen(path) + 1 + 10 + 1);
    strcpy(token, request.payload + strlen(path) + 1);
}

static void watch(const char *path)
{
    assert_int_equal(xenstore_watch(path, keep, &seen, &id), 0);
    assert_int_not_equal(id, 0);
    expect_asked(XS_WATCH, path);
    server_answer(&request, "OK");
    xenstore_poll();
}

static void test_event_reaches_its_watch(void **state)
{
    (void)state;
    watch("backend/vif");
    server_event("backend/vif/3/0/state", token);
    assert_int_equal(seen.calls, 0);
    xenstore_poll();
    assert_int_equal(seen.calls, 1);
    assert_string_equal(seen.path, "backend/vif/3/0/state");
}

static void test_event_may_come_before_the_answer(void **state)
{
    (void)state;
    assert_int_equal(xenstore_watch("a", keep, &seen, &id), 0);
    expect_asked(XS_WATCH, "a");
    server_event("a", token);
    server_answer(&request, "OK");
    xenstore_poll();
    assert_int_equal(seen.calls, 1);
}

static void test_special_path_can_be_watched(void **state)
{
    (void)state;
    watch("@releaseDomain");
    server_event("@releaseDomain", token);
    xenstore_poll();
    assert_string_equal(seen.path, "@releaseDomain");
    assert_int_equal(xenstore_watch("a b", keep, &seen, &id), -EINVAL);
}

static void test_events_under_way_are_dropped_after_unwatch(void **state)
{
    (void)state;
    watch("a");
    server_event("a/1", token);
    xenstore_unwatch(id);
    expect_asked(XS_UNWATCH, "a");
    server_event("a/2", token);
    server_answer(&request, "OK");
    server_event("a/3", token);
    xenstore_poll();
    assert_int_equal(seen.calls, 0);
    assert_int_equal(xenstore_stats()->stale_events, 3);
}

static void test_successor_of_a_watch_gets_none_of_its_events(void **state)
{
    char old_token[32];

    (void)state;
    watch("a");
    strcpy(old_token, token);
    xenstore_unwatch(id);
    expect_asked(XS_UNWATCH, "a");
    server_answer(&request, "OK");
    xenstore_poll();
    watch("a");
    assert_memory_equal(token, old_token, 2); /* the same place */
    assert_string_not_equal(token, old_token);
    server_event("a", old_token);
    xenstore_poll();
    assert_int_equal(seen.calls, 0);
    server_event("a", token);
    xenstore_poll();
    assert_int_equal(seen.calls, 1);
}

static void test_unwatching_what_is_gone_does_nothing(void **state)
{
    unsigned int old;

    (void)state;
    xenstore_unwatch(0);
    xenstore_unwatch(77);
    watch("a");
    old = id;
    xenstore_unwatch(id);
    xenstore_unwatch(id);
    expect_asked(XS_UNWATCH, "a");
    assert_false(server_take(&request));
    server_answer(&request, "OK");
    xenstore_poll();
    watch("b");
    xenstore_unwatch(old);
    assert_false(server_take(&request));
}

static void unwatch_both(void *ctx, const char *path)
{
    keep(ctx, path);
    xenstore_unwatch(id);
    xenstore_unwatch(other_id);
}

static void test_callback_may_unwatch_itself_and_others(void **state)
{
    char other_token[32];

    (void)state;
    assert_int_equal(xenstore_watch("a", unwatch_both, &seen, &id), 0);
    expect_asked(XS_WATCH, "a");
    assert_int_equal(xenstore_watch("b", keep, &other, &other_id), 0);
    assert_true(server_take(&request));
    strcpy(other_token, request.payload + 2);
    server_event("a", token);
    server_event("a/x", token);
    server_event("b", other_token);
    xenstore_poll();
    assert_int_equal(seen.calls, 1);
    assert_int_equal(other.calls, 0);
}

static void watch_another(void *ctx, const char *path)
{
    keep(ctx, path);
    assert_int_equal(xenstore_watch("b", keep, &other, &other_id), 0);
}

static void test_callback_may_watch(void **state)
{
    (void)state;
    assert_int_equal(xenstore_watch("a", watch_another, &seen, &id), 0);
    expect_asked(XS_WATCH, "a");
    server_event("a", token);
    xenstore_poll();
    expect_asked(XS_WATCH, "b");
    server_event("b/1", token);
    xenstore_poll();
    assert_int_equal(other.calls, 1);
}

static void test_refused_watch_is_said_and_needs_no_unwatch(void **state)
{
    (void)state;
    assert_int_equal(xenstore_watch("a", keep, &seen, &id), 0);
    expect_asked(XS_WATCH, "a");
    server_error(&request, "ENOSPC");
    xenstore_poll();
    assert_int_equal(fake_errors, 1);
    assert_non_null(strstr(fake_log, "watch a"));
    xenstore_unwatch(id);
    assert_false(server_take(&request));
    watch("b");
}

static void test_watch_refused_after_its_unwatch_frees_its_place(void **state)
{
    struct server_request unwatch;

    (void)state;
    for (int i = 0; i < 2 * XENSTORE_MAX_WATCHES; i++) {
        assert_int_equal(xenstore_watch("a", keep, &seen, &id), 0);
        xenstore_unwatch(id);
        assert_true(server_take(&request));
        assert_true(server_take(&unwatch));
        server_error(&request, "ENOSPC");
        server_error(&unwatch, "ENOENT");
        xenstore_poll();
    }
}

static void test_table_of_watches_is_bounded(void **state)
{
    unsigned int ids[XENSTORE_MAX_WATCHES];

    (void)state;
    for (int i = 0; i < XENSTORE_MAX_WATCHES; i++) {
        watch("a");
        ids[i] = id;
        for (int j = 0; j < i; j++)
            assert_int_not_equal(ids[j], id);
    }
    assert_int_equal(xenstore_watch("a", keep, &seen, &id), -ENOBUFS);
    xenstore_unwatch(ids[10]);
    expect_asked(XS_UNWATCH, "a");
    assert_int_equal(xenstore_watch("a", keep, &seen, &id), -ENOBUFS); /* not answered yet */
    server_answer(&request, "OK");
    xenstore_poll();
    watch("a");
}

static void test_unwatch_without_room_is_sent_later(void **state)
{
    (void)state;
    watch("a");
    for (int i = 0; i < XENSTORE_MAX_REQUESTS; i++)
        assert_int_equal(xenstore_read(0, "r", NULL, NULL), 0);
    server_event("a", token);
    xenstore_unwatch(id);
    xenstore_poll();
    assert_int_equal(seen.calls, 0);
    for (int i = 0; i < XENSTORE_MAX_REQUESTS; i++) {
        assert_true(server_take(&request));
        assert_int_equal(request.header.type, XS_READ);
        server_answer(&request, "");
        xenstore_poll();
    }
    expect_asked(XS_UNWATCH, "a");
    assert_false(server_take(&request));
}

static void test_flood_of_the_same_event_is_one_call_a_ring(void **state)
{
    (void)state;
    watch("a");
    for (int i = 0; i < 20; i++)
        server_event("a/b", token);
    xenstore_poll();
    assert_int_equal(seen.calls, 1);
    assert_int_equal(xenstore_stats()->merged_events, 19);
    server_event("a/b", token); /* came after that call */
    xenstore_poll();
    assert_int_equal(seen.calls, 2);
}

static void keep_and_change(void *ctx, const char *path)
{
    struct seen *to = ctx;

    keep(ctx, path);
    if (to->calls == 1)
        server_event(path, token); /* changed again while it was being looked at */
}

static void test_event_after_the_look_is_not_merged(void **state)
{
    (void)state;
    assert_int_equal(xenstore_watch("a", keep_and_change, &seen, &id), 0);
    expect_asked(XS_WATCH, "a");
    server_event("a", token);
    server_event("a", token);
    xenstore_poll();
    /* The second was there before the look and is merged, the third was not. The look's record
     * of what was written is taken before the callback. */
    assert_int_equal(seen.calls, 2);
    assert_int_equal(xenstore_stats()->merged_events, 1);
}

static void test_different_events_are_not_merged(void **state)
{
    (void)state;
    watch("a");
    server_event("a/1", token);
    server_event("a/2", token);
    server_event("a/1", token);
    server_message(XS_READ, 1, NULL, 0); /* an answer between them */
    server_event("a/1", token);
    xenstore_poll();
    assert_int_equal(seen.calls, 4);
    assert_int_equal(xenstore_stats()->merged_events, 0);
}

static void test_events_of_long_paths_are_not_merged(void **state)
{
    char path[480];

    (void)state;
    watch("a");
    memset(path, 'a', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    server_event(path, token);
    server_event(path, token);
    xenstore_poll();
    assert_int_equal(seen.calls, 2);
}

static void test_malformed_events_are_dropped_and_counted(void **state)
{
    static char long_path[3000];

    (void)state;
    watch("a");
    memset(long_path, 'p', sizeof(long_path) - 1);
    server_message(XS_WATCH_EVENT, 0, NULL, 0);
    server_message(XS_WATCH_EVENT, 0, "a", 1);
    server_message(XS_WATCH_EVENT, 0, "a", 2);
    server_message(XS_WATCH_EVENT, 0, "a\0token", 7);
    server_event("a", "");
    server_event("a", "nonsense");
    server_event("a", "ff00000001"); /* places that are not there */
    server_event("a", "4000000001");
    xenstore_poll();
    assert_int_equal(seen.calls, 0);
    assert_int_equal(xenstore_stats()->bad_events, 6);
    assert_int_equal(xenstore_stats()->stale_events, 2);
    server_message(XS_WATCH_EVENT, 0, long_path, sizeof(long_path));
    xenstore_poll();
    assert_int_equal(xenstore_stats()->bad_events, 7);
    server_event("a", token);
    xenstore_poll();
    assert_int_equal(seen.calls, 1);
}

static void test_restart_drops_events_of_the_kernel_before(void **state)
{
    char old_token[32];

    (void)state;
    watch("a");
    strcpy(old_token, token);
    server_event("a/1", old_token);
    xenstore_init();
    assert_true(server_take(&request));
    assert_int_equal(request.header.type, XS_RESET_WATCHES);
    watch("a");
    server_event("a/2", old_token);
    xenstore_poll();
    assert_int_equal(seen.calls, 0);
    assert_int_equal(xenstore_stats()->stale_events, 2);
}

static void test_stopped_client_takes_unwatch_and_no_watch(void **state)
{
    (void)state;
    watch("a");
    store_page->rsp_prod += 4000;
    xenstore_poll();
    assert_true(xenstore_stopped());
    xenstore_unwatch(id);
    assert_int_equal(xenstore_watch("a", keep, &seen, &id), -EIO);
    xenstore_poll();
    assert_int_equal(seen.calls, 0);
    assert_int_equal(fake_errors, 1);
}

#define WATCH_TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCH_TEST(test_event_reaches_its_watch),
        WATCH_TEST(test_event_may_come_before_the_answer),
        WATCH_TEST(test_special_path_can_be_watched),
        WATCH_TEST(test_events_under_way_are_dropped_after_unwatch),
        WATCH_TEST(test_successor_of_a_watch_gets_none_of_its_events),
        WATCH_TEST(test_unwatching_what_is_gone_does_nothing),
        WATCH_TEST(test_callback_may_unwatch_itself_and_others),
        WATCH_TEST(test_callback_may_watch),
        WATCH_TEST(test_refused_watch_is_said_and_needs_no_unwatch),
        WATCH_TEST(test_watch_refused_after_its_unwatch_frees_its_place),
        WATCH_TEST(test_table_of_watches_is_bounded),
        WATCH_TEST(test_unwatch_without_room_is_sent_later),
        WATCH_TEST(test_flood_of_the_same_event_is_one_call_a_ring),
        WATCH_TEST(test_event_after_the_look_is_not_merged),
        WATCH_TEST(test_different_events_are_not_merged),
        WATCH_TEST(test_events_of_long_paths_are_not_merged),
        WATCH_TEST(test_malformed_events_are_dropped_and_counted),
        WATCH_TEST(test_restart_drops_events_of_the_kernel_before),
        WATCH_TEST(test_stopped_client_takes_unwatch_and_no_watch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
