/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_html.h"

void report_html_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '"')
            fputs("&quot;", out);
        else if ((unsigned char)*text < 0x20 || *text == 0x7f)
            putc(' ', out);
        else
            putc(*text, out);
    }
}
