/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/setup_confirm.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "xen/host.h"

#define SLICE_MS 250 /* a signal that comes just before poll() is seen after it */
#define ANSWER_SIZE 8

enum said { SAID_NOTHING, SAID_KEEP, SAID_UNDO, SAID_OTHER, SAID_END };

struct answer {
    char text[ANSWER_SIZE];
    size_t len; /* up to the size: it was longer */
};

static enum said answer_judge(struct answer *answer)
{
    static const char *const keep[] = { "", "y", "yes" }, *const undo[] = { "n", "no" };
    enum said said = SAID_OTHER;

    if (answer->len && answer->len < ANSWER_SIZE && answer->text[answer->len - 1] == '\r')
        answer->len--;
    if (answer->len < ANSWER_SIZE) {
        answer->text[answer->len] = '\0';
        for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
            if (strcasecmp(answer->text, keep[i]) == 0)
                said = SAID_KEEP;
        for (size_t i = 0; i < sizeof(undo) / sizeof(undo[0]); i++)
            if (strcasecmp(answer->text, undo[i]) == 0)
                said = SAID_UNDO;
    }
    answer->len = 0;
    return said;
}

static enum said byte_take(int fd, struct answer *answer)
{
    char byte;
    ssize_t got = read(fd, &byte, 1);

    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return SAID_NOTHING;
    if (got <= 0)
        return SAID_END;
    if (byte == '\n')
        return answer_judge(answer);
    if (answer->len < ANSWER_SIZE)
        answer->text[answer->len++] = byte;
    return SAID_NOTHING;
}

static enum said listen_once(int fd, int64_t left_ms, struct answer *answer)
{
    struct pollfd at = { .fd = fd, .events = POLLIN };
    int nr = poll(&at, 1, left_ms < SLICE_MS ? (int)left_ms : SLICE_MS);

    if (nr < 0)
        return errno == EINTR ? SAID_NOTHING : SAID_END;
    if (nr == 0)
        return SAID_NOTHING;
    return at.revents & POLLNVAL ? SAID_END : byte_take(fd, answer);
}

const char *setup_confirm_wait(int fd, unsigned int seconds, const char *question,
                               const volatile sig_atomic_t *interrupted)
{
    int64_t end = host_ticks_ms() + seconds * 1000ll, left;
    struct answer answer = { .len = 0 };

    if (isatty(fd))
        tcflush(fd, TCIFLUSH);
    printf("%s: ", question);
    fflush(stdout);
    while ((left = end - host_ticks_ms()) > 0 && !*interrupted) {
        switch (listen_once(fd, left, &answer)) {
        case SAID_KEEP:
            return NULL;
        case SAID_UNDO:
            return "it is not to stay";
        case SAID_END:
            return "it was not confirmed, and its terminal or input is at its end";
        case SAID_OTHER:
            printf("Enter keeps it, \"no\" undoes it: ");
            fflush(stdout);
            break;
        case SAID_NOTHING:
            break;
        }
    }
    return *interrupted ? "it was interrupted" : "it was not confirmed in time";
}
