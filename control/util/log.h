/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for the user or the service's log, all on stderr, each with the program's name. */
#ifndef CONTROL_LOG_H
#define CONTROL_LOG_H

#include <stddef.h>

extern const char *log_program;

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replace what a terminal would act on by '?': for text from a domain. Newlines and tabs stay. */
void log_clean(char *text, size_t len);

/* The same for a name: its end within size bytes, and nothing but printable ASCII without blanks. */
void log_clean_name(char *name, size_t size);

#endif
