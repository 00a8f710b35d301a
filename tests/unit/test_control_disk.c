/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal on a full or read-only disk, and ferryd's list when journals are cut anywhere. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/journal.h"
#include "supervise/look.h"
#include "supervise/supervisor.h"
#include "util/log.h"

static char dir[] = "/tmp/ferry-test-XXXXXX";
static unsigned int nr_complaints, nr_unseen;

void log_line(const char *format, ...)
{
    nr_complaints += strstr(format, "not looked after:") != NULL;
    nr_unseen += strstr(format, "cannot be told") != NULL;
}

struct supervised *supervised_new(struct supervise_common *common, const struct journal *journal)
{
    struct supervised *supervised = calloc(1, sizeof(*supervised));

    (void)common;
    supervised->journal = *journal;
    return supervised;
}

void supervised_free(struct supervised *supervised)
{
    free(supervised);
}

bool supervised_is_busy(const struct supervised *supervised)
{
    (void)supervised;
    return false;
}

void supervised_look(struct supervised *supervised)
{
    (void)supervised;
}

void supervised_finish(struct supervised *supervised)
{
    (void)supervised;
}

/* Longer than a page, so that a disk can become full in the midst of it. */
static struct journal journal_long(const char *name, unsigned int tries)
{
    struct journal journal = { .domid = 7, .wish = JOURNAL_RUN, .nr_nics = 1, .tries = tries };

    snprintf(journal.name, sizeof(journal.name), "%s", name);
    snprintf(journal.uuid, sizeof(journal.uuid), "00112233-4455-6677-8899-aabbccddeeff");
    for (unsigned int i = 0; i < JOURNAL_DEATHS_MAX; i++) {
        journal_death_add(&journal, 1000 + i, 500, "crash");
        for (unsigned int k = 0; k < JOURNAL_STEPS_MAX; k++)
            journal_step_add(&journal.deaths[i], "a step", 100);
    }
    return journal;
}

static void holds(const char *name, unsigned int tries)
{
    struct journal read;
    char path[FILES_PATH_SIZE];

    assert_int_equal(journal_load(name, &read), 0);
    assert_int_equal(read.tries, tries);
    journal_path(name, ".json.new", path);
    assert_int_equal(access(path, F_OK), -1);
}

static long fill(int fd)
{
    static const char page[4096];
    long pages = 0;

    while (write(fd, page, sizeof(page)) == (ssize_t)sizeof(page))
        pages++;
    assert_int_equal(errno, ENOSPC);
    return pages;
}

static void a_full_disk_keeps_the_journal_that_was_there(void **state)
{
    struct journal journal = journal_long("domnet", 1);
    char path[FILES_PATH_SIZE];
    unsigned int refused = 0;
    long full;
    int fd;

    (void)state;
    assert_int_equal(journal_save(&journal), 0);
    journal_path("filler", "", path);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    full = fill(fd);
    journal.tries = 2;
    for (long room = 0;; room++) {
        assert_true(room < full);
        assert_int_equal(ftruncate(fd, (full - room) * 4096), 0);
        if (journal_save(&journal) == 0)
            break;
        holds("domnet", 1);
        refused++;
    }
    assert_true(refused >= 2); /* at the first write, and at one after it */
    holds("domnet", 2);
    close(fd);
    unlink(path);
}

static void a_read_only_disk_is_said_to_be_one(void **state)
{
    struct journal journal = journal_long("domnet", 3);

    (void)state;
    assert_int_equal(journal_save(&journal), 0);
    assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    journal.tries = 4;
    assert_int_equal(journal_save(&journal), -EROFS);
    holds("domnet", 3);
    assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT, NULL), 0);
}

static void put(const char *name, const char *text, size_t len)
{
    char path[FILES_PATH_SIZE];

    journal_path(name, ".json", path);
    assert_int_equal(files_write(path, text, len), 0);
}

