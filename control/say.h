/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for the user or the service's log, all on stderr, each with the program's name. */
#ifndef CONTROL_SAY_H
#define CONTROL_SAY_H

#include <stddef.h>

extern const char *say_program;

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Replace what a terminal would act on by '?': for text from a domain. Newlines and tabs stay. */
void say_clean(char *text, size_t len);

#endif
