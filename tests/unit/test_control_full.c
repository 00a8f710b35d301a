/* SPDX-License-Identifier: BSD-2-Clause */
/* Files on a full disk, a read-only one, and one with a limit: what was there stays whole, nothing half-written is left. */
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
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/capture_out.h"
#include "cli/kernel_replace.h"
#include "cli/report_file.h"
#include "journal/journal.h"
#include "util/files.h"
#include "util/log.h"

#define PAGES 4 /* of the new text */

static char dir[] = "/tmp/ferry-test-XXXXXX";
static char said[1024];
static char text[PAGES * 4096 + 1];

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
}

static const char *in(const char *name)
{
    static char paths[64][FILES_PATH_SIZE]; /* the first of them goes with the 65th */
    static unsigned int next;
    char *path = paths[next++ % 64];

    snprintf(path, FILES_PATH_SIZE, "%s/%s", dir, name);
    return path;
}

static void holds(const char *name, const char *wanted)
{
    char *is;

    assert_int_equal(files_read(in(name), sizeof(text), &is, NULL), 0);
    assert_string_equal(is, wanted);
    free(is);
}

static void is_not_there(const char *name)
{
    assert_int_equal(access(in(name), F_OK), -1);
    assert_int_equal(errno, ENOENT);
}

static void read_only(int is_so)
{
    assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT | (is_so ? MS_RDONLY : 0), NULL), 0);
}

/* Leaves so many pages free. */
static void room(long pages)
{
    static const char page[4096];
    int fd = open(in("filler"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    off_t size;

    while (write(fd, page, sizeof(page)) == (ssize_t)sizeof(page))
        ;
    assert_int_equal(errno, ENOSPC);
    size = lseek(fd, 0, SEEK_END);
    assert_int_equal(ftruncate(fd, size - pages * 4096), 0);
    close(fd);
}

static int write_page(const char *path)
{
    return report_file_write(text, strlen(text), path);
}

static int write_plain(const char *path)
{
    return files_write(path, text, strlen(text));
}

static int write_quick(const char *path)
{
    return files_write_quick(path, text, strlen(text));
}

static int (*const writers[])(const char *path) = { write_plain, write_quick, write_page };

static void a_full_disk_keeps_what_was_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        assert_int_equal(files_write(in("file"), "old", 3), 0);
        for (long pages = 0; pages < PAGES; pages++) {
            room(pages);
            assert_int_equal(writers[i](in("file")), -ENOSPC);
            holds("file", "old");
            is_not_there("file.new");
        }
        room(PAGES + 1);
        assert_int_equal(writers[i](in("file")), 0);
        holds("file", text);
        unlink(in("filler"));
    }
    assert_non_null(strstr(files_todo(-ENOSPC), "make room"));
}

static void so_does_a_read_only_one(void **state)
{
    (void)state;
    assert_int_equal(files_write(in("file"), "old", 3), 0);
    read_only(1);
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        assert_int_equal(writers[i](in("file")), -EROFS);
        holds("file", "old");
        is_not_there("file.new");
    }
    assert_int_equal(files_write_new(in("other"), "x", 1), -EROFS);
    assert_int_equal(files_dir_make(in("directory")), -EROFS);
    assert_non_null(strstr(files_todo(-EROFS), "read-only"));
    read_only(0);
}

