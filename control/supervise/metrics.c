/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/metrics_text.h"
#include "util/log.h"

#define RETRY_MS 10000
#define CLIENT_LIMIT_MS 2000 /* for all of one request and its answer */
#define REQUEST_SIZE 8192
#define BACKLOG 8

static int unix_address(const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (path[0] != '/' || strlen(path) >= sizeof(address->sun_path))
        return -EINVAL;
    strcpy(address->sun_path, path);
    return 0;
}

static int port_parse(const char *text, in_port_t *port_r)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (end == text || *end || port < 1 || port > 65535)
        return -EINVAL;
    *port_r = htons((uint16_t)port);
    return 0;
}

static int bound(int family, const void *address, socklen_t len)
{
    int on = 1, fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;
    mode_t mask;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    mask = umask(0177);
    if (bind(fd, address, len) || listen(fd, BACKLOG))
        err = -errno;
    umask(mask);
    if (err)
        close(fd);
    return err ? err : fd;
}

int metrics_listen(const char *where)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_un un;
    struct stat stat;

    if (strncmp(where, "unix:", 5) == 0) {
        if (unix_address(where + 5, &un))
            return -EINVAL;
        /* What an earlier ferryd left; anything but a socket is somebody's. */
        if (lstat(un.sun_path, &stat) == 0 && S_ISSOCK(stat.st_mode))
            unlink(un.sun_path);
        return bound(AF_UNIX, &un, sizeof(un));
    }
    if (strncmp(where, "127.0.0.1:", 10) == 0 && port_parse(where + 10, &in.sin_port) == 0)
        return bound(AF_INET, &in, sizeof(in));
    if (strncmp(where, "[::1]:", 6) == 0 && port_parse(where + 6, &in6.sin6_port) == 0)
        return bound(AF_INET6, &in6, sizeof(in6));
    return -EINVAL;
}

/* Whether it may be read or written before the client's time is over. */
static bool ready(int fd, short events, int64_t deadline_ms)
{
    struct pollfd poll_fd = { .fd = fd, .events = events };
    int64_t left = deadline_ms - host_ticks_ms();

    return left > 0 && poll(&poll_fd, 1, (int)left) == 1;
}

/* The request's head, up to its empty line. Returns whether there is one. */
static bool head_receive(int fd, char head[REQUEST_SIZE], int64_t deadline_ms)
{
    size_t len = 0;

    while (len < REQUEST_SIZE - 1 && ready(fd, POLLIN, deadline_ms)) {
        ssize_t got = recv(fd, head + len, REQUEST_SIZE - 1 - len, MSG_DONTWAIT);

        if (got <= 0)
            return false;
        len += (size_t)got;
        head[len] = '\0';
        if (strstr(head, "\r\n\r\n") || strstr(head, "\n\n"))
            return true;
    }
    return false;
}

static void send_all(int fd, const char *text, size_t len, int64_t deadline_ms)
{
    while (len && ready(fd, POLLOUT, deadline_ms)) {
        ssize_t put = send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (put <= 0)
            return;
        text += put;
        len -= (size_t)put;
    }
}

static void answer(int fd, const char *status, const char *type, const char *text, size_t len,
                   int64_t deadline_ms)
{
    char head[256];
    int head_len = snprintf(head, sizeof(head),
                            "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                            "Connection: close\r\n\r\n",
                            status, type, len);

    send_all(fd, head, (size_t)head_len, deadline_ms);
    send_all(fd, text, len, deadline_ms);
}

static void metrics_answer(int fd, struct host *host, const char *head, int64_t deadline_ms)
{
    bool openmetrics = strstr(head, "application/openmetrics-text");
    size_t len = 0;
    char *text = metrics_text(host, openmetrics, &len);

    if (text)
        answer(fd, "200 OK",
               openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                           : "text/plain; version=0.0.4; charset=utf-8",
               text, len, deadline_ms);
    free(text);
}

static void client_serve(int fd, struct host *host)
{
    static const char elsewhere[] = "the metrics are at /metrics\n";
    int64_t deadline_ms = host_ticks_ms() + CLIENT_LIMIT_MS;
    char head[REQUEST_SIZE];

    if (!head_receive(fd, head, deadline_ms))
        return;
    if (strncmp(head, "GET /metrics ", 13) == 0 || strncmp(head, "GET /metrics?", 13) == 0)
        metrics_answer(fd, host, head, deadline_ms);
    else if (strncmp(head, "GET ", 4) == 0)
        answer(fd, "404 Not Found", "text/plain", elsewhere, sizeof(elsewhere) - 1, deadline_ms);
    else
        answer(fd, "405 Method Not Allowed", "text/plain", "", 0, deadline_ms);
}

static void serve(struct metrics *metrics, struct host *host)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, "ferryd-metrics");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (host_reopen(host, &metrics->listener))
        _exit(1);
    metrics_text_begin(host);
    for (;;) {
        int fd = accept4(metrics->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
            _exit(1);
        if (fd < 0)
            continue;
        client_serve(fd, host);
        close(fd);
    }
}

void metrics_look(struct metrics *metrics, struct host *host)
{
    int status;

    if (metrics->listener < 0)
        return;
    if (metrics->pid && waitpid(metrics->pid, &status, WNOHANG) == metrics->pid) {
        log_line("the process that serves metrics ended (status %#x)", status);
        metrics->pid = 0;
    }
    if (metrics->pid || (metrics->tried_ms && host_ticks_ms() - metrics->tried_ms < RETRY_MS))
        return;
    metrics->tried_ms = host_ticks_ms();
    metrics->pid = fork();
    if (metrics->pid == 0)
        serve(metrics, host);
    if (metrics->pid < 0) {
        log_line("no process for the metrics: %s", strerror(errno));
        metrics->pid = 0;
    }
}

void metrics_end(struct metrics *metrics)
{
    if (metrics->pid)
        kill(metrics->pid, SIGKILL);
}
