/* SPDX-License-Identifier: BSD-2-Clause */
/* Text as HTML. Pure. */
#ifndef CONTROL_CLI_REPORT_HTML_H
#define CONTROL_CLI_REPORT_HTML_H

#include <stdio.h>

/* Text in an element or an attribute: what would be markup is escaped, control characters become blanks. */
void report_html_text(FILE *out, const char *text);

#endif
