/* SPDX-License-Identifier: BSD-2-Clause */
/* The names that an xl.cfg sets. libxlutil reads values, but does not list names. Pure. */
#ifndef CONTROL_CFGKEYS_H
#define CONTROL_CFGKEYS_H

#include <stddef.h>

#define CFGKEYS_NAME_SIZE 48

/*
 * Call found() for every name that stands before an '=' (or '+=') outside of lists, strings and
 * comments; longer names are cut. Stops when it returns other than 0, and returns that.
 */
int cfgkeys_each(const char *text, int (*found)(void *ctx, const char *name), void *ctx);

/*
 * Names that `ferry start` does not act on, separated by ", ", cut to size.
 * Returns their number.
 */
unsigned int cfgkeys_unknown(const char *text, char *names, size_t size);

#endif
