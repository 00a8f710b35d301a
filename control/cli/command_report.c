/* SPDX-License-Identifier: BSD-2-Clause */
/* report: a page of HTML about one driver domain. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/journal_read.h"
#include "cli/observe.h"
#include "cli/report_file.h"
#include "cli/report_page.h"
#include "cli/top_rows.h"
#include "journal/journal.h"
#include "recover/stats.h"
#include "util/log.h"

#define RATE_MS 1500 /* longer than the domain takes to write its pages again */

static void page_write(struct host *host, const struct journal *journal, FILE *out)
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
}

/* Made in memory: which error comes first is known then. */
static int page_text(struct host *host, const struct journal *journal, char **text_r, size_t *len_r)
{
    FILE *out = open_memstream(text_r, len_r);

    if (!out)
        return -ENOMEM;
    page_write(host, journal, out);
    return fclose(out) ? -ENOMEM : 0;
}

static int report(const char *name, const char *path)
{
    struct journal journal;
    struct host host;
    char *text = NULL;
    size_t len;
    int err, code = journal_read(name, &journal);

    if (code)
        return code;
    if (host_open(&host))
        return EXIT_FAILED;
    err = page_text(&host, &journal, &text, &len);
    if (!err)
        err = report_file_write(text, len, path);
    if (err)
        log_line("%s: %s%s", strcmp(path, "-") == 0 ? "standard output" : path, strerror(-err),
                 err == -EEXIST ? ": is another report being written? remove its .new"
                                : files_todo(err));
    free(text);
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
