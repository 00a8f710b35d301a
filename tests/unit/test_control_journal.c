/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal, its file, the pause between deaths, and what a look at a domain means. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <xen/xen.h>

#include <xen/sched.h>

#include "journal/journal.h"
#include "journal/journal_json.h"
#include "supervise/backoff.h"
#include "xen/domain_state.h"

static struct journal journal_full(void)
{
    struct journal journal = { .boot = "aabbccdd-0000-1111-2222-334455667788",
                               .name = "domnet",
                               .uuid = "00112233-4455-6677-8899-aabbccddeeff",
                               .domid = 7,
                               .wish = JOURNAL_GIVEN_UP,
                               .unisolated = true,
                               .nr_nics = 2,
                               .nics = { { { 0, 3, 0, 1 }, true }, { { 1, 4, 2, 0 }, false } } };

    for (unsigned int i = 0; i < JOURNAL_DEATHS_MAX + 3; i++)
        journal_death_add(&journal, 1000 + i, 500, "crash");
    snprintf(journal.kernel, sizeof(journal.kernel), "/boot/ferry-net");
    journal.adopted = true;
    journal.has_policy = true;
    journal.tries = 2;
    journal.self_restarts = 4000000000u;
    journal.deaths[0].depth = 2;
    journal.deaths[0].reset_nic = true;
    snprintf(journal.deaths[0].reason, sizeof(journal.deaths[0].reason), "page \"fault\"");
    snprintf(journal.deaths[0].last_port, sizeof(journal.deaths[0].last_port), "vif3.0");
    for (unsigned int i = 0; i < JOURNAL_STEPS_MAX + 2; i++)
        journal_step_add(&journal.deaths[0], "a step too long to fit", -5 + (int)i);
    snprintf(journal.deaths[0].way, sizeof(journal.deaths[0].way), "rebuilt");
    journal.deaths[0].back_ms = 1234;
    return journal;
}

static void test_journal_roundtrip(void **state)
{
    struct journal before = journal_full(), after;
    char *text = journal_encode(&before);

    (void)state;
    assert_non_null(text);
    assert_int_equal(journal_decode(text, &after), 0);
    assert_string_equal(after.name, before.name);
    assert_string_equal(after.uuid, before.uuid);
    assert_string_equal(after.boot, before.boot);
    assert_int_equal(after.domid, 7);
    assert_int_equal(after.wish, JOURNAL_GIVEN_UP);
    assert_true(after.unisolated);
    assert_int_equal(after.nr_nics, 2);
    assert_true(bdf_is_same(&after.nics[1].bdf, &before.nics[1].bdf));
    assert_true(after.nics[0].taken);
    assert_int_equal(after.nr_deaths, JOURNAL_DEATHS_MAX);
    assert_int_equal(after.nr_deaths_ever, JOURNAL_DEATHS_MAX + 3);
    assert_int_equal(after.deaths[0].at_ms, 1003); /* the three oldest are forgotten */
    assert_int_equal(after.deaths[0].ticks_ms, 500);
    assert_int_equal(after.deaths[0].back_ms, 1234);
    assert_string_equal(after.deaths[0].way, "rebuilt");
    assert_string_equal(after.kernel, "/boot/ferry-net");
    assert_true(after.adopted);
    assert_true(after.has_policy);
    assert_int_equal(after.tries, 2);
    assert_int_equal(after.self_restarts, 4000000000u);
    assert_int_equal(after.deaths[0].depth, 2);
    assert_true(after.deaths[0].reset_nic);
    assert_string_equal(after.deaths[0].reason, "page \"fault\"");
    assert_string_equal(after.deaths[0].last_port, "vif3.0");
    assert_int_equal(after.deaths[0].nr_steps, JOURNAL_STEPS_MAX);
    assert_int_equal(after.deaths[0].steps[0].us, -5);
    assert_string_equal(after.deaths[0].steps[0].name, "a step too long");
    free(text);
}

/* A file that was cut, or in which any character is another, is refused or read within bounds. */
static void test_journal_damaged(void **state)
{
    struct journal journal = journal_full(), out = { .domid = 99 };
    char *text = journal_encode(&journal);
    size_t len = strlen(text);

    (void)state;
    while (len && text[len - 1] != '}')
        len--;
    for (size_t cut = 0; cut < len; cut++) {
        char *copy = strndup(text, cut);

        assert_int_equal(journal_decode(copy, &out), -EINVAL);
        assert_int_equal(out.domid, 99);
        free(copy);
    }
    for (size_t at = 0; at < len; at++) {
        char kept = text[at];

        for (const char *other = "9\"{}[]-,x"; *other; other++) {
            text[at] = *other;
            if (journal_decode(text, &out) == 0) {
                assert_true(out.nr_nics <= JOURNAL_NICS_MAX);
                assert_true(out.domid == JOURNAL_NO_DOMID || out.domid <= 0x7fef);
                assert_true(files_name_ok(out.name));
            }
        }
        text[at] = kept;
    }
    free(text);
}

