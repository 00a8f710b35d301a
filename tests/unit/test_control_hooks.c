/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is told of a death: the programs in hooks.d, those of root's that nobody else may write. */
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

#include "supervise/hooks.h"
#include "util/files.h"

#define LIMIT_MS 10000

static char base[] = "/tmp/ferry-hooks-XXXXXX";
static char hooks[64], out[64];

static unsigned int nr_said;
static char said[1024];

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
    nr_said++;
}

static void program_put(const char *name, const char *text, mode_t mode)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", hooks, name);
    assert_int_equal(files_write(path, text, strlen(text)), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void program_remove(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", hooks, name);
    unlink(path);
}

/* What the programs wrote, once the last of them has; to be freed. */
static char *written(const char *last)
{
    for (unsigned int ms = 0; ms < LIMIT_MS; ms += 10) {
        char *text;

        hooks_look();
        if (files_read(out, 4096, &text, NULL) == 0) {
            if (strstr(text, last))
                return text;
            free(text);
        }
        usleep(10000);
    }
    fail_msg("'%s' did not come", last);
    return NULL;
}

static int told(void)
{
    static struct journal journal = { .name = "domnet", .nr_deaths_ever = 3 };
    static const struct journal_death death = {
        .cause = "crash", .reason = "page fault: $(id)\n`id`", .depth = 2, .back_ms = 41
    };

    unlink(out);
    return hooks_run(&journal, &death);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(base))
        return -1;
    setenv("FERRY_CONFIG_DIR", base, 1);
    snprintf(hooks, sizeof(hooks), "%s/hooks.d", base);
    snprintf(out, sizeof(out), "%s/out", base);
    setenv("OUT", out, 1);
    return mkdir(hooks, 0755);
}

static int teardown(void **state)
{
    (void)state;
    unlink(out);
    rmdir(hooks);
    return rmdir(base);
}

static void each_is_told_in_order(void **state)
{
    char *text;

    (void)state;
    program_put("10-first", "#!/bin/sh\necho \"first $# $1 $2 $3\" >> \"$OUT\"\nexit 7\n", 0755);
    program_put(
        "20-second",
        "#!/bin/sh\necho \"$FERRY_REASON $FERRY_OUTAGE_MS $FERRY_DEATHS end\" >> \"$OUT\"\n", 0700);
    program_put("30-old.bak", "#!/bin/sh\necho backup >> \"$OUT\"\n", 0755);
    assert_int_equal(told(), 2);
    text = written("end");
    assert_string_equal(text, "first 3 domnet crash 2\npage fault: $(id)\n`id` 41 3 end\n");
    free(text);
    program_remove("10-first");
    program_remove("20-second");
    program_remove("30-old.bak");
}

static void what_others_may_write_is_not_run(void **state)
{
    char *text;

    (void)state;
    program_put("10-group", "#!/bin/sh\necho group >> \"$OUT\"\n", 0775);
    program_put("20-all", "#!/bin/sh\necho all >> \"$OUT\"\n", 0757);
    program_put("30-no-program", "#!/bin/sh\necho text >> \"$OUT\"\n", 0644);
    program_put("40-last", "#!/bin/sh\necho last >> \"$OUT\"\n", 0755);
    assert_int_equal(told(), 4);
    text = written("last");
    assert_string_equal(text, "last\n");
    free(text);
    program_remove("10-group");
    program_remove("20-all");
    program_remove("30-no-program");
}

/* Deaths come often; what is wrong with a file is said when it begins to be so. */
static void a_fault_is_said_once_for_each_change(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/10-bad", hooks);
    program_put("10-bad", "#!/bin/sh\n", 0775);
    nr_said = 0;
    for (unsigned int i = 0; i < 3; i++)
        told();
    assert_int_equal(nr_said, 1);
    assert_non_null(strstr(said, "/10-bad is not run: it must be nobody else's to write"));
    assert_int_equal(chmod(path, 0644), 0); /* another reason */
    for (unsigned int i = 0; i < 3; i++)
        told();
    assert_int_equal(nr_said, 2);
    assert_non_null(strstr(said, "not executable"));
    usleep(20000); /* the clock of files */
    assert_int_equal(chmod(path, 0600), 0); /* the same one of a file that was changed */
    told();
    told();
    assert_int_equal(nr_said, 3);
    assert_int_equal(chmod(path, 0755), 0);
    told();
    assert_int_equal(nr_said, 3);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/bin/true", path), 0);
    told();
    told();
    assert_int_equal(nr_said, 4);
    assert_non_null(strstr(said, "no plain file"));
    program_remove("10-bad");
    told();
    program_put("10-bad", "#!/bin/sh\n", 0775);
    told();
    told();
    assert_int_equal(nr_said, 5);
    program_remove("10-bad");
}

/* More than are kept in mind are said again: nothing is written behind the end. */
static void many_faults_are_borne(void **state)
{
    char name[16];

    (void)state;
    told(); /* what is gone is forgotten */
    for (unsigned int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "bad-%02u", i);
        program_put(name, "", 0644);
    }
    nr_said = 0;
    told();
    assert_int_equal(nr_said, 40);
    told();
    assert_int_equal(nr_said, 48);
    for (unsigned int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "bad-%02u", i);
        program_remove(name);
    }
}

/* Whoever may write the directory can put a program there that is not his own. */
static void nothing_is_run_from_a_directory_of_others(void **state)
{
    static const mode_t modes[] = { 0775, 0757, 01777 };

    (void)state;
    for (unsigned int i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(hooks, modes[i]), 0);
        nr_said = 0;
        assert_int_equal(told(), -EPERM);
        assert_int_equal(told(), -EPERM);
        assert_int_equal(nr_said, 1);
    }
    assert_int_equal(chmod(hooks, 0755), 0);
    assert_int_equal(told(), 1);
    free(written("last"));
    program_remove("40-last");
    assert_int_equal(told(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_told_in_order),
        cmocka_unit_test(what_others_may_write_is_not_run),
        cmocka_unit_test(nothing_is_run_from_a_directory_of_others),
        cmocka_unit_test(a_fault_is_said_once_for_each_change),
        cmocka_unit_test(many_faults_are_borne),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
