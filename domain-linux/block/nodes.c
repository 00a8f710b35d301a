/* SPDX-License-Identifier: BSD-2-Clause */
#include "block/nodes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ferry/number.h>
#include <xen/io/xenbus.h>

static bool path_make(char path[NODES_PATH_SIZE], const char *dir, const char *name)
{
    return snprintf(path, NODES_PATH_SIZE, "%s/%s", dir, name) < NODES_PATH_SIZE;
}

int nodes_read(struct xs_handle *xs, const char *dir, const char *name, char *value, size_t size)
{
    char path[NODES_PATH_SIZE], *found;
    unsigned int len = 0;
    int err = 0;

    if (!path_make(path, dir, name))
        return -EINVAL;
    found = xs_read(xs, XBT_NULL, path, &len); /* it puts a NUL behind it */
    /* xenstored says EACCES for a node that is not there, too, if nothing above it may be read: so for those of a dead guest. */
    if (!found)
        return errno == ENOENT || errno == EACCES ? -ENOENT : -EIO;
    if (len >= size || memchr(found, '\0', len))
        err = -EINVAL;
    else
        memcpy(value, found, len + 1);
    free(found);
    return err;
}

int nodes_number(struct xs_handle *xs, const char *dir, const char *name, uint32_t max,
                 uint32_t *number_r)
{
    char text[16];
    int err = nodes_read(xs, dir, name, text, sizeof(text));

    return err ? err : number_parse(text, max, number_r);
}

int nodes_state(struct xs_handle *xs, const char *dir)
{
    uint32_t state = XenbusStateUnknown;
    int err = nodes_number(xs, dir, "state", XenbusStateReconfigured, &state);

    return err == -EIO ? err : (int)state;
}

bool nodes_write(struct xs_handle *xs, const char *dir, const char *name, const char *format, ...)
{
    char path[NODES_PATH_SIZE], value[300];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(value, sizeof(value), format, args);
    va_end(args);
    return len >= 0 && len < (int)sizeof(value) && path_make(path, dir, name) &&
           xs_write(xs, XBT_NULL, path, value, (unsigned int)len);
}
