/* SPDX-License-Identifier: BSD-2-Clause */
/* top: the ports of driver domains with their rates, on a screen that is drawn anew, or line by line. */
#include <curses.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/journal_read.h"
#include "cli/top_rows.h"
#include "journal/journal.h"
#include "recover/stats.h"
#include "util/files.h"
#include "util/log.h"

#define DOMAINS_MAX 32
#define DELAY_MAX_S 3600.0

/* A driver domain as it was read last, and before. */
struct reading {
    char name[FILES_NAME_MAX + 1];
    uint64_t nr_deaths;
    bool is_new, is_there; /* read this time */
    struct ferry_stats before, now;
};

static struct top {
    struct host host;
    const char *only; /* a name, or NULL */
    bool batch;
    double delay_s;
    long iterations; /* -1: until it is ended */
    enum top_order order;
    unsigned int nr_readings, nr_rows, nr_linux, nr_unread;
    bool incomplete; /* there may be more domains */
    struct reading readings[DOMAINS_MAX];
    struct top_row rows[TOP_ROWS_MAX];
} top = { .delay_s = 2, .iterations = -1 };

static struct reading *reading_of(const char *name)
{
    for (unsigned int i = 0; i < top.nr_readings; i++)
        if (strcmp(top.readings[i].name, name) == 0)
            return &top.readings[i];
    if (top.nr_readings == DOMAINS_MAX)
        return NULL;
    snprintf(top.readings[top.nr_readings].name, FILES_NAME_MAX + 1, "%s", name);
    top.readings[top.nr_readings].is_new = true;
    return &top.readings[top.nr_readings++];
}

static void rows_add(const struct reading *reading)
{
    for (unsigned int i = 0; i < reading->now.nr_ports && top.nr_rows < TOP_ROWS_MAX; i++) {
        struct top_row *row = &top.rows[top.nr_rows++];

        top_row_make(&reading->before, &reading->now, i, row);
        snprintf(row->domain, sizeof(row->domain), "%s", reading->name);
        if (row->port.kind == FERRY_PORT_VIF)
            guest_name(&top.host, row->port.guest, row->guest);
    }
}

static void read_one(void *ctx, const char *name)
{
    static struct ferry_stats stats;
    struct reading *reading;
    struct journal journal;
    int err;

    (void)ctx;
    if (top.only && strcmp(top.only, name) != 0)
        return;
    err = journal_load(name, &journal);
    top.nr_unread += err && err != -ENOENT;
    if (err)
        return;
    if (journal.is_linux) {
        top.nr_linux++;
        return;
    }
    reading = reading_of(name);
    if (!reading)
        return;
    reading->nr_deaths = journal.nr_deaths_ever;
    reading->is_there = stats_read(&top.host, &journal, &stats) == 0;
    if (!reading->is_there)
        return;
    reading->before = reading->is_new ? stats : reading->now;
    reading->now = stats;
    reading->is_new = false;
    rows_add(reading);
}

static void read_all(void)
{
    top.nr_rows = 0;
    top.nr_linux = 0;
    top.nr_unread = 0;
    for (unsigned int i = 0; i < top.nr_readings; i++)
        top.readings[i].is_there = false;
    top.incomplete = journal_each(read_one, NULL) != 0;
    top_rows_sort(top.rows, top.nr_rows, top.order);
}

static void summary_format(char line[TOP_LINE_SIZE])
{
    time_t now = time(NULL);
    unsigned int nr = 0;
    unsigned long deaths = 0;
    struct tm parts;
    char when[16];

    for (unsigned int i = 0; i < top.nr_readings; i++) {
        nr += top.readings[i].is_there;
        deaths += top.readings[i].nr_deaths;
    }
    strftime(when, sizeof(when), "%T", localtime_r(&now, &parts));
    snprintf(line, TOP_LINE_SIZE, "ferry top - %s, %u driver domain%s, %u ports, %lu deaths ever",
             when, nr, nr == 1 ? "" : "s", top.nr_rows, deaths);
    if (top.nr_linux)
        snprintf(line + strlen(line), TOP_LINE_SIZE - strlen(line), "; %u with Linux not shown",
                 top.nr_linux);
    if (top.nr_unread || top.incomplete)
        snprintf(line + strlen(line), TOP_LINE_SIZE - strlen(line),
                 "; not all can be read: see `ferry status`");
}

static void batch_print(void)
{
    char line[TOP_LINE_SIZE];

    summary_format(line);
    printf("%s\n", line);
    top_title_format(top.order, line);
    printf("%s\n", line);
    for (unsigned int i = 0; i < top.nr_rows; i++) {
        top_row_format(&top.rows[i], line);
        printf("%s\n", line);
    }
    printf("\n");
    fflush(stdout);
}

