/* SPDX-License-Identifier: BSD-2-Clause */
/* capture: frames of a port or a bridge of a driver domain, as pcapng. */
#include <errno.h>
#include <getopt.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "cli/capture_lock.h"
#include "cli/capture_out.h"
#include "cli/command.h"
#include "cli/journal_read.h"
#include "cli/pcapng.h"
#include "journal/journal.h"
#include "recover/reference.h"
#include "recover/stats.h"
#include "util/files.h"
#include "util/log.h"
#include "util/option.h"
#include "util/paths.h"
#include "xen/capturering.h"
#include "xen/domain.h"
#include "xen/domctl.h"

#define POLL_MS 5
#define LOOK_MS                                                                                    \
    50 /* whether the domain is still there: what is mapped keeps a dead one from going */
#define ANSWER_MS 3000
#define STOPPED_MS                                                                                 \
    1000 /* longer than a kernel that restarts itself takes to read the request again */
#define REQUEST_SIZE 4000
#define NS 1000000000ull

_Static_assert(sizeof(struct ferry_bpf) == sizeof(struct bpf_insn), "libpcap's instruction");

static volatile sig_atomic_t asked_to_end;

static struct capture {
    struct host host;
    struct journal journal;
    const char *port;
    char request[REQUEST_SIZE]; /* without its id */
    uint32_t id, snaplen;
    long count; /* -1: until it is ended */
    volatile void *pages; /* NULL: not mapped */
    uint64_t cons, offset_ns; /* from Xen's system time to 1970 */
    uint64_t nr_written, nr_missed_told;
    struct capturering_counts counts;
    bool has_gap; /* for some time nothing was captured, because nobody read */
    int64_t looked_ms, stopped_ms; /* since when the domain captures nothing; 0: it does */
    struct pcapng pcapng;
    struct capture_out out;
} capture = { .snaplen = FERRY_CAPTURE_SNAPLEN_MAX, .count = -1, .out.path = "-" };

static void end_asked(int signal)
{
    (void)signal;
    asked_to_end = 1;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS + (uint64_t)now.tv_nsec;
}

static volatile struct ferry_capture_control *control(void)
{
    return capture.pages;
}

static void node_path(char path[64])
{
    snprintf(path, 64, "/local/domain/%u/" FERRY_CAPTURE_NODE, capture.journal.domid);
}

static void pages_unmap(void)
{
    if (!capture.pages)
        return;
    domctl_unmap(&capture.host, capture.pages, CAPTURE_PAGES);
    capture.pages = NULL;
}

static void counts_take(void)
{
    if (capture.pages)
        capturering_count(capture.pages, capture.id, &capture.counts);
}

static unsigned long long nr_missed(void)
{
    return capture.counts.missed + capture.counts.now_missed;
}

/* Returns 0, or a negative errno: the domain is not there now (-ESRCH), or can do no captures. */
static int pages_map(void)
{
    static struct ferry_stats stats;
    struct reference reference;
    int err = stats_read(&capture.host, &capture.journal, &stats);

    if (err)
        return err;
    if (!stats.capture)
        return -ENOTSUP;
    reference_load(&capture.journal, &reference);
    capture.pages =
        reference_capture_map(&capture.host, &capture.journal, &reference, stats.capture);
    reference_dispose(&reference);
    return capture.pages ? 0 : -ENOTSUP;
}

/* Ask, and wait for the answer. Returns 0 or a negative errno; -EINVAL has been said. */
static int request(void)
{
    char path[64], text[REQUEST_SIZE + 16];
    int64_t until_ms = host_ticks_ms() + ANSWER_MS;

    capture.id = (uint32_t)(now_ns() / 1000) | 1;
    snprintf(text, sizeof(text), "%u %s", capture.id, capture.request);
    node_path(path);
    capture.cons = control()->prod & ~7ull;
    control()->cons = capture.cons;
    control()->beat++;
    if (!xs_write(capture.host.xs, XBT_NULL, path, text, (unsigned int)strlen(text)))
        return -errno;
    while (control()->id != capture.id) {
        if (control()->refused_id == capture.id) {
            char why[sizeof(control()->why)];

            for (size_t i = 0; i < sizeof(why); i++)
                why[i] = control()->why[i];
            why[sizeof(why) - 1] = '\0';
            log_clean(why, strlen(why));
            log_line("%s: the domain refuses: %s", capture.journal.name, why);
            return -EINVAL;
        }
        if (host_ticks_ms() > until_ms || !domain_is_there(&capture.host, &capture.journal))
            return -ETIMEDOUT;
        control()->beat++;
        host_sleep_ms(1);
    }
    capture.cons = control()->prod & ~7ull;
    control()->cons = capture.cons;
    capture.offset_ns = now_ns() - control()->now_ns;
    return 0;
}

