/* SPDX-License-Identifier: BSD-2-Clause */
/* ferryd: keeps driver domains alive. Its only memory is the journals. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libxl_event.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/check.h"
#include "journal/journal.h"
#include "supervise/beats.h"
#include "supervise/faults.h"
#include "supervise/finisher.h"
#include "supervise/hooks.h"
#include "supervise/metrics.h"
#include "supervise/notify.h"
#include "supervise/supervisor.h"
#include "util/files.h"
#include "util/json.h"
#include "util/log.h"
#include "util/option.h"
#include "util/paths.h"
#include "util/socket.h"
#include "xen/domain.h"
#include "xen/store.h"
#include "xen/storelink.h"

/* Images and page tables come and go with each recovery: from here on they go back to the system. */
#define LARGE_BYTES (64 * 1024)

#define POLL_MS 20 /* how often domains are looked at without any event */
#define POLL_BUSY_MS 1 /* while one comes back */
#define REFRESH_MS 1000
#define FDS_MAX 64
#define FDS_OWN 3 /* of them; the others are libxl's */
#define STORE_RETRY_MS 1000

static const char usage[] =
    "usage: ferryd [-f] [--max-deaths N] [--window SECONDS] [--min-depth N]\n"
    "\n"
    "Looks after the driver domains that `ferry start` made, and brings back those that die.\n"
    "\n"
    "  -f, --foreground   stay in the foreground, messages on stderr; otherwise in " PATHS_LOG "\n"
    "      --max-deaths N give a domain up after more than N deaths within the window (default 5)\n"
    "      --window S     of S seconds (default 60)\n"
    "      --min-depth N  2 (default): reload in place what can be; 3: always rebuild\n"
    "      --metrics WHERE serve metrics for Prometheus over HTTP: unix:PATH, 127.0.0.1:PORT or "
    "[::1]:PORT\n"
    "      --version      which one this is\n"
    "  -h, --help         this text\n";

struct daemon {
    struct host host;
    struct supervisor supervisor;
    struct faults faults;
    struct finisher finisher;
    int signals, listener;
    int64_t refreshed_ms;
    int store; /* a storelink; negative: xenstored has no socket */
    bool has_lost_store;
    struct notify notify;
    const char *metrics_where; /* NULL: none */
    struct metrics metrics;
};

/* What supervision adds to the journals: that it is there, and for whom. */
static char *answer(void *ctx, const char *line)
{
    struct daemon *d = ctx;
    struct json json;

    if (strcmp(line, "look") == 0) {
        d->refreshed_ms = 0;
        return strdup("ok\n");
    }
    if (strcmp(line, "status") != 0)
        return strdup("error: commands are look and status\n");
    json_begin(&json);
    json_map_open(&json, NULL);
    json_integer(&json, "pid", getpid());
    json_array_open(&json, "supervised");
    for (unsigned int i = 0; i < d->supervisor.nr; i++)
        json_string(&json, NULL, d->supervisor.domains[i]->journal.name);
    json_array_close(&json);
    json_map_close(&json);
    return json_end(&json);
}

/* Events only make us look. */
static void events_drain(struct daemon *d)
{
    libxl_event *event;

    while (libxl_event_check(d->host.xl, &event, LIBXL_EVENTMASK_ALL, NULL, NULL) == 0)
        libxl_event_free(d->host.xl, event);
}

/* Sleep until something happens or it is time to poll. Returns false when asked to end. */
static bool rest(struct daemon *d)
{
    struct pollfd fds[FDS_MAX] = { { .fd = d->signals, .events = POLLIN },
                                   { .fd = d->listener, .events = POLLIN },
                                   { .fd = d->store, .events = POLLIN } };
    int nr_xl = FDS_MAX - FDS_OWN,
        timeout = supervisor_is_busy(&d->supervisor) ? POLL_BUSY_MS : POLL_MS;
    struct timeval now;

    gettimeofday(&now, NULL);
    if (libxl_osevent_beforepoll(d->host.xl, &nr_xl, fds + FDS_OWN, &timeout, now))
        nr_xl = 0;
    if (poll(fds, (nfds_t)nr_xl + FDS_OWN, timeout) < 0 && errno != EINTR)
        return false;
    if (fds[2].revents && storelink_is_lost(d->store))
        d->has_lost_store = true;
    gettimeofday(&now, NULL);
    if (!d->has_lost_store) {
        libxl_osevent_afterpoll(d->host.xl, nr_xl, fds + FDS_OWN, now);
        events_drain(d);
    }
    if (fds[1].revents)
        socket_serve(d->listener, answer, d);
    return !fds[0].revents;
}