static void name_count(void *ctx, const char *name)
{
    assert_string_equal(name, "domnet");
    ++*(unsigned int *)ctx;
}

/* A copy under another name, which is read into what was known of that one. */
static void another_ones_journal_changes_nothing(void)
{
    struct journal known = { .name = "other", .domid = 9 };
    char from[FILES_PATH_SIZE], to[FILES_PATH_SIZE];
    const char *culprit;

    journal_path("domnet", ".json", from);
    journal_path("other", ".json", to);
    assert_int_equal(files_copy(from, to, 262144, &culprit), 0);
    assert_int_equal(journal_load(known.name, &known), -EINVAL);
    assert_string_equal(known.name, "other");
    assert_int_equal(known.domid, 9);
    assert_int_equal(unlink(to), 0);
}

static void test_journal_file(void **state)
{
    char dir[] = "/tmp/ferry-test-XXXXXX", path[FILES_PATH_SIZE];
    struct journal journal = journal_full(), read;
    unsigned int nr = 0;

    (void)state;
    assert_non_null(mkdtemp(dir));
    setenv("FERRY_STATE_DIR", dir, 1);
    assert_int_equal(journal_load("domnet", &read), -ENOENT);
    assert_int_equal(journal_save(&journal), 0);
    assert_int_equal(journal_load("domnet", &read), 0);
    assert_int_equal(read.domid, journal.domid);
    journal_path("other", ".cfg", path);
    assert_int_equal(files_write(path, "x", 1), 0);
    journal_each(name_count, &nr);
    assert_int_equal(nr, 1);
    unlink(path);
    assert_int_equal(journal_load("../domnet", &read), -EINVAL);
    another_ones_journal_changes_nothing();
    journal_remove("domnet");
    assert_int_equal(journal_load("domnet", &read), -ENOENT);
    assert_int_equal(rmdir(dir), 0); /* nothing was left behind */
}

/* The newer one is what is read, wherever it lies. */
static unsigned int nr_files(const char *path)
{
    DIR *dir = opendir(path);
    unsigned int nr = 0;

    assert_non_null(dir);
    while (readdir(dir))
        nr++;
    closedir(dir);
    return nr - 2; /* "." and ".." */
}