/* What is in the ring. Returns false to end. */
static bool frames_take(void)
{
    static struct capturering_frame frame;
    int got = 0;

    while (capture.count != 0 &&
           (got = capturering_take(capture.pages, &capture.cons, &frame)) > 0) {
        pcapng_frame(&capture.pcapng, frame.record.port, frame.record.time_ns + capture.offset_ns,
                     frame.record.direction, frame.bytes, frame.record.caplen, frame.record.len);
        control()->cons = capture.cons;
        if (!capture_out_block_end(&capture.out))
            return false;
        capture.nr_written++;
        if (capture.count > 0)
            capture.count--;
    }
    if (got < 0) {
        log_line("%s: what it writes for the capture makes no sense", capture.journal.name);
        return false;
    }
    return capture_out_flush(&capture.out) && capture.count != 0;
}

/* After a death: its successor is asked anew. Returns whether it could be, or is still to come. */
static bool go_on(void)
{
    struct journal now;
    int err = journal_load(capture.journal.name, &now);

    if (err && err != -ENOENT)
        journal_fault_tell(capture.journal.name, err);
    if (err || now.wish != JOURNAL_RUN)
        return false;
    capture.journal = now;
    if (capture.journal.recovering)
        return true;
    err = pages_map();
    if (!err)
        err = request();
    if (err)
        pages_unmap();
    else
        log_line("%s: it was brought back; the capture goes on", capture.journal.name);
    return err != -EINVAL;
}

/* The domain counts what found no room until it ends a capture, and nothing after that. */
static void gap_tell(void)
{
    log_line("%s: it had ended the capture, which nobody read for a while: %llu frames were missed "
             "until then, and what passed after that was not captured; it goes on",
             capture.journal.name, nr_missed() - capture.nr_missed_told);
    capture.nr_missed_told = nr_missed();
    capture.has_gap = true;
}

/* It took us for gone: we were stopped for a while. Returns false to end. */
static bool begin_again(void)
{
    int err;

    if (control()->id || !capture.stopped_ms) {
        capture.stopped_ms = control()->id ? 0 : host_ticks_ms();
        return true;
    }
    if (host_ticks_ms() - capture.stopped_ms < STOPPED_MS)
        return true;
    capture.stopped_ms = 0;
    err = request(); /* counters begin at 0 */
    if (err) {
        log_line("%s: it captures no more", capture.journal.name);
        return false;
    }
    gap_tell();
    capturering_count_end(&capture.counts);
    return true;
}

static unsigned long long nr_seen(void)
{
    return capture.counts.seen + capture.counts.now_seen;
}

/* How much was captured and missed until now, for who reads it meanwhile. Returns false to end. */
static bool counts_tell(void)
{
    return !pcapng_counts_due(&capture.pcapng, host_ticks_ms(), now_ns(), nr_seen(), nr_missed()) ||
           capture_out_flush(&capture.out);
}

static bool look(void)
{
    if (host_ticks_ms() - capture.looked_ms < LOOK_MS)
        return true;
    capture.looked_ms = host_ticks_ms();
    if (!capture.pages)
        return go_on();
    control()->beat++;
    counts_take();
    if (!counts_tell())
        return false;
    if (!domain_is_there(&capture.host, &capture.journal)) {
        frames_take();
        counts_take();
        capturering_count_end(&capture.counts);
        pages_unmap();
    } else if (control()->id != capture.id && control()->id) {
        log_line("%s: another capture has begun, this one ends", capture.journal.name);
        return false;
    } else {
        return begin_again();
    }
    return true;
}

