/* SPDX-License-Identifier: BSD-2-Clause */
/* What commands say of a journal that cannot be used: whose fault it is, which file, what to do. */
#include <errno.h>
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
#include "cli/journal_read.h"
#include "util/log.h"

static char base[] = "/tmp/ferry-test-XXXXXX", state_dir[64], run_dir[64], said[2048];

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(base))
        return -1;
    snprintf(state_dir, sizeof(state_dir), "%s/state", base);
    snprintf(run_dir, sizeof(run_dir), "%s/run", base);
    setenv("FERRY_STATE_DIR", state_dir, 1);
    setenv("FERRY_RUN_DIR", run_dir, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(base);
}

static int start(void **state)
{
    (void)state;
    *said = '\0';
    return mkdir(state_dir, 0700) || mkdir(run_dir, 0700);
}

/* Nothing else was left there. */
static int end(void **state)
{
    (void)state;
    return rmdir(state_dir) || rmdir(run_dir);
}

static void put(const char *dir, const char *text)
{
    char path[FILES_PATH_SIZE];

    snprintf(path, sizeof(path), "%s/domnet.json", dir);
    if (text)
        assert_int_equal(files_write(path, text, strlen(text)), 0);
    else
        assert_int_equal(unlink(path), 0);
}

static void says(const char *dir, const char *words)
{
    char path[FILES_PATH_SIZE];

    snprintf(path, sizeof(path), "%s/domnet.json", dir);
    assert_non_null(strstr(said, path));
    assert_non_null(strstr(said, words));
    assert_null(strstr(said, "there is no driver domain"));
}

static void one_that_is_not_there_is_no_such_domain(void **state)
{
    struct journal journal;

    (void)state;
    assert_int_equal(journal_read("domnet", &journal), EXIT_NO_SUCH);
    assert_non_null(strstr(said, "there is no driver domain domnet "));
    *said = '\0';
    assert_int_equal(journal_read("../domnet", &journal), EXIT_NO_SUCH);
    assert_non_null(strstr(said, "there is no driver domain ../domnet "));
}

static void a_damaged_one_is_named_with_what_to_do(void **state)
{
    static const char *const damaged[] = { "", "{", "[]", "{ \"name\": \"domnet\" }", "\x01\xff" };
    struct journal journal;

    (void)state;
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        *said = '\0';
        put(state_dir, damaged[i]);
        assert_int_equal(journal_read("domnet", &journal), EXIT_FAILED);
        says(state_dir, "is damaged");
        says(state_dir, "`xl destroy domnet`, move domnet.json away from ");
    }
    put(state_dir, NULL);
}

/* In the midst of a recovery the newer one lies in the run directory. */
static void the_file_that_is_damaged_is_the_one_that_is_named(void **state)
{
    struct journal journal = { .name = "domnet", .domid = 7, .wish = JOURNAL_RUN, .nr_nics = 1 };

    (void)state;
    snprintf(journal.uuid, sizeof(journal.uuid), "00112233-4455-6677-8899-aabbccddeeff");
    assert_int_equal(journal_save(&journal), 0);
    assert_int_equal(journal_read("domnet", &journal), 0);
    assert_string_equal(said, "");
    put(run_dir, "{");
    assert_int_equal(journal_read("domnet", &journal), EXIT_FAILED);
    says(run_dir, "is damaged");
    put(run_dir, NULL);
    put(state_dir, NULL);
}

static void one_that_cannot_be_read_is_not_called_damaged(void **state)
{
    char path[FILES_PATH_SIZE];
    struct journal journal;

    (void)state;
    journal_path("domnet", ".json", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(journal_read("domnet", &journal), EXIT_FAILED);
    says(state_dir, strerror(EISDIR));
    assert_null(strstr(said, "damaged"));
    assert_int_equal(rmdir(path), 0);
    journal_fault_tell("domnet", -EACCES);
    says(state_dir, "is it root");
}

static void any(void *ctx, const char *name)
{
    (void)name;
    ++*(unsigned int *)ctx;
}

static void a_directory_that_cannot_be_read_is_not_an_empty_one(void **state)
{
    unsigned int nr = 0;

    (void)state;
    assert_int_equal(journal_read_each(any, &nr), 0);
    assert_int_equal(rmdir(state_dir), 0);
    assert_int_equal(journal_read_each(any, &nr), 0); /* nothing was ever started */
    assert_string_equal(said, "");
    assert_int_equal(files_write(state_dir, "x", 1), 0);
    assert_int_equal(journal_read_each(any, &nr), -ENOTDIR);
    assert_non_null(strstr(said, state_dir));
    assert_non_null(strstr(said, "which driver domains there are cannot be told"));
    assert_int_equal(unlink(state_dir), 0);
    assert_int_equal(mkdir(state_dir, 0700), 0);
    assert_int_equal(nr, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(one_that_is_not_there_is_no_such_domain),
        TEST(a_damaged_one_is_named_with_what_to_do),
        TEST(the_file_that_is_damaged_is_the_one_that_is_named),
        TEST(one_that_cannot_be_read_is_not_called_damaged),
        TEST(a_directory_that_cannot_be_read_is_not_an_empty_one),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
