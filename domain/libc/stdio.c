/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatted output. Whatever is written to a stream, stdout or stderr, becomes lines of the log;
 * there are no files. A line is kept until its newline comes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libc/format.h"
#include "libc/libc.h"

#define LINE_SIZE 256

/* Never looked into: the addresses alone tell a stream from none. */
static char stdout_tag, stderr_tag;
FILE *stdout = (FILE *)&stdout_tag;
FILE *stderr = (FILE *)&stderr_tag;

static char line[LINE_SIZE];
static size_t line_len;

static void line_end(void)
{
    line[line_len] = '\0';
    if (line_len > 0)
        libc_host_log(line);
    line_len = 0;
}

static void write_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            line_end();
            continue;
        }
        if (line_len + 1 == sizeof(line))
            line_end();
        line[line_len++] = text[i];
    }
}

int vsnprintf(char *restrict buf, size_t size, const char *restrict fmt, va_list ap)
{
    return libc_format(buf, size, fmt, ap);
}

int snprintf(char *restrict buf, size_t size, const char *restrict fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = libc_format(buf, size, fmt, ap);
    va_end(ap);
    return ret;
}

int vfprintf(FILE *restrict stream, const char *restrict fmt, va_list ap)
{
    char text[2 * LINE_SIZE];
    int ret = libc_format(text, sizeof(text), fmt, ap);

    (void)stream;
    if (ret >= 0)
        write_text(text, strlen(text));
    return ret;
}

int fprintf(FILE *restrict stream, const char *restrict fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = vfprintf(stream, fmt, ap);
    va_end(ap);
    return ret;
}

int printf(const char *restrict fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = vfprintf(stdout, fmt, ap);
    va_end(ap);
    return ret;
}

size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict stream)
{
    (void)stream;
    write_text(data, size * count);
    return count;
}

int fputs(const char *restrict text, FILE *restrict stream)
{
    (void)stream;
    write_text(text, strlen(text));
    return 0;
}

int puts(const char *text)
{
    write_text(text, strlen(text));
    line_end();
    return 0;
}

int fputc(int c, FILE *stream)
{
    char byte = (char)c;

    (void)stream;
    write_text(&byte, 1);
    return (unsigned char)c;
}

int putchar(int c)
{
    return fputc(c, stdout);
}

int fflush(FILE *stream)
{
    (void)stream;
    line_end();
    return 0;
}

int fclose(FILE *stream)
{
    return fflush(stream);
}

/* A stream into memory: asked for by ethdev's telemetry only, which is never run. */
FILE *fmemopen(void *buf, size_t size, const char *mode)
{
    (void)buf;
    (void)size;
    (void)mode;
    errno = ENOSYS;
    return NULL;
}
