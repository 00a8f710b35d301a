/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/journald.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef JOURNALD_SOCKET /* tests have one of their own */
#define JOURNALD_SOCKET "/run/systemd/journal/socket"
#endif
#define TEXT_SIZE 2048
#define MESSAGE_SIZE 512

/* A value of one line: what ends lines would begin another field. */
static void field_put(FILE *out, const char *name, const char *value)
{
    fprintf(out, "%s=", name);
    for (; *value; value++)
        putc(*value == '\n' ? ' ' : *value, out);
    putc('\n', out);
}

static size_t fields_make(char text[TEXT_SIZE], const struct journal *journal,
                          const struct journal_death *death)
{
    FILE *out = fmemopen(text, TEXT_SIZE, "w");
    char message[MESSAGE_SIZE], end[96] = "not brought back";
    long len;

    if (!out)
        return 0;
    if (death->back_ms >= 0)
        snprintf(end, sizeof(end), "%s at depth %u after %ld ms", death->way, death->depth,
                 (long)death->back_ms);
    snprintf(message, sizeof(message), "%s: death %lu: %s%s%s, %s", journal->name,
             (unsigned long)journal->nr_deaths_ever, death->cause, *death->reason ? ": " : "",
             death->reason, end);
    field_put(out, "MESSAGE", message);
    fprintf(out, "MESSAGE_ID=" JOURNALD_MESSAGE_ID "\nPRIORITY=%d\nSYSLOG_IDENTIFIER=ferryd\n",
            death->back_ms < 0 ? 3 : 4);
    field_put(out, "FERRY_DOMAIN", journal->name);
    field_put(out, "FERRY_CAUSE", death->cause);
    field_put(out, "FERRY_REASON", death->reason);
    if (death->back_ms < 0)
        fprintf(out, "FERRY_DEPTH=none\nFERRY_OUTAGE_MS=\n");
    else
        fprintf(out, "FERRY_DEPTH=%u\nFERRY_OUTAGE_MS=%ld\n", death->depth, (long)death->back_ms);
    len = ftell(out);
    if (fclose(out) || len <= 0 || len >= TEXT_SIZE)
        return 0;
    return (size_t)len;
}

void journald_send(const struct journal *journal, const struct journal_death *death)
{
    static const struct sockaddr_un address = { .sun_family = AF_UNIX,
                                                .sun_path = JOURNALD_SOCKET };
    char text[TEXT_SIZE];
    size_t len;
    int fd;

    if (!getenv("JOURNAL_STREAM"))
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    len = fields_make(text, journal, death);
    if (fd >= 0 && len)
        (void)!sendto(fd, text, len, MSG_NOSIGNAL, (const struct sockaddr *)&address,
                      sizeof(address));
    if (fd >= 0)
        close(fd);
}
