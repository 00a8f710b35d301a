/* SPDX-License-Identifier: BSD-2-Clause */
/* `ferry logs`, and what it says where there is nothing to show. */
#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "util/log.h"

static char dir[] = "/tmp/ferry-test-XXXXXX", said[2048];
static bool wants_report;

/* Fakes: the words of the command, and where it complains. */
int command_words(int argc, char **argv, int min, int max, const char *flag, bool *flag_r)
{
    (void)argv;
    assert_string_equal(flag, "report");
    assert_true(argc - 1 >= min && argc - 1 <= max);
    *flag_r = wants_report;
    optind = 1;
    return -1;
}

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
}

void log_clean(char *text, size_t len)
{
    (void)text;
    (void)len;
}

static int logs(const char *name, bool report)
{
    char *argv[] = { "logs", (char *)(uintptr_t)name, NULL };

    *said = '\0';
    wants_report = report;
    return command_logs(2, argv);
}

static void domnet_save(unsigned int nr_deaths)
{
    struct journal journal = { .name = "domnet", .domid = 7, .wish = JOURNAL_RUN, .nr_nics = 1 };

    snprintf(journal.uuid, sizeof(journal.uuid), "00112233-4455-6677-8899-aabbccddeeff");
    for (unsigned int i = 0; i < nr_deaths; i++)
        journal_death_add(&journal, 1000, 500, "crash");
    assert_int_equal(journal_save(&journal), 0);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    setenv("FERRY_STATE_DIR", dir, 1);
    setenv("FERRY_RUN_DIR", "/tmp/ferry-test-none", 1);
    setenv("FERRY_CONSOLE_DIR", dir, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    journal_remove("domnet");
    return rmdir(dir);
}

static void a_name_that_is_nobodys_is_no_fault_of_xenconsoled(void **state)
{
    static const char *const names[] = { "domnte", "../domnet", "" };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (unsigned int report = 0; report < 2; report++) {
            assert_int_equal(logs(names[i], report), EXIT_NO_SUCH);
            assert_non_null(strstr(said, "there is no driver domain"));
            assert_null(strstr(said, "xenconsoled"));
        }
}

static void a_console_that_is_not_kept_is_xenconsoleds(void **state)
{
    (void)state;
    domnet_save(0);
    assert_int_equal(logs("domnet", false), EXIT_FAILED);
    assert_non_null(strstr(said, "/guest-domnet.log: "));
    assert_non_null(strstr(said, "is xenconsoled run with --log=guest?"));
}

static void one_that_never_died_has_no_report(void **state)
{
    (void)state;
    domnet_save(0);
    assert_int_equal(logs("domnet", true), EXIT_FAILED);
    assert_string_equal(said, "domnet has not died: there is no report of a death");
    domnet_save(1);
    assert_int_equal(logs("domnet", true), EXIT_FAILED);
    assert_non_null(strstr(said, "/domnet.report is not there: nothing was kept"));
}

/* Whatever else is wrong: its own reason, and nobody else's. */
static void what_cannot_be_read_has_its_own_reason(void **state)
{
    char path[FILES_PATH_SIZE];

    (void)state;
    snprintf(path, sizeof(path), "%s/guest-domnet.log", dir);
    assert_int_equal(symlink("guest-domnet.log", path), 0);
    assert_int_equal(logs("domnet", false), EXIT_FAILED);
    assert_non_null(strstr(said, strerror(ELOOP)));
    assert_null(strstr(said, "xenconsoled"));
    assert_int_equal(unlink(path), 0);
}

static void a_damaged_journal_is_not_nobodys(void **state)
{
    char path[FILES_PATH_SIZE];

    (void)state;
    journal_path("domnet", ".json", path);
    assert_int_equal(files_write(path, "{", 1), 0);
    assert_int_equal(logs("domnet", true), EXIT_FAILED);
    assert_non_null(strstr(said, "domnet.json is damaged"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_is_nobodys_is_no_fault_of_xenconsoled),
        cmocka_unit_test(a_console_that_is_not_kept_is_xenconsoleds),
        cmocka_unit_test(one_that_never_died_has_no_report),
        cmocka_unit_test(what_cannot_be_read_has_its_own_reason),
        cmocka_unit_test(a_damaged_journal_is_not_nobodys),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
