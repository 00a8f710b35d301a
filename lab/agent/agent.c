/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs commands for the lab, several at once, over one byte stream: a
 * virtio-serial port in dom0, the PV console in a guest.
 *
 *   agent CHANNEL [kmsg]
 *
 * Requests, one line each (data as in escape.h):
 *   <id> run <command>   <id> tty <command>   <id> open <path>
 *   <id> in <data>       <id> eof             <id> kill
 * Answers:
 *   @<id> out <data>     @<id> err <data>   @<id> rc <exit code> [why]
 *
 * With "kmsg" the kernel's messages are printed by us instead of the kernel,
 * whole lines between frames: the kernel would write into the middle of one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "escape.h"
#include "session.h"

#define FRAME_DATA 4096
#define LINE_MAX_LEN (64 * 1024 * ESCAPE_MAX_GROWTH)

enum { POLL_CHANNEL, POLL_CHILD, POLL_KMSG, POLL_SESSIONS };

static int channel = -1;
static char line[LINE_MAX_LEN];
static size_t nr_line;

static void channel_write(const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(channel, data, len);

        if (n > 0) {
            data += n;
            len -= (size_t)n;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return; /* the host is gone; it will ask again */
        poll(&(struct pollfd){ .fd = channel, .events = POLLOUT }, 1, -1);
    }
}

static void channel_emit(unsigned long id, const char *kind, const char *data, size_t len)
{
    static char frame[64 + FRAME_DATA * ESCAPE_MAX_GROWTH];
    int head = snprintf(frame, 64, "@%lu %s ", id, kind);
    size_t n = (size_t)head + escape_encode(data, len, frame + head);

    frame[n++] = '\n';
    channel_write(frame, n);
}

static void line_handle(char *text, size_t len)
{
    char *end, *data;
    unsigned long id = strtoul(text, &end, 10);
    char *verb = end + 1;

    if (end == text || *end != ' ')
        return; /* noise on the channel, not a request */
    data = strchr(verb, ' ');
    if (data) {
        *data++ = '\0';
        len = escape_decode(data, len - (size_t)(data - text));
        data[len] = '\0';
    } else {
        data = text + len;
        len = 0;
    }
    if (!strcmp(verb, "run"))
        session_run(id, data);
    else if (!strcmp(verb, "tty"))
        session_run_tty(id, data);
    else if (!strcmp(verb, "open"))
        session_open(id, data);
    else if (!strcmp(verb, "in"))
        session_feed(id, data, len);
    else if (!strcmp(verb, "eof"))
        session_feed_eof(id);
    else if (!strcmp(verb, "kill"))
        session_kill(id);
    else
        channel_emit(id, "rc", "127 unknown request", 19);
}

static void line_collect(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\n') {
            if (nr_line < sizeof(line) - 1)
                line[nr_line++] = data[i];
            continue;
        }
        line[nr_line] = '\0';
        line_handle(line, nr_line);
        nr_line = 0;
    }
}

static void channel_read(void)
{
    char buffer[16384];
    ssize_t n = read(channel, buffer, sizeof(buffer));

    if (n > 0)
        line_collect(buffer, (size_t)n);
    else
        usleep(20000); /* a virtio port without a host polls as ready */
}

/* One record of /dev/kmsg: "prio,seq,usec,flags;text\n key=value\n". */
static void kmsg_forward(int fd)
{
    char record[8192], out[8300];
    unsigned long long usec;
    char *text, *end;
    int len;
    ssize_t n = read(fd, record, sizeof(record) - 1);

    if (n <= 0)
        return;
    record[n] = '\0';
    text = strchr(record, ';');
    if (!text || sscanf(record, "%*u,%*u,%llu", &usec) != 1)
        return;
    end = strchr(++text, '\n');
    if (end)
        *end = '\0';
    len = snprintf(out, sizeof(out), "[%5llu.%06llu] %s\n", usec / 1000000, usec % 1000000, text);
    channel_write(out, (size_t)len);
}

static int kmsg_open(void)
{
    int level = open("/proc/sys/kernel/printk", O_WRONLY | O_CLOEXEC);
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (level >= 0) {
        if (write(level, "1\n", 2) != 2)
            perror("agent: printk level");
        close(level);
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_END); /* the past is on the console already */
    return fd;
}

static void channel_open(const char *path)
{
    struct termios raw;

    channel = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (channel < 0) {
        perror(path);
        exit(1);
    }
    if (tcgetattr(channel, &raw))
        return; /* not a terminal */
    cfmakeraw(&raw);
    tcsetattr(channel, TCSANOW, &raw);
}

static int child_signal_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
    static struct pollfd fds[POLL_SESSIONS + SESSION_MAX * SESSION_POLLFDS];
    struct signalfd_siginfo info;

    if (argc < 2) {
        fprintf(stderr, "usage: agent CHANNEL [kmsg]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    channel_open(argv[1]);
    session_table_init(channel_emit);
    fds[POLL_CHANNEL] = (struct pollfd){ .fd = channel, .events = POLLIN };
    fds[POLL_CHILD] = (struct pollfd){ .fd = child_signal_open(), .events = POLLIN };
    fds[POLL_KMSG] = (struct pollfd){ .fd = argc > 2 ? kmsg_open() : -1, .events = POLLIN };
    channel_emit(0, "ready", "", 0);
    for (;;) {
        session_poll_prepare(fds + POLL_SESSIONS);
        if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
            continue;
        if (fds[POLL_CHANNEL].revents)
            channel_read();
        if (fds[POLL_CHILD].revents && read(fds[POLL_CHILD].fd, &info, sizeof(info)) > 0)
            session_reap();
        if (fds[POLL_KMSG].revents)
            kmsg_forward(fds[POLL_KMSG].fd);
        session_poll_done(fds + POLL_SESSIONS);
    }
}
