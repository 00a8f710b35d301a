/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files `ferry start --all` takes, and in which order. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/auto.h"
#include "util/files.h"

static char dir[64];

static int dir_make(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/ferry-auto-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static void put(const char *name)
{
    char path[FILES_PATH_SIZE];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(files_write(path, "", 0), 0);
}

static int dir_remove(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -r '%s'", dir);
    return system(command);
}

static void expect_path(const struct auto_files *files, size_t i, const char *name)
{
    assert_true(i < files->nr);
    assert_memory_equal(files->paths[i], dir, strlen(dir));
    assert_string_equal(files->paths[i] + strlen(dir) + 1, name);
}

static void they_come_in_the_order_of_their_names(void **state)
{
    struct auto_files files;

    (void)state;
    put("20-b.cfg");
    put("10-z.cfg");
    put("a.cfg");
    put("B.cfg");
    assert_int_equal(auto_list(dir, &files), 0);
    assert_int_equal(files.nr, 4);
    expect_path(&files, 0, "10-z.cfg");
    expect_path(&files, 1, "20-b.cfg");
    expect_path(&files, 2, "B.cfg");
    expect_path(&files, 3, "a.cfg");
    auto_dispose(&files);
}

static void what_was_left_behind_does_not_count(void **state)
{
    static const char *const left[] = { ".hidden.cfg",   "x.cfg~",          "x.cfg.dpkg-old",
                                        "x.cfg.rpmsave", "x.cfg.dpkg-dist", "x.cfg.bak" };
    struct auto_files files;

    (void)state;
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
        put(left[i]);
    put("no-ending");
    assert_int_equal(auto_list(dir, &files), 0);
    assert_int_equal(files.nr, 1);
    expect_path(&files, 0, "no-ending");
    auto_dispose(&files);
}

/* It was meant to be started: reading it has to fail, not to be left out. */
static void a_dangling_link_counts(void **state)
{
    char path[FILES_PATH_SIZE];
    struct auto_files files;

    (void)state;
    snprintf(path, sizeof(path), "%s/gone.cfg", dir);
    assert_int_equal(symlink("/nonexistent/gone.cfg", path), 0);
    assert_int_equal(auto_list(dir, &files), 0);
    assert_int_equal(files.nr, 1);
    auto_dispose(&files);
}

static void a_directory_that_is_not_there_has_none(void **state)
{
    struct auto_files files;

    (void)state;
    assert_int_equal(auto_list("/nonexistent/auto", &files), 0);
    assert_int_equal(files.nr, 0);
    auto_dispose(&files);
    assert_int_equal(auto_list(dir, &files), 0);
    assert_int_equal(files.nr, 0);
    auto_dispose(&files);
}

static void what_is_no_directory_is_an_error(void **state)
{
    struct auto_files files;
    char path[FILES_PATH_SIZE];

    (void)state;
    put("file");
    snprintf(path, sizeof(path), "%s/file", dir);
    assert_int_equal(auto_list(path, &files), -ENOTDIR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, dir_make, dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_come_in_the_order_of_their_names),
        TEST(what_was_left_behind_does_not_count),
        TEST(a_dangling_link_counts),
        TEST(a_directory_that_is_not_there_has_none),
        TEST(what_is_no_directory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
