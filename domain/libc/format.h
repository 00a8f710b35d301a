/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * printf's formatting. All of C's conversions but %n (refused), %a, and wide characters; floating
 * point in fixed notation only (%e and %g print as %f), at most 9 digits after the point, halves
 * rounded away from zero.
 * Source: ISO C11, 7.21.6.1.
 */
#ifndef LIBC_FORMAT_H
#define LIBC_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Write at most size bytes with the NUL to buf (size 0: buf is not touched).
 * Returns the length that all of it would have, or -1 for a format that makes no sense.
 */
int libc_format(char *buf, size_t size, const char *fmt, va_list ap);

#endif
