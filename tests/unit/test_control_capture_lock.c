/* SPDX-License-Identifier: BSD-2-Clause */
/* Who captures, for whom is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/capture_lock.h"

static char directory[64], path[128];
static struct capture_lock_holder holder;

static int start(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/ferry-lock.XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    setenv("FERRY_RUN_DIR", directory, 1);
    snprintf(path, sizeof(path), "%s/.domnet.capture.lock", directory);
    memset(&holder, 0xa5, sizeof(holder));
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static void the_second_is_told_of_the_first(void **state)
{
    int64_t now_s = time(NULL);
    int lock = capture_lock_take("domnet", "bridge:xenbr0", &holder);

    (void)state;
    assert_true(lock >= 0);
    assert_int_equal(capture_lock_take("domnet", "vif3.0", &holder), -EAGAIN);
    assert_int_equal(holder.pid, getpid());
    assert_in_range(holder.since_s, now_s, now_s + 5);
    assert_string_equal(holder.port, "bridge:xenbr0");
    capture_lock_free(lock);
    lock = capture_lock_take("domnet", "vif3.0", &holder);
    assert_true(lock >= 0);
    assert_int_equal(capture_lock_take("domnet", "nic0", &holder), -EAGAIN);
    assert_string_equal(holder.port, "vif3.0");
    capture_lock_free(lock);
}

static void one_that_was_killed_holds_nothing(void **state)
{
    pid_t pid = fork();
    int status, lock;

    (void)state;
    if (pid == 0) {
        capture_lock_take("domnet", "a-long-name-of-a-port", &holder);
        _exit(0); /* its line stays */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    lock = capture_lock_take("domnet", "nic0", &holder);
    assert_true(lock >= 0);
    assert_int_equal(capture_lock_take("domnet", "vif3.0", &holder), -EAGAIN);
    assert_int_equal(holder.pid, getpid());
    assert_string_equal(holder.port, "nic0");
    capture_lock_free(lock);
}

static void a_file_that_makes_no_sense_names_nobody(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "x",
        "12\n",
        "0 5 vif3.0\n",
        "-1 5 vif3.0\n",
        "1 5 vif3.0\n",
        "4194305 5 vif3.0\n",
    };
    int lock = capture_lock_take("domnet", "nic0", &holder);

    (void)state;
    for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(lines[i], file);
        fclose(file);
        assert_int_equal(capture_lock_take("domnet", "vif3.0", &holder), -EAGAIN);
        assert_int_equal(holder.pid, 0);
    }
    capture_lock_free(lock);
}

static void a_name_acts_on_no_terminal(void **state)
{
    int lock = capture_lock_take("domnet", "nic0", &holder);
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    fprintf(file, "%d 5 \033[2Ja-name-of-a-port-that-does-not-end-where-it-should\n", getpid());
    fclose(file);
    assert_int_equal(capture_lock_take("domnet", "vif3.0", &holder), -EAGAIN);
    assert_int_equal(holder.pid, getpid());
    assert_memory_equal(holder.port, "?[2Ja-name", 10);
    assert_int_equal(strlen(holder.port), CAPTURE_LOCK_PORT_SIZE - 1);
    capture_lock_free(lock);
}

static void without_a_directory_it_says_so(void **state)
{
    (void)state;
    setenv("FERRY_RUN_DIR", "/proc/none", 1);
    assert_true(capture_lock_take("domnet", "nic0", &holder) < 0);
    setenv("FERRY_RUN_DIR", directory, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(the_second_is_told_of_the_first),         TEST(one_that_was_killed_holds_nothing),
        TEST(a_file_that_makes_no_sense_names_nobody), TEST(a_name_acts_on_no_terminal),
        TEST(without_a_directory_it_says_so),
    };

    return cmocka_run_group_tests_name("control_capture_lock", tests, NULL, NULL);
}