/* A disk that is full, at whatever byte: what was there stays, and nothing half-written beside it. */
static void a_full_disk_leaves_the_journal_as_it_was(void **state)
{
    char dir[] = "/tmp/ferry-journal-XXXXXX", run[] = "/tmp/ferry-journal-XXXXXX", *text;
    struct journal journal = journal_full(), read;
    struct rlimit before, limit;
    size_t len;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_non_null(mkdtemp(run));
    setenv("FERRY_STATE_DIR", dir, 1);
    setenv("FERRY_RUN_DIR", run, 1);
    assert_int_equal(journal_save(&journal), 0);
    journal.domid = 8;
    text = journal_encode(&journal);
    len = strlen(text);
    free(text);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (size_t at = 0; at < len; at += 61) {
        limit = (struct rlimit){ at, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_not_equal(journal_save(&journal), 0);
        assert_int_not_equal(journal_save_quick(&journal), 0);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(journal_load("domnet", &read), 0);
        assert_int_equal(read.domid, 7);
        assert_int_equal(nr_files(dir), 1);
        assert_int_equal(nr_files(run), 0);
    }
    assert_int_equal(journal_save(&journal), 0);
    assert_int_equal(journal_load("domnet", &read), 0);
    assert_int_equal(read.domid, 8);
    journal_remove("domnet");
    unsetenv("FERRY_RUN_DIR");
    rmdir(dir);
    rmdir(run);
}

static void a_quick_save_holds_until_the_next_one(void **state)
{
    char dir[] = "/tmp/ferry-state-XXXXXX", run[] = "/tmp/ferry-run-XXXXXX";
    struct journal journal = journal_full(), read;
    struct stat before, after;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_non_null(mkdtemp(run));
    setenv("FERRY_STATE_DIR", dir, 1);
    setenv("FERRY_RUN_DIR", run, 1);
    assert_int_equal(journal_save(&journal), 0);
    assert_int_equal(journal_stat("domnet", &before), 0);
    journal.recovering = true;
    assert_int_equal(journal_save_quick(&journal), 0);
    assert_int_equal(journal_stat("domnet", &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
    assert_int_equal(journal_load("domnet", &read), 0);
    assert_true(read.recovering);
    journal.recovering = false;
    assert_int_equal(journal_save(&journal), 0);
    assert_int_equal(rmdir(run), 0);
    assert_int_equal(journal_load("domnet", &read), 0);
    assert_false(read.recovering);
    journal_remove("domnet");
    assert_int_equal(rmdir(dir), 0);
    unsetenv("FERRY_RUN_DIR");
}

/* Saving is what ties it to this boot. */
static void a_journal_of_another_boot_is_told_from_this_ones(void **state)
{
    char dir[] = "/tmp/ferry-state-XXXXXX";
    struct journal journal = journal_full(), read;

    (void)state;
    assert_non_null(mkdtemp(dir));
    setenv("FERRY_STATE_DIR", dir, 1);
    assert_true(journal_is_of_another_boot(&journal));
    assert_int_equal(journal_save(&journal), 0);
    assert_int_equal(journal_load("domnet", &read), 0);
    assert_false(journal_is_of_another_boot(&read));
    read.boot[0] = '\0'; /* written by a version that did not tell */
    assert_false(journal_is_of_another_boot(&read));
    journal_remove("domnet");
    assert_int_equal(rmdir(dir), 0);
}

static void test_names(void **state)
{
    (void)state;
    assert_true(files_name_ok("dom-net_1.x"));
    assert_false(files_name_ok(""));
    assert_false(files_name_ok("."));
    assert_false(files_name_ok("a/b"));
    assert_false(files_name_ok("-x"));
    assert_false(files_name_ok("a b"));
    assert_false(files_name_ok("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void test_file_tail(void **state)
{
    char path[] = "/tmp/ferry-test-XXXXXX", *data;
    int fd = mkstemp(path);
    size_t len;

    (void)state;
    assert_int_equal(write(fd, "0123456789", 10), 10);
    close(fd);
    assert_int_equal(files_read_tail(path, 4, &data, &len), 0);
    assert_string_equal(data, "6789");
    free(data);
    assert_int_equal(files_read_tail(path, 100, &data, &len), 0);
    assert_string_equal(data, "0123456789");
    free(data);
    assert_int_equal(files_read(path, 10, &data, &len), 0);
    assert_int_equal(len, 10);
    free(data);
    assert_int_equal(files_read(path, 9, &data, &len), -EFBIG);
    unlink(path);
}

/* What is opened afterwards is not taken for standard output, whichever was closed. */
static void test_standard_files(void **state)
{
    (void)state;
    for (int closed = STDIN_FILENO; closed <= STDERR_FILENO; closed++) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            close(closed);
            files_standard_open();
            _exit(open("/dev/zero", O_RDONLY) > STDERR_FILENO && fcntl(closed, F_GETFD) >= 0 ? 0
                                                                                             : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

static void test_backoff(void **state)
{
    struct backoff backoff = BACKOFF_DEFAULT;
    int64_t times[JOURNAL_DEATHS_MAX];
    static const int64_t delays[] = { 0, 0, 250, 500, 1000, BACKOFF_STOP };

    (void)state;
    for (unsigned int i = 0; i < 6; i++) {
        times[i] = 100000 + 1000 * (int64_t)i;
        assert_int_equal(backoff_delay_ms(&backoff, times, i + 1, times[i]), delays[i]);
    }
    /* A minute later only the new one counts. */
    times[6] = times[5] + backoff.window_ms;
    assert_int_equal(backoff_delay_ms(&backoff, times, 7, times[6]), 0);
    /* What lies ahead, in a journal that somebody has written into, counts as now. */
    assert_int_equal(backoff_delay_ms(&backoff, times, 6, 0), BACKOFF_STOP);
    backoff.max_deaths = 0;
    assert_int_equal(backoff_delay_ms(&backoff, times, 1, times[0]), BACKOFF_STOP);
}

/* A kernel that boots to nothing is given up however long that takes each time. */
static void test_backoff_futile(void **state)
{
    const struct backoff backoff = BACKOFF_DEFAULT;
    struct journal journal = journal_full();

    (void)state;
    journal.nr_deaths = 0;
    assert_int_equal(journal_rebuilds_failed(&journal), 0);
    for (unsigned int i = 0; i < 6; i++) {
        journal_death_add(&journal, 1795710000000, 7000 + 180000 * (int64_t)i, "vanished");
        assert_int_equal(journal_rebuilds_failed(&journal), i);
        assert_int_equal(backoff_is_futile(&backoff, journal_rebuilds_failed(&journal)), i == 5);
        journal_death_last(&journal)->depth = 3;
    }
    /* Somebody tries again. */
    journal_death_add(&journal, 1795710000000, 1200000, "restart");
    journal_death_last(&journal)->depth = 3;
    journal_death_add(&journal, 1795710000000, 1300000, "crash");
    assert_int_equal(journal_rebuilds_failed(&journal), 0);
    /* One comes back: the row begins anew. */
    journal_death_last(&journal)->depth = 3;
    journal_death_last(&journal)->back_ms = 20000;
    journal_death_add(&journal, 1795710000000, 1400000, "crash");
    assert_int_equal(journal_rebuilds_failed(&journal), 0);
    /* All that a journal holds. */
    for (unsigned int i = 0; i < 2 * JOURNAL_DEATHS_MAX; i++) {
        journal_death_last(&journal)->depth = 3;
        journal_death_add(&journal, 1795710000000, 1500000, "vanished");
    }
    assert_int_equal(journal_rebuilds_failed(&journal), JOURNAL_DEATHS_MAX - 1);
    journal_deaths_age(&journal);
    assert_int_equal(journal_rebuilds_failed(&journal), 0);
}

/* Nobody sets the clock that counts, and that of another boot does not count. */
static void test_death_times(void **state)
{
    static const char field[] = "\"ticks_ms\"";
    struct journal journal = journal_full(), read;
    int64_t times[JOURNAL_DEATHS_MAX];
    char *text;

    (void)state;
    journal.nr_deaths = 0;
    journal_death_add(&journal, 1795710000000, 7000, "crash");
    journal_death_add(&journal, 1795710001000, 8000, "upgrade");
    journal_death_add(&journal, 1795706400000, 9000, "hang");
    assert_int_equal(journal_death_times(&journal, times), 2);
    assert_int_equal(times[0], 7000);
    assert_int_equal(times[1], 9000);
    journal_deaths_age(&journal);
    assert_int_equal(journal_death_times(&journal, times), 0);
    /* A journal written before there was this field. */
    journal.deaths[0].ticks_ms = 7000;
    text = journal_encode(&journal);
    for (char *at = text; (at = strstr(at, field));)
        memcpy(at, "\"elsewhat\"", sizeof(field) - 1);
    assert_int_equal(journal_decode(text, &read), 0);
    assert_int_equal(read.nr_deaths, 3);
    assert_int_equal(journal_death_times(&read, times), 0);
    free(text);
}

static void test_backoff_bounded(void **state)
{
    struct backoff backoff = { JOURNAL_DEATHS_MAX, 60000 };
    int64_t times[JOURNAL_DEATHS_MAX] = { 0 };

    (void)state;
    assert_int_equal(backoff_delay_ms(&backoff, times, JOURNAL_DEATHS_MAX, 1), 8000);
}

static void verdict_expect(struct domain_seen seen, enum domain_state verdict, const char *wanted)
{
    const char *why = NULL;

    assert_int_equal(domain_state_of(&seen, &why), verdict);
    if (wanted)
        assert_string_equal(why, wanted);
}

static void test_verdict(void **state)
{
    struct domain_seen alive = { .exists = true, .is_ours = true }, seen;

    (void)state;
    verdict_expect(alive, DOMAIN_STATE_FINE, NULL);
    verdict_expect((struct domain_seen){ 0 }, DOMAIN_STATE_RECOVER, "vanished");
    verdict_expect((struct domain_seen){ .exists = true }, DOMAIN_STATE_REPLACED, "replaced");
    seen = alive;
    seen.dying = true;
    verdict_expect(seen, DOMAIN_STATE_WAIT, NULL);
    seen = alive;
    seen.shut_down = true;
    seen.reason = SHUTDOWN_poweroff;
    verdict_expect(seen, DOMAIN_STATE_ENDED, "poweroff");
    seen.reason = SHUTDOWN_crash;
    verdict_expect(seen, DOMAIN_STATE_RECOVER, "crash");
    seen.reason = SHUTDOWN_watchdog;
    verdict_expect(seen, DOMAIN_STATE_RECOVER, "watchdog");
    seen.reason = 77;
    verdict_expect(seen, DOMAIN_STATE_RECOVER, "shutdown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_journal_roundtrip),
        cmocka_unit_test(test_journal_damaged),
        cmocka_unit_test(test_journal_file),
        cmocka_unit_test(a_full_disk_leaves_the_journal_as_it_was),
        cmocka_unit_test(a_quick_save_holds_until_the_next_one),
        cmocka_unit_test(a_journal_of_another_boot_is_told_from_this_ones),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_file_tail),
        cmocka_unit_test(test_standard_files),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_death_times),
        cmocka_unit_test(test_backoff_bounded),
        cmocka_unit_test(test_backoff_futile),
        cmocka_unit_test(test_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
