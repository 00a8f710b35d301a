/* SPDX-License-Identifier: BSD-2-Clause */
/* ferryd and what a killed `ferry` left: whose it is, how often it is tried, and that one name does not keep another from it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/unfinished.h"
#include "supervise/finisher.h"
#include "util/files.h"
#include "util/log.h"

#define FERRY "ferry-of-test" /* as the Makefile says */
#define SYSTEMD "systemd-of-test"

static char directory[] = "/tmp/ferry-finisher-XXXXXX";
static char said[4096];

void log_line(const char *format, ...)
{
    size_t used = strlen(said);
    va_list args;

    va_start(args, format);
    vsnprintf(said + used, sizeof(said) - used, format, args);
    va_end(args);
}

static void script_put(const char *name, const char *body)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\necho \"%s $*\" >> runs\n%s\n", name, body) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(name, 0700), 0);
}

static void record_put(const char *name)
{
    char path[FILES_PATH_SIZE];

    unfinished_path(name, path);
    assert_int_equal(files_write(path, "{}", 2), 0);
}

/* What was run since it was last asked for. */
static void expect_runs(const char *wanted)
{
    char *text;

    if (files_read("runs", 4096, &text, NULL))
        text = strdup("");
    assert_string_equal(text, wanted);
    free(text);
    unlink("runs");
}

/* Until its child has ended, which it then has seen. */
static void look_until_over(struct finisher *finisher, int64_t now_ms)
{
    finisher_look(finisher, now_ms);
    while (finisher->child) {
        siginfo_t info;

        assert_int_equal(waitid(P_PID, (id_t)finisher->child, &info, WEXITED | WNOWAIT), 0);
        finisher_look(finisher, now_ms);
    }
}

static void nothing_is_run_for_nothing(void **state)
{
    struct finisher finisher = { 0 };
    int guard;

    (void)state;
    script_put(FERRY, "rm $FERRY_RUN_DIR/$3.dom0");
    look_until_over(&finisher, 0);
    expect_runs("");
    record_put("domnet");
    guard = unfinished_guard("domnet"); /* a `ferry` is at work on it */
    assert_true(guard >= 0);
    look_until_over(&finisher, 0);
    expect_runs("");
    close(guard);
    look_until_over(&finisher, 0);
    expect_runs(FERRY " stop --unfinished domnet\n");
    assert_non_null(strstr(said, "domnet: a `ferry` that moved dom0's network is gone"));
    assert_false(unfinished_is_there("domnet"));
    look_until_over(&finisher, 0);
    expect_runs("");
}

static void what_fails_is_tried_again_ever_later(void **state)
{
    struct finisher finisher = { 0 };
    int64_t now = 0;

    (void)state;
    script_put(FERRY, "exit 0"); /* whatever it says: the record stays */
    record_put("domnet");
    for (int64_t delay = 1000; delay <= 128000; delay *= 2) {
        int64_t wait = delay < 60000 ? delay : 60000;

        said[0] = '\0';
        look_until_over(&finisher, now);
        expect_runs(FERRY " stop --unfinished domnet\n");
        assert_non_null(strstr(said, "could not be brought back this time"));
        look_until_over(&finisher, now + wait - 1);
        expect_runs("");
        now += wait;
    }
    record_put("other"); /* does not wait for the first one */
    look_until_over(&finisher, now - 1);
    expect_runs(FERRY " stop --unfinished other\n");
    look_until_over(&finisher, now - 1); /* nor does the first one wait less for it */
    expect_runs("");
    script_put(FERRY, "rm $FERRY_RUN_DIR/$3.dom0");
    look_until_over(&finisher, now + 100000);
    look_until_over(&finisher, now + 100000);
    assert_false(unfinished_is_there("domnet") || unfinished_is_there("other"));
    unlink("runs");
}

static void without_the_program_it_is_said(void **state)
{
    struct finisher finisher = { 0 };

    (void)state;
    unlink(FERRY);
    record_put("domnet");
    said[0] = '\0';
    look_until_over(&finisher, 0);
    assert_non_null(strstr(said, "./" FERRY ": No such file"));
    assert_non_null(strstr(said, "again after 1 s"));
    assert_true(unfinished_is_there("domnet"));
}

/* Its restrictions keep ferryd from dom0's network there. */
static void systemd_runs_it_in_a_unit(void **state)
{
    struct finisher finisher = { 0 };
    char path[FILES_PATH_SIZE];

    (void)state;
    script_put("systemd-run", "shift 4; shift 3; rm $FERRY_RUN_DIR/$1.dom0");
    snprintf(path, sizeof(path), ".:%s", getenv("PATH"));
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_equal(mkdir(SYSTEMD, 0700), 0);
    record_put("domnet");
    look_until_over(&finisher, 0);
    expect_runs("systemd-run --quiet --collect --property=Type=oneshot "
                "--unit=ferry-unfinished-domnet ./" FERRY " stop --unfinished domnet\n");
    assert_false(unfinished_is_there("domnet"));
    rmdir(SYSTEMD);
}

static int directory_make(void **state)
{
    (void)state;
    return !mkdtemp(directory) || setenv("FERRY_RUN_DIR", directory, 1) || chdir(directory);
}

static int directory_remove(void **state)
{
    static const char *const files[] = {
        FERRY, "systemd-run", ".domnet.dom0.lock", ".other.dom0.lock", "domnet.dom0", "runs"
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(files[i]);
    return chdir("/") || rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_run_for_nothing),
        cmocka_unit_test(what_fails_is_tried_again_ever_later),
        cmocka_unit_test(without_the_program_it_is_said),
        cmocka_unit_test(systemd_runs_it_in_a_unit),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
