/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may say that what `ferry setup` did stays, and what counts as nobody's word. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/setup_confirm.h"
#include "xen/host.h"

static volatile sig_atomic_t interrupted;

int64_t host_ticks_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* The question is not to stand among the results of the tests. */
static const char *wait_quietly(int fd, unsigned int seconds, const char *question,
                                const volatile sig_atomic_t *by)
{
    int out = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const char *why;

    fflush(stdout);
    assert_true(out >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0);
    why = setup_confirm_wait(fd, seconds, question, by);
    fflush(stdout);
    assert_true(dup2(out, STDOUT_FILENO) >= 0);
    close(out);
    close(nowhere);
    return why;
}

/* What a pipe says that ends after it, or goes on being open for a second. */
static const char *judge(const char *said, int is_open)
{
    const char *why;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], said, strlen(said)), (ssize_t)strlen(said));
    if (!is_open)
        close(ends[1]);
    why = wait_quietly(ends[0], 1, "stay?", &interrupted);
    close(ends[0]);
    if (is_open)
        close(ends[1]);
    return why;
}

static void expect_why(const char *why, const char *part)
{
    assert_non_null(why);
    assert_non_null(strstr(why, part));
}

static void enter_and_yes_keep_it(void **state)
{
    static const char *const words[] = { "\n", "y\n", "yes\n", "YES\n", "yes\r\n", "what\nyes\n" };

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_null(judge(words[i], 0));
        assert_null(judge(words[i], 1));
    }
}

static void no_undoes_it_at_once(void **state)
{
    int64_t start = host_ticks_ms();

    (void)state;
    expect_why(judge("n\n", 1), "not to stay");
    expect_why(judge("no\nyes\n", 1), "not to stay");
    assert_true(host_ticks_ms() - start < 500);
}

static void other_words_keep_nothing(void **state)
{
    (void)state;
    expect_why(judge("yesyesyesyes\n", 0), "not confirmed");
    expect_why(judge("yes please\n", 1), "not confirmed in time");
    expect_why(judge(" \n", 0), "not confirmed");
    expect_why(judge("yes\t\n", 0), "not confirmed");
}

static void the_end_of_the_input_is_no_word(void **state)
{
    int64_t start = host_ticks_ms();

    (void)state;
    expect_why(judge("", 0), "at its end");
    expect_why(judge("yes", 0), "at its end"); /* no line */
    expect_why(wait_quietly(-1, 1, "stay?", &interrupted), "in time"); /* poll() looks past it */
    expect_why(wait_quietly(1000, 1, "stay?", &interrupted), "at its end");
    assert_true(host_ticks_ms() - start < 1500);
}

static void silence_ends_with_the_time(void **state)
{
    int64_t start = host_ticks_ms();

    (void)state;
    expect_why(judge("", 1), "in time");
    assert_true(host_ticks_ms() - start >= 1000);
}

static void a_signal_ends_it(void **state)
{
    (void)state;
    interrupted = 1;
    expect_why(judge("yes\n", 1), "interrupted");
    interrupted = 0;
}

static void what_stands_behind_the_line_is_left_there(void **state)
{
    char rest[8];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "yes\nnext", 8), 8);
    assert_null(wait_quietly(ends[0], 1, "stay?", &interrupted));
    assert_int_equal(read(ends[0], rest, sizeof(rest)), 4);
    assert_memory_equal(rest, "next", 4);
    close(ends[0]);
    close(ends[1]);
}

/* Enter was pressed while it waited for the link. */
static void what_was_typed_before_is_no_answer(void **state)
{
    int master, terminal;

    (void)state;
    assert_int_equal(openpty(&master, &terminal, NULL, NULL, NULL), 0);
    assert_int_equal(write(master, "\n", 1), 1);
    expect_why(wait_quietly(terminal, 1, "stay?", &interrupted), "in time");
    close(master);
    expect_why(wait_quietly(terminal, 1, "stay?", &interrupted), "at its end");
    close(terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enter_and_yes_keep_it),
        cmocka_unit_test(no_undoes_it_at_once),
        cmocka_unit_test(other_words_keep_nothing),
        cmocka_unit_test(the_end_of_the_input_is_no_word),
        cmocka_unit_test(silence_ends_with_the_time),
        cmocka_unit_test(a_signal_ends_it),
        cmocka_unit_test(what_stands_behind_the_line_is_left_there),
        cmocka_unit_test(what_was_typed_before_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