/* libxl can go on no more, as when it finds xenstored gone. It would end the process otherwise. */
static void disaster(void *user, libxl_event_type type, const char *what, int err)
{
    struct daemon *d = user;

    (void)type;
    if (!d->has_lost_store)
        log_line("libxl cannot go on: %s: %s", what, strerror(err));
    d->has_lost_store = true;
}

static int host_begin(struct daemon *d)
{
    static const libxl_event_hooks hooks = { .disaster = disaster };
    int err = host_open(&d->host);

    if (!err)
        libxl_event_register_callbacks(d->host.xl, &hooks, d);
    return err;
}

/* A xenstored that was started anew begins empty. */
static void unknown_name(void *ctx, const char *name)
{
    struct daemon *d = ctx;
    struct journal journal;
    char value[16];

    if (journal_load(name, &journal) == 0 && journal.wish == JOURNAL_RUN &&
        domain_is_there(&d->host, &journal) &&
        store_read(d->host.xs, value, sizeof(value), "/local/domain/%u/domid", journal.domid) ==
            -ENOENT)
        log_line("%s: xenstore knows nothing of it any more, nor of its guests: they go on as they "
                 "are, and it is looked after, but rebuilt it cannot serve them: shut the guests "
                 "down and reboot this machine when that suits",
                 name);
}

/* Wait for it as long as it takes. Returns false when asked to end. */
static bool store_wait(struct daemon *d, bool had_socket)
{
    struct pollfd fds[] = { { .fd = d->signals, .events = POLLIN },
                            { .fd = d->listener, .events = POLLIN } };

    for (;;) {
        notify_alive(&d->notify, host_ticks_ms());
        if (poll(fds, 2, STORE_RETRY_MS) > 0 && fds[0].revents)
            return false;
        if (fds[1].revents)
            socket_serve(d->listener, answer, d);
        hooks_look();
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ; /* workers, which fail without it */
        d->store = storelink_open(NULL);
        if ((d->store >= 0 || !had_socket) && host_begin(d) == 0)
            return true;
        if (d->store >= 0)
            close(d->store);
    }
}

/*
 * All handles are dead with it. Domains live by Xen, not by xenstored: nothing is taken for dead meanwhile, and the journals say what is
 * to be done when it is back.
 */
static bool store_again(struct daemon *d)
{
    bool had_socket = d->store >= 0;

    log_line("xenstored is gone: the driver domains go on, but are not looked after until it is "
             "there again; what it knew is lost unless it was `xenstore-control live-update` that "
             "replaced it");
    supervisor_end(&d->supervisor);
    metrics_end(&d->metrics);
    d->metrics.pid = 0;
    d->metrics.tried_ms = 0;
    host_close(&d->host);
    if (had_socket)
        close(d->store);
    if (!store_wait(d, had_socket))
        return false;
    d->has_lost_store = false;
    d->refreshed_ms = 0;
    log_line("xenstored is there again");
    journal_each(unknown_name, d);
    return true;
}

static void run(struct daemon *d)
{
    int err = notify_ready(&d->notify);

    if (err && err != -ENOTCONN)
        log_line("the service manager does not hear that it started: %s", strerror(-err));
    do {
        if (d->has_lost_store && !store_again(d))
            break;
        notify_alive(&d->notify, host_ticks_ms());
        if (host_ticks_ms() - d->refreshed_ms >= REFRESH_MS) {
            supervisor_refresh(&d->supervisor);
            faults_look(&d->faults, &d->supervisor);
            metrics_look(&d->metrics, &d->host);
            hooks_look();
            finisher_look(&d->finisher, host_ticks_ms());
            d->refreshed_ms = host_ticks_ms();
        }
        supervisor_look(&d->supervisor);
    } while (rest(d));
    notify_stopping(&d->notify);
    metrics_end(&d->metrics);
    supervisor_end(&d->supervisor);
    log_line("ends; the driver domains go on without being looked after");
}

