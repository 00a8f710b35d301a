/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/row.h"

#include <stdarg.h>
#include <stdio.h>

void check_set(struct check_row *row, enum check_result result, const char *format, ...)
{
    va_list args;

    row->result = result;
    va_start(args, format);
    vsnprintf(row->seen, sizeof(row->seen), format, args);
    va_end(args);
}

const char *check_result_word(enum check_result result)
{
    static const char *const words[] = { "ok", "unknown", "refused" };

    return words[result];
}
