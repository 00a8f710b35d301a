/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: one line a call on the Xen console, stamped with seconds since the domain was started.
 * Lines carry no newline of their own.
 */
#ifndef XEN_LOG_H
#define XEN_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86/cpu.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Longest line, with its stamp and newline; a longer one is cut and ends in "...". */
#define LOG_LINE_MAX 240

/* Lines above level are dropped. LOG_INFO until said otherwise. */
void log_set_level(enum log_level level);

/* Whether lines of this level are written at all. */
bool log_enabled(enum log_level level);

/*
 * Write a line. Bytes that are not printable ASCII, and the backslash, come out as \xNN: a name that
 * a guest chose cannot forge a line. Until the console is there, lines are kept, 2 KiB of them.
 */
void log_line(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/*
 * What a guest can cause is logged through a limit of its own: at most `burst` lines, then one
 * every interval; how many were left out is said with the next line.
 */
struct log_limit {
    uint64_t next_ns; /* all zero: ready for use */
    uint32_t tokens_used, suppressed;
};
#define LOG_LIMIT_BURST 5
#define LOG_LIMIT_INTERVAL_NS 10000000000ull

/* Whether a line may be written now. */
bool log_limit_pass(struct log_limit *limit);

#define log_limited(limit, level, ...)                                                             \
    do {                                                                                           \
        if (log_enabled(level) && log_limit_pass(limit))                                           \
            log_line(level, __VA_ARGS__);                                                          \
    } while (0)

/* What panic() does with its reason, a line, in the end; it does not come back. Until it is said, the reason goes to Xen's
 * console and the domain ends with SHUTDOWN_crash. */
void panic_set_end(void (*end)(const char *reason));

/* Ends this start of the kernel with a report. For our own bookkeeping only, never for input. */
__noreturn void panic(const char *fmt, ...) __printf(1, 2);

/* In every build. */
#define INVARIANT(cond)                                                                            \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0))                                                          \
            panic("invariant failed: %s at %s:%d", #cond, __FILE__, __LINE__);                     \
    } while (0)

#endif
