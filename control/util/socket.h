/* SPDX-License-Identifier: BSD-2-Clause */
/* ferryd's UNIX socket, for root only: one line asked, one text answered, closed. */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include <stddef.h>

#define SOCKET_LINE_SIZE 64

/* Returns a listening descriptor, or a negative errno. The caller is the only ferryd. */
int socket_listen(void);

/* Take one connection: reads its line, calls answer() for the text (to be freed), closes. */
void socket_serve(int listener, char *(*answer)(void *ctx, const char *line), void *ctx);

/* The other end. Returns 0 with the text (to be freed), or a negative errno: no ferryd is there. */
int socket_ask(const char *line, char **text_r);

#endif
