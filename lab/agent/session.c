/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 4096

static struct session sessions[SESSION_MAX];
static session_emit_fn emit;

void session_table_init(session_emit_fn fn)
{
    emit = fn;
}

static struct session *session_find(unsigned long id)
{
    for (int i = 0; i < SESSION_MAX; i++)
        if (sessions[i].used && sessions[i].id == id)
            return &sessions[i];
    return NULL;
}

static struct session *session_alloc(unsigned long id)
{
    for (int i = 0; i < SESSION_MAX; i++) {
        if (sessions[i].used)
            continue;
        sessions[i] = (struct session){ .id = id, .used = 1, .in = -1, .out = -1, .err = -1 };
        return &sessions[i];
    }
    return NULL;
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void session_report_end(struct session *s, int rc, const char *why)
{
    char text[128];
    int len = snprintf(text, sizeof(text), "%d%s%s", rc, why ? " " : "", why ? why : "");

    fd_close(&s->in);
    fd_close(&s->out);
    fd_close(&s->err);
    free(s->pending);
    s->pending = NULL;
    s->used = 0;
    emit(s->id, "rc", text, (size_t)len);
}

static void refuse(unsigned long id, const char *why)
{
    char text[128];
    int len = snprintf(text, sizeof(text), "127 %s", why);

    emit(id, "rc", text, (size_t)len);
}

static void child_exec(int in, int out, int err, const char *command)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setsid(); /* its own group, so that session_kill() takes its children along */
    if (isatty(in))
        ioctl(in, TIOCSCTTY, 0);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

void session_run(unsigned long id, const char *command)
{
    int in[2], out[2], err[2];
    struct session *s = session_alloc(id);

    if (!s) {
        refuse(id, "too many sessions");
        return;
    }
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
        session_report_end(s, 127, strerror(errno));
        return;
    }
    s->pid = fork();
    if (s->pid == 0)
        child_exec(in[0], out[1], err[1], command);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    s->in = in[1];
    s->out = out[0];
    s->err = err[0];
    fcntl(s->in, F_SETFL, O_NONBLOCK);
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    fcntl(s->err, F_SETFL, O_NONBLOCK);
    if (s->pid < 0)
        session_report_end(s, 127, strerror(errno));
}

void session_run_tty(unsigned long id, const char *command)
{
    struct session *s = session_alloc(id);
    int terminal;

    if (!s) {
        refuse(id, "too many sessions");
        return;
    }
    if (openpty(&s->out, &terminal, NULL, NULL, NULL)) {
        session_report_end(s, 127, strerror(errno));
        return;
    }
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    fcntl(s->out, F_SETFD, FD_CLOEXEC);
    s->in = fcntl(s->out, F_DUPFD_CLOEXEC, 0);
    s->pid = fork();
    if (s->pid == 0)
        child_exec(terminal, terminal, terminal, command);
    close(terminal);
    if (s->pid < 0)
        session_report_end(s, 127, strerror(errno));
}

void session_open(unsigned long id, const char *path)
{
    struct session *s = session_alloc(id);

    if (!s) {
        refuse(id, "too many sessions");
        return;
    }
    s->out = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (s->out < 0) {
        session_report_end(s, 127, strerror(errno));
        return;
    }
    s->in = fcntl(s->out, F_DUPFD_CLOEXEC, 0);
}

static void session_flush_pending(struct session *s)
{
    ssize_t n = 0;

    if (s->nr_pending)
        n = write(s->in, s->pending, s->nr_pending);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        s->nr_pending = 0; /* nobody reads any more */
        fd_close(&s->in);
        return;
    }
    if (n > 0) {
        memmove(s->pending, s->pending + n, s->nr_pending - (size_t)n);
        s->nr_pending -= (size_t)n;
    }
    if (!s->nr_pending && s->in_eof)
        fd_close(&s->in);
}

void session_feed(unsigned long id, const char *data, size_t len)
{
    struct session *s = session_find(id);
    char *grown;

    if (!s || s->in < 0)
        return;
    grown = realloc(s->pending, s->nr_pending + len);
    if (!grown && len)
        abort();
    s->pending = grown;
    memcpy(s->pending + s->nr_pending, data, len);
    s->nr_pending += len;
    session_flush_pending(s);
}

void session_feed_eof(unsigned long id)
{
    struct session *s = session_find(id);

    if (!s || s->in < 0)
        return;
    s->in_eof = 1;
    session_flush_pending(s);
}

void session_kill(unsigned long id)
{
    struct session *s = session_find(id);

    if (!s)
        return;
    if (s->pid > 0)
        kill(-s->pid, SIGKILL);
    else if (!s->pid)
        session_report_end(s, 0, "closed");
}

/* Returns 1 if there may be more to read. */
static int session_drain(struct session *s, int *fd, const char *kind)
{
    char buffer[CHUNK];
    ssize_t n = read(*fd, buffer, sizeof(buffer));

    if (n > 0) {
        emit(s->id, kind, buffer, (size_t)n);
        return 1;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        fd_close(fd);
    return 0;
}

static void session_finish(struct session *s)
{
    int rc = WIFEXITED(s->status) ? WEXITSTATUS(s->status) : 128 + WTERMSIG(s->status);

    /* What the command wrote before it ended; a daemon it left behind may
     * hold the pipes open for ever, so do not wait for their end. */
    while (s->out >= 0 && session_drain(s, &s->out, "out"))
        ;
    while (s->err >= 0 && session_drain(s, &s->err, "err"))
        ;
    session_report_end(s, rc, NULL);
}

void session_poll_prepare(struct pollfd *fds)
{
    for (int i = 0; i < SESSION_MAX; i++, fds += SESSION_POLLFDS) {
        const struct session *s = &sessions[i];

        fds[0] = (struct pollfd){ .fd = s->used ? s->out : -1, .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = s->used ? s->err : -1, .events = POLLIN };
        fds[2] = (struct pollfd){ .fd = s->used && s->nr_pending ? s->in : -1, .events = POLLOUT };
    }
}

void session_poll_done(const struct pollfd *fds)
{
    for (int i = 0; i < SESSION_MAX; i++, fds += SESSION_POLLFDS) {
        struct session *s = &sessions[i];

        if (!s->used)
            continue;
        if (fds[0].revents && s->out == fds[0].fd)
            session_drain(s, &s->out, "out");
        if (fds[1].revents && s->err == fds[1].fd)
            session_drain(s, &s->err, "err");
        if (fds[2].revents && s->in == fds[2].fd)
            session_flush_pending(s);
        if (s->pid < 0)
            session_finish(s);
        else if (!s->pid && s->out < 0)
            session_report_end(s, 0, "hung up");
    }
}

void session_reap(void)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (int i = 0; i < SESSION_MAX; i++) {
            if (!sessions[i].used || sessions[i].pid != pid)
                continue;
            sessions[i].status = status;
            sessions[i].pid = -1;
        }
    }
}
