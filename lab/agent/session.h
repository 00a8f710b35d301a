/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_AGENT_SESSION_H
#define LAB_AGENT_SESSION_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#define SESSION_MAX 64
#define SESSION_POLLFDS 3

/* One command, or one opened file (a console's pty), under way. */
struct session {
    unsigned long id;
    int used;
    pid_t pid; /* 0 for an opened file, -1 once reaped */
    int status;
    int in, out, err; /* our ends, -1 when closed */
    int in_eof; /* close `in` when `pending` is empty */
    char *pending; /* bytes waiting for `in` */
    size_t nr_pending;
};

/* Where a session's frames go: "@<id> <kind> <escaped data>". */
typedef void (*session_emit_fn)(unsigned long id, const char *kind, const char *data, size_t len);

void session_table_init(session_emit_fn emit);

/* Start "/bin/sh -c command"; a failure is reported as a frame. */
void session_run(unsigned long id, const char *command);

/* The same on a terminal of its own, for a person. */
void session_run_tty(unsigned long id, const char *command);

/* Open a file for reading and writing, e.g. the pty of a guest's console. */
void session_open(unsigned long id, const char *path);

/* Queue bytes for the session's standard input. */
void session_feed(unsigned long id, const char *data, size_t len);

/* Close the session's standard input once everything queued is written. */
void session_feed_eof(unsigned long id);

/* Kill the command's process group, or close the opened file. */
void session_kill(unsigned long id);

/* Fill in what to poll for, SESSION_POLLFDS entries a session. */
void session_poll_prepare(struct pollfd *fds);

/* Move the bytes that poll() found, and report commands that ended. */
void session_poll_done(const struct pollfd *fds);

/* Reap children; a command's end is reported by the next session_poll_done(). */
void session_reap(void);

#endif
