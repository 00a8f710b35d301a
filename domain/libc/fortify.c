/* SPDX-License-Identifier: BSD-2-Clause */
#include "libc/fortify.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libc/format.h"
#include "libc/libc.h"

static void check(size_t len, size_t object)
{
    if (__builtin_expect(len > object, 0))
        libc_host_die("a string or memory function would write beyond its destination");
}

void *__memcpy_chk(void *to, const void *from, size_t len, size_t object)
{
    check(len, object);
    return memcpy(to, from, len);
}

void *__memmove_chk(void *to, const void *from, size_t len, size_t object)
{
    check(len, object);
    return memmove(to, from, len);
}

void *__memset_chk(void *to, int byte, size_t len, size_t object)
{
    check(len, object);
    return memset(to, byte, len);
}

char *__strcpy_chk(char *to, const char *from, size_t object)
{
    size_t size = strlen(from) + 1;

    check(size, object);
    return memcpy(to, from, size);
}

char *__strncpy_chk(char *to, const char *from, size_t len, size_t object)
{
    check(len, object);
    return strncpy(to, from, len);
}

static char *append(char *to, const char *from, size_t more, size_t object)
{
    size_t old = strlen(to);

    check(old + more + 1, object);
    memcpy(to + old, from, more);
    to[old + more] = '\0';
    return to;
}

char *__strncat_chk(char *to, const char *from, size_t len, size_t object)
{
    return append(to, from, strnlen(from, len), object);
}

char *__strcat_chk(char *to, const char *from, size_t object)
{
    return append(to, from, strlen(from), object);
}

int __vsnprintf_chk(char *buf, size_t size, int flag, size_t object, const char *fmt, va_list ap)
{
    (void)flag;
    check(size, object);
    return libc_format(buf, size, fmt, ap);
}

int __snprintf_chk(char *buf, size_t size, int flag, size_t object, const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = __vsnprintf_chk(buf, size, flag, object, fmt, ap);
    va_end(ap);
    return ret;
}

int __vsprintf_chk(char *buf, int flag, size_t object, const char *fmt, va_list ap)
{
    int ret = libc_format(NULL, 0, fmt, ap);

    (void)flag;
    if (ret < 0)
        return ret;
    check((size_t)ret + 1, object);
    return libc_format(buf, (size_t)ret + 1, fmt, ap);
}

int __sprintf_chk(char *buf, int flag, size_t object, const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = __vsprintf_chk(buf, flag, object, fmt, ap);
    va_end(ap);
    return ret;
}

int __vfprintf_chk(FILE *stream, int flag, const char *fmt, va_list ap)
{
    (void)flag;
    return vfprintf(stream, fmt, ap);
}

int __fprintf_chk(FILE *stream, int flag, const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = __vfprintf_chk(stream, flag, fmt, ap);
    va_end(ap);
    return ret;
}

int __printf_chk(int flag, const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = __vfprintf_chk(stdout, flag, fmt, ap);
    va_end(ap);
    return ret;
}

int __vasprintf_chk(char **text_r, int flag, const char *fmt, va_list ap)
{
    int len = libc_format(NULL, 0, fmt, ap);
    char *text;

    (void)flag;
    if (len < 0)
        return -1;
    text = malloc((size_t)len + 1);
    if (!text)
        return -1;
    *text_r = text;
    return libc_format(text, (size_t)len + 1, fmt, ap);
}

int __asprintf_chk(char **text_r, int flag, const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = __vasprintf_chk(text_r, flag, fmt, ap);
    va_end(ap);
    return ret;
}
