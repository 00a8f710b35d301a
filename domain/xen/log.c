/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "arch/x86/layout.h"
#include "xen/clock.h"
#include "xen/console.h"
#include "xen/domain.h"

#define EARLY_SIZE 2048
#define CUT_MARK "..."

static const char *const level_words[] = {
    [LOG_ERROR] = "error: ",
    [LOG_WARN] = "warning: ",
    [LOG_INFO] = "",
    [LOG_DEBUG] = "",
};

static enum log_level max_level = LOG_INFO;

/* Lines from before there was a console. Full: the later ones are left out and counted. */
static char early[EARLY_SIZE];
static size_t early_used;
static unsigned int early_left_out;

static unsigned int panics;
static void (*panic_end)(const char *reason) __sealed;

bool log_enabled(enum log_level level)
{
    return level <= max_level;
}

void log_set_level(enum log_level level)
{
    max_level = level;
}

/* Whether a byte could end a line, move a cursor, or pass for an escaped one. */
static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c >= 0x7f || c == '\\';
}

/*
 * Append text to a line of at most size bytes, of which used are taken, as printable ASCII. cut: the
 * text has lost its end already. Returns the bytes used then; nothing is NUL-terminated.
 */
static size_t line_append(char *line, size_t size, size_t used, const char *text, bool cut)
{
    static const char hex[] = "0123456789abcdef";
    const size_t limit = size - strlen(CUT_MARK);

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        size_t need = needs_escape(c) ? 4 : 1;

        if (used + need > limit) {
            cut = true;
            break;
        }
        if (need == 1) {
            line[used++] = (char)c;
        } else {
            char escape[] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

            memcpy(line + used, escape, sizeof(escape));
            used += sizeof(escape);
        }
    }
    if (cut) {
        memcpy(line + used, CUT_MARK, strlen(CUT_MARK));
        used += strlen(CUT_MARK);
    }
    return used;
}

static size_t line_stamp(char *line, size_t size)
{
    uint64_t us = start_info ? clock_uptime() / 1000 : 0; /* no clock before start_info */
    int len = snprintf(line, size, "[%5lu.%06lu] ", (unsigned long)(us / 1000000),
                       (unsigned long)(us % 1000000));

    return len > 0 ? (size_t)len : 0;
}

static size_t line_make(char *line, size_t size, const char *word, const char *fmt, va_list ap)
{
    char text[LOG_LINE_MAX];
    int len = vsnprintf(text, sizeof(text), fmt, ap);
    size_t used = line_stamp(line, size);

    memcpy(line + used, word, strlen(word));
    used += strlen(word);
    used = line_append(line, size - 1, used, len < 0 ? fmt : text, len >= (int)sizeof(text));
    line[used++] = '\n';
    return used;
}

static void early_keep(const char *line, size_t len)
{
    if (len > sizeof(early) - early_used) {
        early_left_out++;
        return;
    }
    memcpy(early + early_used, line, len);
    early_used += len;
}

static void early_flush(void)
{
    size_t used = early_used;

    early_used = 0;
    if (used)
        console_write(early, used);
    if (early_left_out) {
        char note[64];
        int len = snprintf(note, sizeof(note), "[log: %u early lines left out]\n", early_left_out);

        early_left_out = 0;
        console_write(note, (size_t)len);
    }
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char line[LOG_LINE_MAX];
    va_list ap;

    if (!log_enabled(level))
        return;
    va_start(ap, fmt);
    size_t len = line_make(line, sizeof(line), level_words[level], fmt, ap);
    va_end(ap);
    if (!console_ready()) {
        early_keep(line, len);
        return;
    }
    early_flush();
    console_write(line, len);
}

bool log_limit_pass(struct log_limit *limit)
{
    uint64_t now = clock_now();

    if (limit->tokens_used >= LOG_LIMIT_BURST && now < limit->next_ns) {
        limit->suppressed++;
        return false;
    }
    if (limit->tokens_used < LOG_LIMIT_BURST)
        limit->tokens_used++;
    limit->next_ns = now + LOG_LIMIT_INTERVAL_NS;
    if (limit->suppressed) {
        log_line(LOG_WARN, "%u lines like the next one were left out", limit->suppressed);
        limit->suppressed = 0;
    }
    return true;
}

/* The report failed. */
static __noreturn void panic_again(void)
{
    static const char text[] = "ferry: panic within a panic\n";

    if (panics == 2)
        console_hypervisor_write(text, sizeof(text) - 1);
    domain_shutdown(SHUTDOWN_crash);
}

void panic_set_end(void (*end)(const char *reason))
{
    if (panic_end != end) /* sealed from the second start on */
        panic_end = end;
}

__noreturn void panic(const char *fmt, ...)
{
    static char reason[LOG_LINE_MAX], line[LOG_LINE_MAX];
    va_list ap;

    if (panics++)
        panic_again();
    va_start(ap, fmt);
    vsnprintf(reason, sizeof(reason), fmt, ap);
    va_end(ap);
    early_flush();
    line[line_append(line, sizeof(line) - 1, 0, reason, false)] = '\0';
    if (panic_end)
        panic_end(line);
    console_hypervisor_write(line, strlen(line));
    domain_shutdown(SHUTDOWN_crash);
}