/* SIGXFSZ would end the process in the midst of it. */
static void a_limit_on_files_is_an_error_and_not_the_end(void **state)
{
    const struct rlimit small = { 4096, RLIM_INFINITY }, none = { RLIM_INFINITY, RLIM_INFINITY };

    (void)state;
    files_standard_open();
    assert_int_equal(files_write(in("file"), "old", 3), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        assert_int_equal(writers[i](in("file")), -EFBIG);
        holds("file", "old");
        is_not_there("file.new");
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_non_null(strstr(files_todo(-EFBIG), "ulimit"));
}

static void a_new_file_is_whole_or_not_there(void **state)
{
    (void)state;
    for (long pages = 0; pages < PAGES; pages++) {
        room(pages);
        assert_int_equal(files_write_new(in("other"), text, strlen(text)), -ENOSPC);
        is_not_there("other");
        is_not_there("other.new");
    }
    unlink(in("filler"));
}

static void a_copy_names_the_one_of_the_two_that_is_to_blame(void **state)
{
    const char *culprit = NULL, *from = in("from"), *to = in("to");

    (void)state;
    assert_int_equal(files_copy(from, to, sizeof(text), &culprit), -ENOENT);
    assert_ptr_equal(culprit, from);
    assert_int_equal(files_write(from, text, strlen(text)), 0);
    room(1);
    assert_int_equal(files_copy(from, to, sizeof(text), &culprit), -ENOSPC);
    assert_ptr_equal(culprit, to);
    is_not_there("to");
    unlink(in("filler"));
    unlink(from);
}

#define files_of(kernel, ramdisk)                                                                  \
    ((struct kernel_files){ in(kernel), ramdisk ? in(ramdisk) : NULL })

/* A kernel needs room before anything is changed, and none after that. */
static void a_kernel_is_prepared_before_it_replaces_another(void **state)
{
    struct journal journal = { .name = "domnet", .kernel = "/old" };

    (void)state;
    assert_int_equal(files_write(in("domnet.kernel"), "old", 3), 0);
    assert_int_equal(files_write(in("image"), text, strlen(text)), 0);
    room(1);
    assert_int_equal(kernel_prepare(&journal, &files_of("image", NULL)), -ENOSPC);
    assert_non_null(strstr(said, "/domnet.kernel.next: No space left on device; make room"));
    is_not_there("domnet.kernel.next");
    holds("domnet.kernel", "old");
    room(PAGES + 1);
    assert_int_equal(kernel_prepare(&journal, &files_of("image", NULL)), 0);
    holds("domnet.kernel", "old");
    room(0);
    assert_int_equal(kernel_replace(&journal, &files_of("image", NULL)), 0);
    holds("domnet.kernel", text);
    holds("domnet.kernel.before", "old");
    is_not_there("domnet.kernel.next");
    assert_string_equal(journal.kernel, in("image"));
    unlink(in("filler"));

    assert_int_equal(kernel_prepare(&journal, &files_of("image", NULL)), 0);
    read_only(1);
    assert_int_equal(kernel_replace(&journal, &(struct kernel_files){ "/other", NULL }), -EROFS);
    assert_non_null(strstr(said, "recoveries go on with the kernel before"));
    assert_string_equal(journal.kernel, in("image"));
    read_only(0);
    kernel_drop(&journal);
    is_not_there("domnet.kernel.next");
    journal_remove("domnet");
    is_not_there("domnet.kernel");
    is_not_there("domnet.kernel.before");
    unlink(in("image"));
}

/* Of kernel and ramdisk both are replaced, and put back, or none. */
static void a_ramdisk_goes_with_its_kernel(void **state)
{
    struct journal journal = { .name = "domnet" }, before;
    struct kernel_files old = files_of("old", "old.cpio"), new = files_of("new", "new.cpio");

    (void)state;
    assert_int_equal(files_write(in("old"), "old", 3), 0);
    assert_int_equal(files_write(in("old.cpio"), "old cpio", 8), 0);
    assert_int_equal(files_write(in("new"), "new", 3), 0);
    assert_int_equal(files_write(in("new.cpio"), text, strlen(text)), 0);
    assert_int_equal(kernel_keep(&journal, &old), 0);
    assert_string_equal(journal.ramdisk, in("old.cpio"));
    holds("domnet.ramdisk", "old cpio");

    before = journal;
    room(2);
    assert_int_equal(kernel_prepare(&journal, &new), -ENOSPC);
    assert_non_null(strstr(said, "/domnet.ramdisk.next: No space left on device; make room"));
    kernel_drop(&journal);
    holds("domnet.kernel", "old");
    unlink(in("filler"));

    assert_int_equal(kernel_prepare(&journal, &new), 0);
    assert_int_equal(kernel_replace(&journal, &new), 0);
    holds("domnet.kernel", "new");
    holds("domnet.ramdisk", text);
    assert_int_equal(kernel_restore(&journal, &before), 0);
    holds("domnet.kernel", "old");
    holds("domnet.ramdisk", "old cpio");
    assert_memory_equal(&journal, &before, sizeof(journal));

    new.ramdisk = NULL;
    assert_int_equal(kernel_prepare(&journal, &new), 0);
    assert_int_equal(kernel_replace(&journal, &new), 0);
    is_not_there("domnet.ramdisk");
    assert_string_equal(journal.ramdisk, "");
    assert_int_equal(kernel_restore(&journal, &before), 0);
    holds("domnet.ramdisk", "old cpio");
    journal_remove("domnet");
    is_not_there("domnet.ramdisk");
    for (unsigned int i = 0; i < 2; i++) {
        unlink(in(i ? "old" : "new"));
        unlink(in(i ? "old.cpio" : "new.cpio"));
    }
}

static void a_copy_of_something_too_long_is_the_sources_fault(void **state)
{
    const char *culprit = NULL, *from = in("from"), *to = in("to");

    (void)state;
    assert_int_equal(files_write(from, text, strlen(text)), 0);
    assert_int_equal(files_copy(from, to, strlen(text) - 1, &culprit), -EFBIG);
    assert_ptr_equal(culprit, from);
    is_not_there("to");
    is_not_there("to.new");
    assert_int_equal(files_copy(from, to, strlen(text), &culprit), 0);
    holds("to", text);
    unlink(from);
    unlink(to);
}

static void block(struct capture_out *out, char letter)
{
    char bytes[3000];

    memset(bytes, letter, sizeof(bytes));
    fwrite(bytes, 1, sizeof(bytes), out->file);
}

static void a_capture_ends_with_a_whole_block(void **state)
{
    struct capture_out out = { .path = in("file") };
    unsigned int nr = 0;
    size_t len;
    char *is;

    (void)state;
    assert_int_equal(files_write(in("file"), "old", 3), 0);
    assert_int_equal(capture_out_open(&out), 0);
    holds("file", "old"); /* it has not begun */
    capture_out_drop(&out);
    holds("file", "old");
    capture_out_begin(&out);
    room(PAGES);
    for (;; nr++) {
        block(&out, (char)('a' + nr));
        if (!capture_out_block_end(&out) || !capture_out_flush(&out))
            break;
        assert_true(nr < 20);
    }
    assert_true(nr >= 4);
    assert_true(out.has_failed);
    assert_non_null(strstr(said, "/file: No space left on device; make room"));
    assert_false(capture_out_flush(&out));
    fclose(out.file);
    assert_int_equal(files_read(in("file"), sizeof(text), &is, &len), 0);
    assert_int_equal(len, nr * 3000);
    assert_int_equal(is[len - 1], 'a' + (char)nr - 1);
    free(is);
    unlink(in("filler"));
}

static void a_capture_that_never_began_leaves_no_file(void **state)
{
    struct capture_out out = { .path = in("other") };

    (void)state;
    assert_int_equal(capture_out_open(&out), 0);
    capture_out_drop(&out);
    fclose(out.file);
    is_not_there("other");
    read_only(1);
    assert_int_equal(capture_out_open(&out), -EIO);
    assert_non_null(strstr(said, "Read-only file system; its file system is read-only"));
    read_only(0);
}

/* What says that it was stopped must outlive what says that it is to run. */
static void a_journal_that_cannot_be_removed_is_not_believed_again(void **state)
{
    struct journal journal = { .name = "domnet", .domid = 7, .wish = JOURNAL_RUN };

    (void)state;
    assert_int_equal(journal_save(&journal), 0);
    journal.wish = JOURNAL_STOP;
    read_only(1);
    assert_int_equal(journal_save(&journal), -EROFS);
    assert_int_equal(journal_save_quick(&journal), 0);
    journal_remove("domnet");
    assert_int_equal(journal_load("domnet", &journal), 0);
    assert_int_equal(journal.wish, JOURNAL_STOP);
    read_only(0);
    journal_remove("domnet");
    assert_int_equal(journal_load("domnet", &journal), -ENOENT);
}

/* A successor with another id must be found, or it is taken for gone and rebuilt again and again. */
static void what_has_happened_is_known_though_the_disk_takes_nothing(void **state)
{
    struct journal journal = { .name = "domnet", .domid = 7, .wish = JOURNAL_RUN };

    (void)state;
    assert_int_equal(journal_save(&journal), 0);
    journal.domid = 8;
    read_only(1);
    assert_int_equal(journal_save_somewhere(&journal), -EROFS);
    assert_int_equal(journal_load("domnet", &journal), 0);
    assert_int_equal(journal.domid, 8);
    read_only(0);
    journal.domid = 9;
    assert_int_equal(journal_save_somewhere(&journal), 0);
    assert_int_equal(journal_load("domnet", &journal), 0);
    assert_int_equal(journal.domid, 9);
    journal_remove("domnet");
}

static char run_dir[] = "/tmp/ferry-test-run-XXXXXX";

static int disk_make(void **state)
{
    (void)state;
    memset(text, 'n', sizeof(text) - 1);
    if (geteuid() != 0) {
        printf("skipped: a small disk needs root\n");
        exit(0);
    }
    if (!mkdtemp(dir) || !mkdtemp(run_dir))
        return -1;
    setenv("FERRY_STATE_DIR", dir, 1);
    setenv("FERRY_RUN_DIR", run_dir, 1);
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("none", dir, "tmpfs", 0, "size=256k")) {
        perror("a small disk");
        return -1;
    }
    return 0;
}

static int disk_end(void **state)
{
    (void)state;
    return umount(dir) || rmdir(dir) || rmdir(run_dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_keeps_what_was_there),
        cmocka_unit_test(so_does_a_read_only_one),
        cmocka_unit_test(a_limit_on_files_is_an_error_and_not_the_end),
        cmocka_unit_test(a_new_file_is_whole_or_not_there),
        cmocka_unit_test(a_copy_names_the_one_of_the_two_that_is_to_blame),
        cmocka_unit_test(a_ramdisk_goes_with_its_kernel),
        cmocka_unit_test(a_copy_of_something_too_long_is_the_sources_fault),
        cmocka_unit_test(a_kernel_is_prepared_before_it_replaces_another),
        cmocka_unit_test(a_capture_ends_with_a_whole_block),
        cmocka_unit_test(a_capture_that_never_began_leaves_no_file),
        cmocka_unit_test(a_journal_that_cannot_be_removed_is_not_believed_again),
        cmocka_unit_test(what_has_happened_is_known_though_the_disk_takes_nothing),
    };

    return cmocka_run_group_tests(tests, disk_make, disk_end);
}
