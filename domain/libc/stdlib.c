/* SPDX-License-Identifier: BSD-2-Clause */
/* The strto* family over libc/number.h, and what else of stdlib.h has no system behind it here. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "libc/libc.h"
#include "libc/number.h"

static int64_t to_signed(const char *text, char **end, int base)
{
    struct libc_number number;
    uint64_t limit;

    libc_number_parse(text, (unsigned int)base, &number);
    if (end)
        *end = (char *)(uintptr_t)number.end;
    limit = number.is_negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    if (number.magnitude > limit) {
        errno = ERANGE;
        number.magnitude = limit;
    }
    return (int64_t)(number.is_negative ? -number.magnitude : number.magnitude);
}

static uint64_t to_unsigned(const char *text, char **end, int base)
{
    struct libc_number number;

    libc_number_parse(text, (unsigned int)base, &number);
    if (end)
        *end = (char *)(uintptr_t)number.end;
    if (number.is_huge) {
        errno = ERANGE;
        return UINT64_MAX;
    }
    return number.is_negative ? -number.magnitude : number.magnitude;
}

long strtol(const char *restrict text, char **restrict end, int base)
{
    return to_signed(text, end, base);
}

long long strtoll(const char *restrict text, char **restrict end, int base)
{
    return to_signed(text, end, base);
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
    return to_unsigned(text, end, base);
}

unsigned long long strtoull(const char *restrict text, char **restrict end, int base)
{
    return to_unsigned(text, end, base);
}

int atoi(const char *text)
{
    return (int)to_signed(text, NULL, 10);
}

/* There is no environment. */
char *getenv(const char *name)
{
    (void)name;
    return NULL;
}

void abort(void)
{
    libc_host_die("abort()");
}

void exit(int status)
{
    (void)status;
    libc_host_die("exit()");
}