/* Two of them at every length: each is named once, and the sound one is looked after. */
static void journals_cut_anywhere_keep_no_other_from_being_looked_after(void **state)
{
    struct journal journal = { .name = "sound", .domid = 7, .wish = JOURNAL_RUN, .nr_nics = 1 };
    struct supervisor supervisor = { .nr = 0 };
    char path[FILES_PATH_SIZE], *text;
    size_t len;

    (void)state;
    snprintf(journal.uuid, sizeof(journal.uuid), "00112233-4455-6677-8899-aabbccddeeff");
    journal_death_add(&journal, 1000, 500, "crash");
    journal_remove("domnet");
    assert_int_equal(journal_save(&journal), 0);
    journal_path("sound", ".json", path);
    assert_int_equal(files_read(path, 262144, &text, &len), 0);
    while (len && text[len - 1] != '}')
        len--;
    nr_complaints = 0;
    for (size_t cut = 0; cut < len; cut++) {
        put("cut1", text, cut);
        put("cut2", text, cut);
        supervisor_refresh(&supervisor);
        assert_int_equal(supervisor.nr, 1);
        assert_string_equal(supervisor.domains[0]->journal.name, "sound");
        assert_int_equal(nr_complaints, 2);
    }
    journal_remove("cut1");
    supervisor_refresh(&supervisor);
    put("cut1", text, 1);
    supervisor_refresh(&supervisor);
    assert_int_equal(nr_complaints, 3);
    supervisor_end(&supervisor);
    free(text);
}

static void domain_of(const char *name)
{
    struct journal journal = journal_long(name, 1);

    assert_int_equal(journal_save(&journal), 0);
}

/* Its journal becomes damaged while it is looked after: said once, and again only after it was sound. */
static void one_whose_journal_is_damaged_later_is_named_once(void **state)
{
    struct supervisor supervisor = { .nr = 0 };

    (void)state;
    journal_remove("sound");
    journal_remove("cut1");
    journal_remove("cut2");
    domain_of("domnet");
    nr_complaints = 0;
    supervisor_refresh(&supervisor);
    assert_int_equal(supervisor.nr, 1);
    supervisor.domains[0]->unread = -EINVAL;
    for (unsigned int i = 0; i < 3; i++)
        supervisor_refresh(&supervisor);
    assert_int_equal(supervisor.nr, 1);
    assert_int_equal(nr_complaints, 1);
    supervisor.domains[0]->unread = 0;
    supervisor_refresh(&supervisor);
    assert_int_equal(nr_complaints, 1);
    supervisor.domains[0]->unread = -EIO;
    supervisor_refresh(&supervisor);
    assert_int_equal(nr_complaints, 2);
    supervisor_end(&supervisor);
}

static void a_directory_that_cannot_be_read_ends_no_supervision(void **state)
{
    struct supervisor supervisor = { .nr = 0 };

    (void)state;
    domain_of("domnet");
    supervisor_refresh(&supervisor);
    assert_int_equal(supervisor.nr, 1);
    setenv("FERRY_STATE_DIR", "/dev/null", 1);
    nr_unseen = 0;
    supervisor_refresh(&supervisor);
    supervisor_refresh(&supervisor);
    assert_int_equal(nr_unseen, 1);
    setenv("FERRY_STATE_DIR", dir, 1);
    assert_int_equal(supervisor.nr, 1);
    journal_remove("domnet");
    supervisor_refresh(&supervisor);
    assert_int_equal(supervisor.nr, 0);
}

static int disk_make(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    setenv("FERRY_STATE_DIR", dir, 1);
    setenv("FERRY_RUN_DIR", "/tmp/ferry-test-none", 1);
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", dir, "tmpfs", 0, "size=256k")) {
        perror("a small disk needs root");
        return -1;
    }
    return 0;
}

static int disk_end(void **state)
{
    (void)state;
    return umount(dir) || rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_keeps_the_journal_that_was_there),
        cmocka_unit_test(a_read_only_disk_is_said_to_be_one),
        cmocka_unit_test(journals_cut_anywhere_keep_no_other_from_being_looked_after),
        cmocka_unit_test(one_whose_journal_is_damaged_later_is_named_once),
        cmocka_unit_test(a_directory_that_cannot_be_read_ends_no_supervision),
    };

    return cmocka_run_group_tests(tests, disk_make, disk_end);
}
