/* SPDX-License-Identifier: BSD-2-Clause */
/* report: a page of HTML about one driver domain. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/observe.h"
#include "cli/report_page.h"
#include "cli/top_rows.h"
#include "journal/journal.h"
#include "recover/stats.h"
#include "util/log.h"

#define RATE_MS 1500 /* longer than the domain takes to write its pages again */

static int page_write(struct host *host, const struct journal *journal, FILE *out)
{
    static struct top_row rows[FERRY_STATS_PORTS];
    static struct ferry_stats before, now;
    struct report_page page = { .journal = journal,
                                .state = observe_state_word(host, journal),
                                .now_ms = host_now_ms() };

    if (stats_read(host, journal, &before) == 0) {
        host_sleep_ms(RATE_MS);
        if (stats_read(host, journal, &now))
            now = before;
        page.stats = &now;
        page.rows = rows;
        page.nr_rows = now.nr_ports;
        for (unsigned int i = 0; i < now.nr_ports; i++) {
            top_row_make(&before, &now, i, &rows[i]);
            if (now.ports[i].kind == FERRY_PORT_VIF)
                guest_name(host, now.ports[i].guest, rows[i].guest);
        }
    }
    report_page_write(out, &page);
    return ferror(out) ? -EIO : 0;
}

/* Into a file beside it first: what was there stays if this fails. */
static int file_write(struct host *host, const struct journal *journal, const char *path)
{
    char other[FILES_PATH_SIZE];
    FILE *out;
    int err;

    if (strcmp(path, "-") == 0)
        return page_write(host, journal, stdout);
    if (snprintf(other, sizeof(other), "%s.new", path) >= (int)sizeof(other))
        return -ENAMETOOLONG;
    out = fopen(other, "wx");
    if (!out)
        return -errno;
    err = page_write(host, journal, out);
    if (fclose(out) && !err)
        err = -errno;
    if (!err && rename(other, path))
        err = -errno;
    if (err)
        unlink(other);
    return err;
}

static int report(const char *name, const char *path)
{
    struct journal journal;
    struct host host;
    int err;

    if (!files_name_ok(name) || journal_load(name, &journal)) {
        log_line("there is no driver domain %.63s that ferry started", name);
        return EXIT_NO_SUCH;
    }
    if (host_open(&host))
        return EXIT_FAILED;
    err = file_write(&host, &journal, path);
    if (err)
        log_line("%s: %s%s", path, strerror(-err),
                 err == -EEXIST ? ": is another report being written? remove its .new" : "");
    host_close(&host);
    return err ? EXIT_FAILED : EXIT_OK;
}

int command_report(int argc, char **argv)
{
    static const struct option options[] = { { "output", required_argument, NULL, 'o' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    const char *path = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "o:h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option != 'o')
            return command_usage();
        path = optarg;
    }
    if (argc - optind != 1 || !path)
        return command_usage();
    return report(argv[optind], path);
}
