/* SPDX-License-Identifier: BSD-2-Clause */
/* What the service manager is told, and when. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervise/notify.h"

#define LIMIT_US "30000000"
#define PERIOD_MS 15000

static char place[64];
static int manager = -1;

/* A manager that listens on an abstract name, which needs no file. */
static int manager_begin(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int len = snprintf(place, sizeof(place), "@ferry-test-notify-%d", getpid());

    (void)state;
    memcpy(address.sun_path + 1, place + 1, (size_t)len - 1);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setenv("NOTIFY_SOCKET", place, 1);
    setenv("WATCHDOG_USEC", LIMIT_US, 1);
    unsetenv("WATCHDOG_PID");
    return bind(manager, (struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len));
}

static int manager_end(void **state)
{
    (void)state;
    close(manager);
    return 0;
}

static void expect_heard(const char *what)
{
    char text[64];
    ssize_t len = recv(manager, text, sizeof(text) - 1, 0);

    if (!what) {
        assert_int_equal(len, -1);
        assert_int_equal(errno, EAGAIN);
        return;
    }
    assert_true(len >= 0);
    text[len] = '\0';
    assert_string_equal(text, what);
}

static void a_manager_hears_of_start_and_end(void **state)
{
    struct notify notify;

    (void)state;
    assert_int_equal(notify_begin(&notify), 0);
    assert_int_equal(notify_ready(&notify), 0);
    expect_heard("READY=1");
    assert_int_equal(notify_stopping(&notify), 0);
    expect_heard("STOPPING=1");
    expect_heard(NULL);
}

static void keep_alives_come_twice_within_the_limit(void **state)
{
    struct notify notify;

    (void)state;
    assert_int_equal(notify_begin(&notify), 0);
    assert_int_equal(notify_alive(&notify, 1), 1);
    expect_heard("WATCHDOG=1");
    assert_int_equal(notify_alive(&notify, PERIOD_MS), 0);
    expect_heard(NULL);
    assert_int_equal(notify_alive(&notify, 1 + PERIOD_MS), 1);
    expect_heard("WATCHDOG=1");
}

static void processes_made_later_cannot_speak_for_us(void **state)
{
    struct notify notify;

    (void)state;
    assert_int_equal(notify_begin(&notify), 0);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
}

static void without_a_manager_nothing_is_sent(void **state)
{
    struct notify notify;

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_begin(&notify), 0);
    assert_int_equal(notify_ready(&notify), -ENOTCONN);
    assert_int_equal(notify_alive(&notify, 1), 0);
    expect_heard(NULL);
}

static void a_watchdog_of_another_process_is_not_ours(void **state)
{
    struct notify notify;

    (void)state;
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_begin(&notify), 0);
    assert_int_equal(notify_alive(&notify, 1), 0);
    assert_int_equal(notify_ready(&notify), 0);
    expect_heard("READY=1");
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const char *const wrong[][2] = {
        { "relative", LIMIT_US }, { "", LIMIT_US }, { "/", LIMIT_US }, { "/x", "" },
        { "/x", "soon" },         { "/x", "0" },    { "/x", "-1" }
    };
    char longest[200];
    struct notify notify;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        setenv("NOTIFY_SOCKET", wrong[i][0], 1);
        setenv("WATCHDOG_USEC", wrong[i][1], 1);
        assert_int_equal(notify_begin(&notify), -EINVAL);
        assert_int_equal(notify_ready(&notify), -ENOTCONN);
    }
    memset(longest, '/', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    setenv("NOTIFY_SOCKET", longest, 1);
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(notify_begin(&notify), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, manager_begin, manager_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_manager_hears_of_start_and_end),
        TEST(keep_alives_come_twice_within_the_limit),
        TEST(processes_made_later_cannot_speak_for_us),
        TEST(without_a_manager_nothing_is_sent),
        TEST(a_watchdog_of_another_process_is_not_ours),
        TEST(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