static int signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return -errno;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int background(void)
{
    int log = open(PATHS_LOG, O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (log < 0 || dup2(log, STDERR_FILENO) < 0) {
        log_line("cannot write " PATHS_LOG ": %s%s", strerror(errno), files_todo(-errno));
        return -EIO;
    }
    close(log);
    return daemon(0, 1) ? -errno : 0;
}

static int metrics_start(struct daemon *d)
{
    d->metrics.listener = -1;
    if (!d->metrics_where)
        return 0;
    if (beats_init())
        log_line("no memory for the age of heartbeats: the metrics go without");
    d->metrics.listener = metrics_listen(d->metrics_where);
    if (d->metrics.listener == -EINVAL)
        log_line("--metrics %s: accepted: unix:/PATH, 127.0.0.1:PORT, [::1]:PORT; others would see "
                 "it too: "
                 "put a proxy in front for that",
                 d->metrics_where);
    else if (d->metrics.listener < 0)
        log_line("--metrics %s: %s%s", d->metrics_where, strerror(-d->metrics.listener),
                 files_todo(d->metrics.listener));
    return d->metrics.listener < 0 ? -EINVAL : 0;
}

/* The one that is there. */
static void other_name(void)
{
    char *text = NULL, *pid = socket_ask("status", &text) ? NULL : strstr(text, "\"pid\":");
    int number = pid ? atoi(pid + strlen("\"pid\":")) : 0;

    if (number > 0)
        log_line("another ferryd runs, as process %d: it goes on, and this one ends", number);
    else
        log_line("another ferryd runs, but does not answer: `pgrep ferryd`; this one ends");
    free(text);
}

/* One at a time. The kernel gives the lock back whatever ends its holder. Of this process' children, only the
 * daemon itself keeps it. */
static int lock_take(void)
{
    int lock = files_lock(".ferryd", false);

    if (lock == -EAGAIN)
        other_name();
    else if (lock < 0)
        log_line("%s/.ferryd.lock: %s%s", files_run_dir(), strerror(-lock), files_todo(lock));
    return lock < 0 ? lock : 0;
}

static int start(struct daemon *d, bool foreground)
{
    /* Before it leaves the terminal, where the caller sees it. */
    if (lock_take())
        return -EAGAIN;
    if (!foreground && background())
        return -EIO;
    if (notify_begin(&d->notify))
        log_line(
            "NOTIFY_SOCKET or WATCHDOG_USEC makes no sense: the service manager is told nothing");
    if (host_begin(d))
        return -EIO;
    d->store = storelink_open(NULL);
    d->signals = signals_open();
    d->listener = socket_listen();
    if (d->signals < 0 || d->listener < 0) {
        log_line("cannot listen on %s/ferryd.sock: %s%s", files_run_dir(), strerror(-d->listener),
                 files_todo(d->listener));
        return -EIO;
    }
    if (metrics_start(d))
        return -EINVAL;
    check_keep_boot_log(&d->host);
    d->supervisor.common.host = &d->host;
    return 0;
}

/* Returns -1 to go on, or an exit code. */
static int options_parse(int argc, char **argv, struct daemon *d, bool *foreground_r)
{
    static const struct option options[] = {
        { "foreground", no_argument, NULL, 'f' },    { "max-deaths", required_argument, NULL, 'm' },
        { "window", required_argument, NULL, 'w' },  { "min-depth", required_argument, NULL, 'd' },
        { "metrics", required_argument, NULL, 'M' }, { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },       { 0 }
    };
    struct supervise_common *common = &d->supervisor.common;
    struct backoff *backoff = &common->backoff;
    unsigned int seconds = backoff->window_ms / 1000;
    int option, err = 0;

    while (!err && (option = getopt_long(argc, argv, "fh", options, NULL)) >= 0) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == 'V') {
            printf("ferryd %s\n", FERRY_VERSION);
            return 0;
        }
        if (option == 'f')
            *foreground_r = true;
        else if (option == 'm')
            err = option_number("max-deaths", optarg, 0, JOURNAL_DEATHS_MAX - 1,
                                &backoff->max_deaths);
        else if (option == 'w')
            err = option_number("window", optarg, 0, 86400, &seconds);
        else if (option == 'd')
            err = option_number("min-depth", optarg, 2, 3, &common->min_depth);
        else if (option == 'M')
            d->metrics_where = optarg;
        else
            err = -EINVAL;
    }
    if (!err && optind < argc) {
        log_line("'%s' is not understood: domains are named to `ferry start`", argv[optind]);
        err = -EINVAL;
    }
    if (err) {
        if (err != -ERANGE)
            fputs(usage, stderr);
        return 2;
    }
    backoff->window_ms = seconds * 1000;
    return -1;
}

int main(int argc, char **argv)
{
    static struct daemon daemon = { .supervisor.common = { .backoff = BACKOFF_DEFAULT,
                                                           .min_depth = 2 } };
    bool foreground = false;
    int code;

    files_standard_open();
    signal(SIGPIPE, SIG_IGN); /* whoever reads its messages may go */
    log_program = "ferryd";
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
    code = options_parse(argc, argv, &daemon, &foreground);
    if (code >= 0)
        return code;
    if (start(&daemon, foreground))
        return 1;
    run(&daemon);
    host_close(&daemon.host);
    return 0;
}
