/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dom0's files while each call that can fail does so, one after the other: once alone, and once with all after it. The linker
 * puts the functions below in the place of libc's (Makefile.inc). Whatever failed, it is said, the journal is the old one or
 * the new one, no descriptor stays open, and the next attempt works. AddressSanitizer sees what is not freed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#include "config/policyfile.h"
#include "journal/journal.h"
#include "util/files.h"

static struct {
    bool counts;
    unsigned int nr, at, from;
    int error;
    bool silent; /* what failed last is nobody's loss */
} inject;

static bool fails(const char *name)
{
    if (!inject.counts)
        return false;
    inject.nr++;
    if (inject.nr != inject.at && (!inject.from || inject.nr < inject.from))
        return false;
    errno = inject.error;
    inject.silent = !strcmp(name, "realloc"); /* to a smaller size, files_read() */
    return true;
}

#define REPLACED(type, name, parameters, arguments, failed)                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(#name) ? (failed) : __real_##name arguments;                                  \
    }

REPLACED(void *, malloc, (size_t size), (size), NULL)
REPLACED(void *, calloc, (size_t nr, size_t size), (nr, size), NULL)
REPLACED(void *, realloc, (void *at, size_t size), (at, size), NULL)
REPLACED(char *, strdup, (const char *text), (text), NULL)
REPLACED(char *, strndup, (const char *text, size_t len), (text, len), NULL)
REPLACED(yajl_gen, yajl_gen_alloc, (const yajl_alloc_funcs *funcs), (funcs), NULL)
REPLACED(yajl_val, yajl_tree_parse, (const char *text, char *error, size_t size),
         (text, error, size), NULL)
REPLACED(FILE *, open_memstream, (char **text, size_t *len), (text, len), NULL)
REPLACED(ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len), -1)
REPLACED(ssize_t, read, (int fd, void *data, size_t len), (fd, data, len), -1)
REPLACED(int, fsync, (int fd), (fd), -1)
REPLACED(int, rename, (const char *from, const char *to), (from, to), -1)
REPLACED(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails("open") ? -1 : __real_open(path, flags, mode);
}

static char dir[32], run[48];
static char what[64];

static void assert_okay(bool okay, const char *expected)
{
    if (!okay)
        fail_msg("%s: not so: %s", what, expected);
}

/* How many entries a directory has whose names hold this. */
static unsigned int entries(const char *path, const char *part)
{
    DIR *list = opendir(path);
    struct dirent *entry;
    unsigned int nr = 0;

    while (list && (entry = readdir(list)))
        nr += strstr(entry->d_name, part) != NULL;
    if (list)
        closedir(list);
    return nr;
}

static struct journal journal_of(unsigned int tries)
{
    struct journal journal = { .name = "domnet", .domid = 3, .tries = tries, .nr_nics = 1 };

    journal_death_add(&journal, 1000, 2000, "crash");
    return journal;
}

/* What one attempt did. */
struct outcome {
    int saved, saved_quick, loaded, copied, parsed;
};

static const char policy[] = "[default]\ntx-checksum off\n[00:16:3e:00:00:01]\ntx-checksum off\n";

static void attempt(struct outcome *out)
{
    struct journal journal = journal_of(2), loaded;
    struct policyfile file = { 0 };
    struct policyfile_error error;
    char from[FILES_PATH_SIZE], to[FILES_PATH_SIZE];
    const char *culprit = NULL;

    out->saved_quick = journal_save_quick(&journal);
    out->saved = journal_save(&journal);
    out->loaded = journal_load("domnet", &loaded);
    journal_path("domnet", ".json", from);
    journal_path("domnet", ".policy", to);
    out->copied = files_copy(from, to, 1 << 16, &culprit);
    assert_okay(!out->copied || culprit == from || culprit == to,
                "the file that is to blame is named");
    out->parsed = policyfile_parse(policy, &file, &error);
    if (out->parsed == 0)
        policyfile_dispose(&file);
}

static void assert_journal_is_whole(const struct outcome *out)
{
    struct journal journal;

    assert_okay(journal_load("domnet", &journal) == 0, "there is a journal that can be read");
    assert_okay(journal.tries == 1 || journal.tries == 2, "it is the old one or the new one");
    assert_okay(out->saved || journal.tries == 2, "it is the new one if that was saved");
    assert_okay(out->saved_quick || journal.tries == 2, "also if it was saved in haste");
}

static unsigned int tried(unsigned int at, unsigned int from, int error)
{
    struct journal before = journal_of(1);
    struct outcome out = { 0 }, again = { 0 };
    unsigned int descriptors, nr;

    snprintf(what, sizeof(what), "at %u, from %u, error %d", at, from, error);
    journal_remove("domnet");
    assert_okay(journal_save(&before) == 0, "the first journal is saved");
    descriptors = entries("/proc/self/fd", "");
    inject = (typeof(inject)){ .counts = true, .at = at, .from = from, .error = error };
    attempt(&out);
    inject.counts = false;
    nr = inject.nr;
    assert_okay(entries("/proc/self/fd", "") == descriptors, "no descriptor stays open");
    assert_okay((at == 0 && from == 0) || at > nr || out.saved || out.saved_quick || out.loaded ||
                    out.copied || out.parsed || inject.silent,
                "the failure is said");
    assert_okay(!entries(dir, ".new") && !entries(run, ".new"), "no half of a file is left");
    assert_journal_is_whole(&out);
    attempt(&again);
    assert_okay(!again.saved && !again.saved_quick && !again.loaded && !again.copied &&
                    !again.parsed,
                "the next attempt works");
    assert_okay(entries(dir, "") == 2 + 3,
                "nothing is left beside journal, policy and the run directory");
    return nr;
}

static void each_call_fails(void **state)
{
    static const int errors[] = { ENOSPC, EIO, EACCES, EMFILE, ENOMEM };
    unsigned int nr = tried(0, 0, 0);

    (void)state;
    assert_in_range(nr, 20, 500);
    for (unsigned int i = 1; i <= nr; i++)
        for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
            (void)tried(i, 0, errors[e]);
            (void)tried(0, i, errors[e]);
        }
}

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/ferry-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(run, sizeof(run), "%s/run", dir);
    setenv("FERRY_STATE_DIR", dir, 1);
    setenv("FERRY_RUN_DIR", run, 1);
    return files_dir_make(run);
}

static int teardown(void **state)
{
    (void)state;
    journal_remove("domnet");
    return rmdir(run) || rmdir(dir) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_call_fails, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
