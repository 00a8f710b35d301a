/* SPDX-License-Identifier: BSD-2-Clause */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

const char *say_program = "ferry";

void say(const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    fprintf(stderr, "%s: %s\n", say_program, line);
}

void say_clean(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((text[i] < ' ' && text[i] != '\n' && text[i] != '\t') || text[i] == 0x7f ||
            (unsigned char)text[i] > 0x7f)
            text[i] = '?';
}