static void run(void)
{
    while (!asked_to_end && look() && (!capture.pages || frames_take()))
        host_sleep_ms(POLL_MS);
}

static void finish(void)
{
    char path[64];

    counts_take();
    if (capture.pages && control()->id == capture.id) {
        node_path(path);
        xs_rm(capture.host.xs, XBT_NULL, path);
    }
    pages_unmap();
    if (!capture.out.has_failed) {
        pcapng_counts(&capture.pcapng, now_ns(), nr_seen(), nr_missed());
        capture_out_flush(&capture.out);
    }
    log_line("%llu frames written, %llu missed%s", (unsigned long long)capture.nr_written,
             nr_missed(), capture.has_gap ? ", besides what passed while nobody read" : "");
}

/* The filter's program behind the port and the length. Returns an exit code. */
static int request_make(const char *filter)
{
    size_t used = (size_t)snprintf(capture.request, sizeof(capture.request), "%s %u ", capture.port,
                                   capture.snaplen);
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, (int)capture.snaplen);
    struct bpf_program program;
    int code = EXIT_OK;

    if (!*filter) {
        snprintf(capture.request + used, sizeof(capture.request) - used, "-");
    } else if (!pcap || pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
        log_line("filter '%s': %s", filter, pcap ? pcap_geterr(pcap) : "no memory");
        code = EXIT_USAGE;
    } else {
        if (program.bf_len > FERRY_CAPTURE_PROGRAM_MAX) {
            log_line("filter '%s': %u instructions; %u at most", filter, program.bf_len,
                     FERRY_CAPTURE_PROGRAM_MAX);
            code = EXIT_USAGE;
        }
        for (size_t i = 0; !code && i < program.bf_len * sizeof(struct bpf_insn); i++)
            used += (size_t)snprintf(capture.request + used, sizeof(capture.request) - used, "%02x",
                                     ((const unsigned char *)program.bf_insns)[i]);
        pcap_freecode(&program);
    }
    if (pcap)
        pcap_close(pcap);
    return code;
}

static const char *why(int err)
{
    switch (err) {
    case -ESRCH:
        return "it does not run (`ferry status`)";
    case -ENOTSUP:
        return "its kernel can do no captures: `ferry upgrade NAME --kernel IMAGE` to one that "
               "can, of " PATHS_KERNELS;
    case -EPROTONOSUPPORT:
        return "its kernel is newer than these tools: install the tools that came with it";
    case -ETIMEDOUT:
        return "no answer: is it hanging? (`ferry status`)";
    default:
        return strerror(-err);
    }
}

static bool port_is_there(void)
{
    static struct ferry_stats stats;
    const char *bridge = strncmp(capture.port, "bridge:", 7) == 0 ? capture.port + 7 : NULL;

    if (stats_read(&capture.host, &capture.journal, &stats))
        return true; /* said later */
    for (unsigned int i = 0; i < stats.nr_ports; i++)
        if (strcmp(bridge ? stats.ports[i].bridge : stats.ports[i].name,
                   bridge ? bridge : capture.port) == 0)
            return true;
    log_line("%s has no port %s (`ferry vifs %s` shows them; of a bridge write bridge:NAME)",
             capture.journal.name, capture.port, capture.journal.name);
    return false;
}

static void refused_tell(int err, const struct capture_lock_holder *holder)
{
    const char *name = capture.journal.name;
    time_t since = (time_t)holder->since_s;
    struct tm parts;
    char when[32];

    if (err != -EAGAIN) {
        log_line("%s/.%s.capture.lock: %s", files_run_dir(), name, strerror(-err));
    } else if (!holder->pid) {
        log_line("%s: a capture runs already; one at a time (`fuser -v %s/.%s.capture.lock` shows "
                 "whose)",
                 name, files_run_dir(), name);
    } else {
        strftime(when, sizeof(when), "%F %T", localtime_r(&since, &parts));
        log_line(
            "%s: a capture of %s runs already, pid %d, since %s; one at a time: `kill %d` ends it",
            name, holder->port, (int)holder->pid, when, (int)holder->pid);
    }
}