static void screen_draw(void)
{
    char line[TOP_LINE_SIZE];

    erase();
    summary_format(line);
    mvaddnstr(0, 0, line, COLS);
    top_title_format(top.order, line);
    attron(A_REVERSE);
    mvaddnstr(2, 0, line, COLS);
    attroff(A_REVERSE);
    for (unsigned int i = 0; i < top.nr_rows && (int)i + 4 < LINES; i++) {
        top_row_format(&top.rows[i], line);
        mvaddnstr((int)i + 3, 0, line, COLS);
    }
    snprintf(line, sizeof(line), "q quit, s sort (by %s)", top_order_word(top.order));
    mvaddnstr(LINES - 1, 0, line, COLS);
    refresh();
}

/* Returns false to end. */
static bool key_take(int key)
{
    if (key == 'q' || key == 'Q')
        return false;
    if (key == 's') {
        top.order = (top.order + 1) % TOP_ORDERS;
        top_rows_sort(top.rows, top.nr_rows, top.order);
    }
    screen_draw(); /* also after KEY_RESIZE */
    return true;
}

static int screen_run(void)
{
    SCREEN *screen = newterm(NULL, stdout, stdin);
    bool goes_on = true;

    if (!screen) {
        const char *term = getenv("TERM");

        log_line("TERM=%.40s: that terminal is not known; --batch prints lines instead",
                 term ? term : "");
        return EXIT_FAILED;
    }
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    curs_set(0);
    for (long i = 0; goes_on && i != top.iterations; i++) {
        int64_t until_ms = host_ticks_ms() + (int64_t)(top.delay_s * 1000), left;

        read_all();
        screen_draw();
        while (goes_on && (left = until_ms - host_ticks_ms()) > 0) {
            int key;

            timeout((int)left);
            key = getch();
            goes_on = key == ERR || key_take(key);
        }
    }
    endwin();
    delscreen(screen);
    return EXIT_OK;
}

/* The first reading has no rates: with a number of iterations it is none of them. */
static void batch_run(void)
{
    read_all();
    for (long i = 0; i != top.iterations; i++) {
        host_sleep_ms((unsigned int)(top.delay_s * 1000));
        read_all();
        batch_print();
    }
}

static int delay_parse(const char *text)
{
    char *end;
    double delay = strtod(text, &end);

    if (end == text || *end || !(delay >= 0.1 && delay <= DELAY_MAX_S)) {
        log_line("--delay %s: seconds from 0.1 to %.0f are wanted", text, DELAY_MAX_S);
        return -ERANGE;
    }
    top.delay_s = delay;
    return 0;
}

static int iterations_parse(const char *text)
{
    char *end;
    long nr = strtol(text, &end, 10);

    if (end == text || *end || nr < 1) {
        log_line("--iterations %s: a number from 1 on is wanted", text);
        return -ERANGE;
    }
    top.iterations = nr;
    return 0;
}

static int order_parse(const char *text)
{
    char words[128] = "";

    if (top_order_parse(text, &top.order) == 0)
        return 0;
    for (enum top_order i = 0; i < TOP_ORDERS; i++)
        snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s", i ? ", " : "",
                 top_order_word(i));
    log_line("--sort %s: one of %s is wanted", text, words);
    return -ERANGE;
}

/* Returns -1 to go on, or an exit code. */
static int words_parse(int argc, char **argv)
{
    static const struct option options[] = { { "batch", no_argument, NULL, 'b' },
                                             { "delay", required_argument, NULL, 'd' },
                                             { "iterations", required_argument, NULL, 'i' },
                                             { "sort", required_argument, NULL, 's' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    int option, err = 0;

    while (!err && (option = getopt_long(argc, argv, "bd:i:s:h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option == 'b')
            top.batch = true;
        else if (option == 'd')
            err = delay_parse(optarg);
        else if (option == 'i')
            err = iterations_parse(optarg);
        else if (option == 's')
            err = order_parse(optarg);
        else
            err = -EINVAL;
    }
    if (err == -ERANGE)
        return EXIT_USAGE;
    if (err || argc - optind > 1)
        return command_usage();
    top.only = argv[optind];
    return -1;
}

int command_top(int argc, char **argv)
{
    int code = words_parse(argc, argv);
    struct journal journal;

    if (code >= 0)
        return code;
    if (!top.batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
        log_line("standard input or output is no terminal: --batch prints lines instead");
        return EXIT_USAGE;
    }
    if (host_open(&top.host))
        return EXIT_FAILED;
    code = top.only ? journal_read(top.only, &journal) : EXIT_OK;
    if (code == EXIT_OK && top.only && journal.is_linux) {
        command_linux_refuses(&journal, "the statistics",
                              "`ip -s link` in its guests, or the switch, count frames");
        code = EXIT_FAILED;
    } else if (code == EXIT_OK) {
        if (top.batch)
            batch_run();
        else
            code = screen_run();
    }
    host_close(&top.host);
    return code;
}
