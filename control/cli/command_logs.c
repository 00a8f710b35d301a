/* SPDX-License-Identifier: BSD-2-Clause */
/* logs: the end of a domain's console, or its last words with the source lines they are about. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/journal_read.h"
#include "image/lines.h"
#include "journal/journal.h"
#include "util/files.h"
#include "util/log.h"

#define LOG_TAIL 16384

/* The kernel that died is the one that is kept, or after an upgrade the one before. */
static int debug_find(const char *name, char path_r[FILES_PATH_SIZE])
{
    static const char *const kept[] = { ".kernel", ".kernel.before" };
    int err = -ENOENT;

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && err; i++) {
        char image[FILES_PATH_SIZE];

        journal_path(name, kept[i], image);
        err = lines_find(image, path_r);
    }
    return err;
}

static bool has_places(const char *text)
{
    struct lines_place place;

    for (const char *line = text; line; line = lines_next(line))
        if (lines_place_read(line, &place))
            return true;
    return false;
}

static void report_print(const char *name, char *text)
{
    char debug[FILES_PATH_SIZE];
    struct journal journal;
    int err;

    if (journal_load(name, &journal) == 0 && journal.is_linux) {
        fputs(text, stdout); /* Linux' own names and addresses */
        return;
    }
    if (has_places(text) && debug_find(name, debug) == 0) {
        err = lines_print(text, debug);
        if (err)
            log_line("no source lines: addr2line: %s%s", strerror(-err),
                     err == -ENOENT ? "; it is in the package binutils" : "");
        return;
    }
    fputs(text, stdout);
    if (has_places(text))
        log_line("no source lines: %s has no symbols of this kernel; they are in the package "
                 "ferry-net-dbg",
                 files_debug_dir());
}

/* Whose fault it is that the file cannot be read. Returns an exit code. */
static int missing_tell(const char *name, const char *path, bool report, int err)
{
    struct journal journal;
    int code;

    if (err != -ENOENT) {
        log_line("%s: %s%s", path, strerror(-err), files_todo(err));
        return EXIT_FAILED;
    }
    code = journal_read(name, &journal);
    if (code)
        return code;
    if (report && !journal.nr_deaths_ever)
        log_line("%s has not died: there is no report of a death", name);
    else if (report)
        log_line("%s: %s is not there: nothing was kept of its last death", name, path);
    else
        log_line("%s: %s; is xenconsoled run with --log=guest? (XENCONSOLED_ARGS=--log=guest in "
                 "/etc/default/xen, XENCONSOLED_TRACE=guest in /etc/default/xencommons)",
                 path, strerror(-err));
    return EXIT_FAILED;
}

int command_logs(int argc, char **argv)
{
    char path[FILES_PATH_SIZE], *text;
    bool report = false;
    int err, code = command_words(argc, argv, 1, 1, "report", &report);
    size_t len;

    if (code >= 0)
        return code;
    if (!files_name_ok(argv[optind]))
        return missing_tell(argv[optind], "", report, -ENOENT);
    if (report)
        journal_path(argv[optind], ".report", path);
    else
        snprintf(path, sizeof(path), "%s/guest-%s.log", files_console_dir(), argv[optind]);
    err = files_read_tail(path, LOG_TAIL, &text, &len);
    if (err)
        return missing_tell(argv[optind], path, report, err);
    log_clean(text, len);
    if (report)
        report_print(argv[optind], text);
    else
        fwrite(text, 1, len, stdout);
    free(text);
    return EXIT_OK;
}