static int capture_run(void)
{
    struct capture_lock_holder holder;
    int err, lock;

    if (!port_is_there())
        return EXIT_FAILED;
    lock = capture_lock_take(capture.journal.name, capture.port, &holder);
    if (lock < 0) {
        refused_tell(lock, &holder);
        return EXIT_FAILED;
    }
    if (capture_out_open(&capture.out))
        return EXIT_FAILED;
    err = pages_map();
    if (!err)
        err = request();
    if (err) {
        if (err != -EINVAL)
            log_line("%s: %s", capture.journal.name, why(err));
        pages_unmap();
        capture_out_drop(&capture.out);
        return EXIT_FAILED;
    }
    capture_out_begin(&capture.out);
    pcapng_begin(&capture.pcapng, capture.out.file, capture.snaplen, capture.port);
    capture_out_flush(&capture.out);
    run();
    finish();
    capture_lock_free(lock);
    return capture.out.has_failed ? EXIT_FAILED : EXIT_OK;
}

/* NAME PORT [FILTER...]; returns -1 to go on, or an exit code. */
static int words_parse(int argc, char **argv)
{
    static const struct option options[] = { { "write", required_argument, NULL, 'w' },
                                             { "snaplen", required_argument, NULL, 's' },
                                             { "count", required_argument, NULL, 'c' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    char filter[REQUEST_SIZE] = "";
    size_t used = 0;
    uint32_t snaplen = capture.snaplen, count = 0;
    int option, err = 0;

    while (!err && (option = getopt_long(argc, argv, "w:s:c:h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option == 'w')
            capture.out.path = optarg;
        else if (option == 's')
            err = option_number("snaplen", optarg, 1, FERRY_CAPTURE_SNAPLEN_MAX, &snaplen);
        else if (option == 'c')
            err = option_number("count", optarg, 1, INT32_MAX, &count);
        else
            err = -EINVAL;
    }
    if (err == -ERANGE)
        return EXIT_USAGE;
    if (err || argc - optind < 2 || strlen(argv[optind + 1]) >= FERRY_CAPTURE_PORT_SIZE + 7 ||
        strpbrk(argv[optind + 1], " \t\n"))
        return command_usage();
    capture.snaplen = snaplen;
    capture.count = count ? (long)count : -1;
    capture.port = argv[optind + 1];
    for (int i = optind + 2; i < argc && used < sizeof(filter); i++)
        used += (size_t)snprintf(filter + used, sizeof(filter) - used, "%s%s", used ? " " : "",
                                 argv[i]);
    if (used >= sizeof(filter)) {
        log_line("the filter is too long");
        return EXIT_USAGE;
    }
    err = request_make(filter);
    return err ? err : -1;
}

int command_capture(int argc, char **argv)
{
    const struct sigaction ends = { .sa_handler = end_asked }, ignored = { .sa_handler = SIG_IGN };
    int code = words_parse(argc, argv);

    if (code >= 0)
        return code;
    if (strcmp(capture.out.path, "-") == 0 && isatty(STDOUT_FILENO)) {
        log_line("this is no text: -w FILE, or | tcpdump -n -r -, or | wireshark -k -i -");
        return EXIT_USAGE;
    }
    code = journal_read(argv[optind], &capture.journal);
    if (code)
        return code;
    if (capture.journal.is_linux) {
        command_linux_refuses(&capture.journal, "the captures",
                              "use tcpdump in the guest, or at a port of the switch");
        return EXIT_FAILED;
    }
    sigaction(SIGINT, &ends, NULL);
    sigaction(SIGTERM, &ends, NULL);
    sigaction(SIGPIPE, &ignored, NULL);
    sigaction(SIGTSTP, &ignored, NULL); /* who stands still keeps a dead domain from going */
    if (host_open(&capture.host))
        return EXIT_FAILED;
    code = capture_run();
    host_close(&capture.host);
    return code;
}
