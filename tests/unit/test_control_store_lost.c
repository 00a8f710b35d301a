/* SPDX-License-Identifier: BSD-2-Clause */
/* ferryd's loop when xenstored ends under it, and when it comes again: all but the loop is played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define main ferryd_main
#include "../../control/supervise/ferryd.c"
#undef main

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define SPIN_MS 1000 /* of 3 s and more */

static char dir[] = "/tmp/ferry-test-XXXXXX";
static char store_path[64], run_dir[64];
static int said_fd; /* what ferryd logs and does, for the test to read */
static bool is_host_open;
static struct supervised domain;

/* libxenstore, libxl, and the rest of ferryd */

const char *xs_daemon_socket(void)
{
    return store_path;
}

const char *log_program;

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vdprintf(said_fd, format, args);
    va_end(args);
    dprintf(said_fd, "\n");
}

int host_open(struct host *host)
{
    (void)host;
    dprintf(said_fd, "host opened\n");
    is_host_open = true;
    return 0;
}

void host_close(struct host *host)
{
    (void)host;
    dprintf(said_fd, "host closed\n");
    is_host_open = false;
}

int64_t host_ticks_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

void libxl_event_register_callbacks(libxl_ctx *ctx, const libxl_event_hooks *hooks, void *user)
{
    (void)ctx;
    if (!hooks->disaster || !user)
        abort();
}

int libxl_osevent_beforepoll(libxl_ctx *ctx, int *nr, struct pollfd *fds, int *timeout,
                             struct timeval now)
{
    (void)ctx;
    (void)fds;
    (void)timeout;
    (void)now;
    *nr = 0;
    return 0;
}

void libxl_osevent_afterpoll(libxl_ctx *ctx, int nr, const struct pollfd *fds, struct timeval now)
{
    (void)ctx;
    (void)nr;
    (void)fds;
    (void)now;
}

int libxl_event_check(libxl_ctx *ctx, libxl_event **event, uint64_t mask,
                      libxl_event_predicate *which, void *user)
{
    (void)ctx;
    (void)event;
    (void)mask;
    (void)which;
    (void)user;
    return ERROR_NOT_READY;
}

void libxl_event_free(libxl_ctx *ctx, libxl_event *event)
{
    (void)ctx;
    (void)event;
}

void supervisor_refresh(struct supervisor *supervisor)
{
    if (!supervisor->nr)
        dprintf(said_fd, "list read\n");
    snprintf(domain.journal.name, sizeof(domain.journal.name), "domnet");
    supervisor->domains[0] = &domain;
    supervisor->nr = 1;
}

void supervisor_look(struct supervisor *supervisor)
{
    (void)supervisor;
    if (!is_host_open)
        dprintf(said_fd, "looked without handles\n");
}

bool supervisor_is_busy(const struct supervisor *supervisor)
{
    (void)supervisor;
    return false;
}

void supervisor_end(struct supervisor *supervisor)
{
    supervisor->nr = 0;
    dprintf(said_fd, "let go\n");
}

void metrics_look(struct metrics *metrics, struct host *host)
{
    (void)metrics;
    (void)host;
}

void faults_look(struct faults *faults, struct supervisor *supervisor)
{
    (void)faults;
    (void)supervisor;
}

void metrics_end(struct metrics *metrics)
{
    (void)metrics;
}

int metrics_listen(const char *where)
{
    (void)where;
    return -1;
}

int beats_init(void)
{
    return 0;
}

void hooks_look(void)
{
}

void check_keep_boot_log(struct host *host)
{
    (void)host;
}

int domain_look(struct host *host, const struct journal *journal, struct domain_seen *seen_r)
{
    (void)host;
    (void)journal;
    *seen_r = (struct domain_seen){ .exists = true, .is_ours = true };
    return 0;
}

int store_read(struct xs_handle *xs, char *value, size_t size, const char *format, ...)
{
    (void)xs;
    (void)value;
    (void)size;
    (void)format;
    return -ENOENT; /* it began empty */
}

/* The test's side */

static int xenstored(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", store_path);
    unlink(store_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static void ferryd_run(int said)
{
    static struct daemon d = { .metrics.listener = -1 };
    struct rusage used;

    said_fd = said;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (host_begin(&d) || (d.signals = signals_open()) < 0 || (d.listener = socket_listen()) < 0)
        _exit(2);
    d.store = storelink_open(NULL);
    run(&d);
    getrusage(RUSAGE_SELF, &used);
    dprintf(said_fd, "used %ld ms\n",
            (long)(used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000 +
                   used.ru_stime.tv_sec * 1000 + used.ru_stime.tv_usec / 1000));
    _exit(0);
}

static char text[8192];

/* Reads on until it has said so. */
static void says(int fd, const char *what)
{
    size_t len = strlen(text);
    struct pollfd at = { .fd = fd, .events = POLLIN };

    while (!strstr(text, what)) {
        ssize_t got = poll(&at, 1, 5000) == 1 ? read(fd, text + len, sizeof(text) - 1 - len) : 0;

        if (got <= 0)
            fail_msg("'%s' is not said: %s", what, text);
        len += (size_t)got;
        text[len] = '\0';
    }
}

static unsigned int count(const char *what)
{
    unsigned int nr = 0;

    for (const char *at = text; (at = strstr(at, what)); at++)
        nr++;
    return nr;
}

static void it_waits_for_it_and_goes_on(void **state)
{
    struct journal journal = { .name = "domnet", .domid = 7, .wish = JOURNAL_RUN };
    int ends[2], store = xenstored(), status;
    char *answer_text;
    pid_t pid;

    (void)state;
    assert_int_equal(journal_save(&journal), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        close(store);
        ferryd_run(ends[1]);
    }
    close(ends[1]);
    says(ends[0], "list read\n");
    assert_null(strstr(text, "gone"));

    close(store);
    says(ends[0], "host closed\n");
    usleep(2500000);
    assert_int_equal(socket_ask("status", &answer_text),
                     0); /* it answers meanwhile: nobody is supervised */
    assert_non_null(strstr(answer_text, "\"supervised\""));
    assert_null(strstr(answer_text, "domnet"));
    free(answer_text);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);

    store = xenstored();
    says(ends[0], "xenstored is there again\n");
    says(ends[0], "domnet: xenstore knows nothing of it any more");
    usleep(300000); /* some turns of the loop */

    kill(pid, SIGTERM);
    says(ends[0], "used ");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(store);
    assert_int_equal(count("xenstored is gone"), 1);
    assert_int_equal(count("host opened"), 2);
    assert_int_equal(count("list read\n"), 2);
    assert_int_equal(count("looked without handles"), 0);
    assert_true(atoi(strstr(text, "used ") + strlen("used ")) < SPIN_MS);
    close(ends[0]);
    journal_remove("domnet");
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(store_path, sizeof(store_path), "%s/socket", dir);
    setenv("FERRY_STATE_DIR", dir, 1);
    snprintf(run_dir, sizeof(run_dir), "%s/run", dir);
    setenv("FERRY_RUN_DIR", run_dir, 1);
    return 0;
}

static int teardown(void **state)
{
    char path[128];

    (void)state;
    unlink(store_path);
    snprintf(path, sizeof(path), "%s/ferryd.sock", run_dir);
    unlink(path);
    rmdir(run_dir);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_waits_for_it_and_goes_on),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
