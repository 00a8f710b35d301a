/* SPDX-License-Identifier: BSD-2-Clause */
/* Deaths in systemd's journal: one datagram of fields, a line each, whatever a domain says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervise/journald.h"

static char directory[] = "/tmp/ferry-journald-XXXXXX";
static int listener;

static int setup(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNALD_SOCKET };

    (void)state;
    setenv("JOURNAL_STREAM", "8:1", 1);
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    return !mkdtemp(directory) || chdir(directory) ||
           bind(listener, (struct sockaddr *)&address, sizeof(address));
}

static int teardown(void **state)
{
    (void)state;
    close(listener);
    unlink(JOURNALD_SOCKET);
    return chdir("/") || rmdir(directory);
}

/* What the journal got; "" if nothing. */
static const char *sent(const struct journal_death *death)
{
    static const struct journal journal = { .name = "domnet", .nr_deaths_ever = 3 };
    static char text[4096];
    ssize_t len;

    journald_send(&journal, death);
    len = recv(listener, text, sizeof(text) - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    assert_true(recv(listener, (char[1]){ 0 }, 1, 0) < 0);
    return text;
}

static void a_death_has_its_fields(void **state)
{
    const struct journal_death death = {
        .cause = "crash", .reason = "page fault", .way = "reloaded", .depth = 2, .back_ms = 41
    };

    (void)state;
    assert_string_equal(
        sent(&death),
        "MESSAGE=domnet: death 3: crash: page fault, reloaded at depth 2 after 41 ms\n"
        "MESSAGE_ID=" JOURNALD_MESSAGE_ID "\nPRIORITY=4\nSYSLOG_IDENTIFIER=ferryd\n"
        "FERRY_DOMAIN=domnet\nFERRY_CAUSE=crash\nFERRY_REASON=page fault\n"
        "FERRY_DEPTH=2\nFERRY_OUTAGE_MS=41\n");
}

static void one_that_stays_is_an_error(void **state)
{
    const struct journal_death death = { .cause = "hang", .depth = 3, .back_ms = -1 };
    const char *text = sent(&death);

    (void)state;
    assert_non_null(strstr(text, "MESSAGE=domnet: death 3: hang, not brought back\n"));
    assert_non_null(strstr(text, "\nPRIORITY=3\n"));
    assert_non_null(strstr(text, "\nFERRY_DEPTH=none\nFERRY_OUTAGE_MS=\n"));
    assert_null(strstr(text, "-1"));
}

/* A line end begins a field, and in the journal's other form a line without '=' would. */
static void a_reason_is_no_field(void **state)
{
    struct journal_death death = { .cause = "crash", .back_ms = -1 };
    unsigned int lines = 0;
    const char *text;

    (void)state;
    snprintf(death.reason, sizeof(death.reason), "x\nFERRY_DOMAIN=other\nMESSAGE\nPRIORITY=0");
    text = sent(&death);
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 9);
    assert_null(strstr(text, "\nFERRY_DOMAIN=other"));
    assert_null(strstr(text, "\nMESSAGE\n"));
    assert_null(strstr(text, "\nPRIORITY=0"));
}

static void the_longest_ones_are_sent(void **state)
{
    struct journal_death death = { .back_ms = INT64_MAX };

    (void)state;
    memset(death.reason, 'r', sizeof(death.reason) - 1);
    memset(death.cause, 'c', sizeof(death.cause) - 1);
    memset(death.way, 'w', sizeof(death.way) - 1);
    assert_non_null(strstr(sent(&death), "\nFERRY_OUTAGE_MS=9223372036854775807\n"));
}

/* Not under systemd, or with output that goes elsewhere. */
static void nobody_else_is_told(void **state)
{
    const struct journal_death death = { .cause = "hang", .back_ms = -1 };

    (void)state;
    unsetenv("JOURNAL_STREAM");
    assert_string_equal(sent(&death), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_death_has_its_fields), cmocka_unit_test(one_that_stays_is_an_error),
        cmocka_unit_test(a_reason_is_no_field),   cmocka_unit_test(the_longest_ones_are_sent),
        cmocka_unit_test(nobody_else_is_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
