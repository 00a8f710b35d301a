/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>

const char *log_program = "ferry";

void log_line(const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    fprintf(stderr, "%s: %s\n", log_program, line);
}

void log_clean(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((text[i] < ' ' && text[i] != '\n' && text[i] != '\t') || text[i] == 0x7f ||
            (unsigned char)text[i] > 0x7f)
            text[i] = '?';
}

void log_clean_name(char *name, size_t size)
{
    name[size - 1] = '\0';
    for (; *name; name++)
        if (*name <= ' ' || *name > '~')
            *name = '?';
}
