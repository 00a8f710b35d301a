/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/xenstore_codec.h"

#include <errno.h> /* before xs_wire.h, which has its table of errors only then */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/io/xs_wire.h>

#include "xen/xenstore.h"

static bool is_path_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '/' || c == '@';
}

/* Source: docs/misc/xenstore.txt, "Xenstore path names". */
static int path_form_check(const char *path, bool special)
{
    size_t len = strnlen(path, XENSTORE_PATH_SIZE);

    if (len == XENSTORE_PATH_SIZE)
        return -ENAMETOOLONG;
    if (len == 0 || (path[0] == '@' && !special))
        return -EINVAL;
    if (len > 1 && path[len - 1] == '/')
        return -EINVAL;
    for (size_t i = 0; i < len; i++)
        if (!is_path_char(path[i]) || (path[i] == '/' && path[i + 1] == '/'))
            return -EINVAL;
    return 0;
}

int xenstore_path_check(const char *path)
{
    return path_form_check(path, false);
}

int xenstore_watch_path_check(const char *path)
{
    return path_form_check(path, true);
}

int xenstore_encode(char *buf, size_t size, uint32_t type, uint32_t id, uint32_t tx,
                    const struct xenstore_part *parts, unsigned int nr_parts, size_t *len_r)
{
    struct xsd_sockmsg header = { .type = type, .req_id = id, .tx_id = tx };
    size_t used = sizeof(header);

    if (size < used)
        return -E2BIG;
    for (unsigned int i = 0; i < nr_parts; i++) {
        if (parts[i].len > size - used)
            return -E2BIG;
        memcpy(buf + used, parts[i].data, parts[i].len);
        used += parts[i].len;
    }
    header.len = (uint32_t)(used - sizeof(header));
    memcpy(buf, &header, sizeof(header));
    *len_r = used;
    return 0;
}

/* An error of xenstored by its name. Names we do not know are errors all the same. */
static int decode_error(const char *name, size_t len)
{
    if (len == 0 || memchr(name, '\0', len) != name + len - 1)
        return -EPROTO;
    for (unsigned int i = 0; i < ARRAY_LEN(xsd_errors); i++)
        if (strcmp(name, xsd_errors[i].errstring) == 0)
            return -xsd_errors[i].errnum;
    return strcmp(name, "EQUOTA") == 0 ? -ENOSPC : -EIO; /* EQUOTA: oxenstored's word */
}

static int decode_tx(const char *payload, size_t len, size_t *len_r)
{
    uint32_t tx;

    if (len == 0 || memchr(payload, '\0', len) != payload + len - 1)
        return -EPROTO;
    if (xenstore_parse_u32(payload, UINT32_MAX, &tx) != 0 || tx == 0)
        return -EPROTO;
    *len_r = len - 1;
    return 0;
}

int xenstore_decode_answer(uint32_t asked, uint32_t type, const char *payload, size_t len,
                           size_t *len_r)
{
    if (type == XS_ERROR)
        return decode_error(payload, len);
    if (type != asked)
        return -EPROTO;
    if (type == XS_TRANSACTION_START)
        return decode_tx(payload, len, len_r);
    if (type == XS_DIRECTORY && len != 0 && payload[len - 1] != '\0')
        return -EPROTO;
    *len_r = len;
    return 0;
}

int xenstore_decode_event(const char *payload, size_t len, struct xenstore_event *event_r)
{
    const char *path_end = memchr(payload, '\0', len);

    if (!path_end || path_end == payload)
        return -EPROTO;
    if (!memchr(path_end + 1, '\0', len - (size_t)(path_end + 1 - payload)))
        return -EPROTO;
    event_r->path = payload;
    event_r->token = path_end + 1;
    return 0;
}

static const char hex[] = "0123456789abcdef";

void xenstore_token_make(char token[XENSTORE_TOKEN_SIZE], unsigned int slot, uint32_t generation)
{
    uint64_t bits = (uint64_t)(slot & 0xff) << 32 | generation;

    for (unsigned int i = 0; i < XENSTORE_TOKEN_SIZE - 1; i++)
        token[i] = hex[bits >> (4 * (XENSTORE_TOKEN_SIZE - 2 - i)) & 0xf];
    token[XENSTORE_TOKEN_SIZE - 1] = '\0';
}

int xenstore_token_parse(const char *token, unsigned int *slot_r, uint32_t *generation_r)
{
    uint64_t bits = 0;

    if (strnlen(token, XENSTORE_TOKEN_SIZE) != XENSTORE_TOKEN_SIZE - 1)
        return -EINVAL;
    for (; *token; token++) {
        const char *digit = strchr(hex, *token);

        if (!digit)
            return -EINVAL;
        bits = bits << 4 | (uint64_t)(digit - hex);
    }
    *slot_r = (unsigned int)(bits >> 32);
    *generation_r = (uint32_t)bits;
    return 0;
}

int xenstore_path(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int len = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    if (len >= 0 && (size_t)len < size)
        return 0;
    if (size)
        buf[0] = '\0';
    return -ENAMETOOLONG;
}

int xenstore_parse_u32(const char *value, uint32_t max, uint32_t *out)
{
    uint64_t number = 0;

    if (!*value)
        return -EINVAL;
    for (; *value; value++) {
        if (*value < '0' || *value > '9')
            return -EINVAL;
        number = number * 10 + (uint64_t)(*value - '0');
        if (number > max)
            return -EINVAL;
    }
    *out = (uint32_t)number;
    return 0;
}
