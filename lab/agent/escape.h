/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LAB_AGENT_ESCAPE_H
#define LAB_AGENT_ESCAPE_H

#include <stddef.h>

/* The most bytes that escape_encode() makes of one input byte ("\xHH"). */
#define ESCAPE_MAX_GROWTH 4

/*
 * Encode bytes as printable ASCII without line ends, so that a frame is one
 * line and stays readable in a console log.
 *
 *   out  room for len * ESCAPE_MAX_GROWTH bytes; not terminated
 *
 * Returns the number of bytes written.
 */
size_t escape_encode(const char *in, size_t len, char *out);

/*
 * Decode in place, the reverse of escape_encode().  An unknown escape is kept
 * as it stands.  Returns the number of bytes that remain.
 */
size_t escape_decode(char *text, size_t len);

#endif
