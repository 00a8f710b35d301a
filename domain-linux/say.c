/* SPDX-License-Identifier: BSD-2-Clause */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_MS 300 /* for the console's ring to be read by dom0 */
#define LINE_SIZE 256
#define TURN_BYTES 4096 /* the most that is said at once: the beat goes on */

static int fd = -1, pipe_fd = -1;

void say_open(void)
{
    fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
}

void say_pipe_open(void)
{
    if (mkfifo(SAY_PIPE, 0600) == 0)
        pipe_fd = open(SAY_PIPE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (pipe_fd < 0)
        say("%s: %s; what programs print is lost", SAY_PIPE, strerror(errno));
}

void say_pipe_look(void)
{
    static char line[LINE_SIZE];
    static size_t used;
    char bytes[TURN_BYTES];
    ssize_t len = pipe_fd < 0 ? 0 : read(pipe_fd, bytes, sizeof(bytes));

    for (ssize_t i = 0; i < len; i++) {
        if (bytes[i] != '\n')
            line[used++] = bytes[i] ? bytes[i] : '?';
        if (used && (bytes[i] == '\n' || used == sizeof(line) - 1)) {
            line[used] = '\0';
            used = 0;
            say("> %s", line);
        }
    }
}

static void say_args(const char *format, va_list args)
{
    char line[512];
    int len = snprintf(line, sizeof(line), "<3>ferry: ");

    vsnprintf(line + len, sizeof(line) - (size_t)len - 1, format, args);
    for (char *at = line; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    /* A record without its newline may be continued: the kernel keeps it until the next one comes. */
    len = (int)strlen(line);
    line[len] = '\n';
    line[len + 1] = '\0';
    if (write(fd, line, strlen(line)) < 0)
        (void)!write(STDERR_FILENO, line, strlen(line));
}

void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_args(format, args);
    va_end(args);
}

void say_and_shut_down(const char *format, ...)
{
    const struct timespec drain = { .tv_nsec = DRAIN_MS * 1000000l };
    va_list args;

    va_start(args, format);
    say_args(format, args);
    va_end(args);
    say_pipe_look();
    say("shutting down");
    nanosleep(&drain, NULL);
    sync();
    for (;;) {
        reboot(RB_POWER_OFF);
        nanosleep(&drain, NULL);
    }
}
