/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checking forms that gcc's -D_FORTIFY_SOURCE calls in place of the functions named inside, as
 * Debian's archives do. `object` is the size of the destination as far as the compiler knew, or
 * SIZE_MAX. A write beyond it ends the domain.
 * Source: LSB core specification, "__*_chk" interfaces.
 */
#ifndef LIBC_FORTIFY_H
#define LIBC_FORTIFY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void *__memcpy_chk(void *to, const void *from, size_t len, size_t object);
void *__memmove_chk(void *to, const void *from, size_t len, size_t object);
void *__memset_chk(void *to, int byte, size_t len, size_t object);
char *__strcpy_chk(char *to, const char *from, size_t object);
char *__strncpy_chk(char *to, const char *from, size_t len, size_t object);
char *__strcat_chk(char *to, const char *from, size_t object);
char *__strncat_chk(char *to, const char *from, size_t len, size_t object);

int __vsnprintf_chk(char *buf, size_t size, int flag, size_t object, const char *fmt, va_list ap);
int __snprintf_chk(char *buf, size_t size, int flag, size_t object, const char *fmt, ...);
int __vsprintf_chk(char *buf, int flag, size_t object, const char *fmt, va_list ap);
int __sprintf_chk(char *buf, int flag, size_t object, const char *fmt, ...);
int __vfprintf_chk(FILE *stream, int flag, const char *fmt, va_list ap);
int __fprintf_chk(FILE *stream, int flag, const char *fmt, ...);
int __printf_chk(int flag, const char *fmt, ...);
int __vasprintf_chk(char **text_r, int flag, const char *fmt, va_list ap);
int __asprintf_chk(char **text_r, int flag, const char *fmt, ...);

#endif
