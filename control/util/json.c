/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without memory there is no generator (json_begin()), nothing is put, and json_end() says so. */
static void text_put(struct json *json, const char *text)
{
    if (json->gen)
        yajl_gen_string(json->gen, (const unsigned char *)text, strlen(text));
}

static void name_put(struct json *json, const char *name)
{
    if (name)
        text_put(json, name);
}

void json_begin(struct json *json)
{
    json->gen = yajl_gen_alloc(NULL);
    if (json->gen)
        yajl_gen_config(json->gen, yajl_gen_beautify, 1);
}

char *json_end(struct json *json)
{
    const unsigned char *text;
    char *copy = NULL;
    size_t len;

    if (!json->gen)
        return NULL;
    if (yajl_gen_get_buf(json->gen, &text, &len) == yajl_gen_status_ok)
        copy = strndup((const char *)text, len);
    yajl_gen_free(json->gen);
    return copy;
}

void json_map_open(struct json *json, const char *name)
{
    name_put(json, name);
    if (json->gen)
        yajl_gen_map_open(json->gen);
}

void json_map_close(struct json *json)
{
    if (json->gen)
        yajl_gen_map_close(json->gen);
}

void json_array_open(struct json *json, const char *name)
{
    name_put(json, name);
    if (json->gen)
        yajl_gen_array_open(json->gen);
}

void json_array_close(struct json *json)
{
    if (json->gen)
        yajl_gen_array_close(json->gen);
}

void json_string(struct json *json, const char *name, const char *value)
{
    name_put(json, name);
    text_put(json, value);
}

void json_integer(struct json *json, const char *name, int64_t value)
{
    name_put(json, name);
    if (json->gen)
        yajl_gen_integer(json->gen, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
    name_put(json, name);
    if (json->gen)
        yajl_gen_bool(json->gen, value);
}

void json_print(struct json *json)
{
    char *text = json_end(json);

    fputs(text ? text : "", stdout);
    free(text);
}

yajl_val json_get(yajl_val map, const char *name)
{
    const char *path[] = { name, NULL };

    return yajl_tree_get(map, path, yajl_t_any);
}

int json_string_get(yajl_val map, const char *name, char *out, size_t size)
{
    const char *text = YAJL_GET_STRING(json_get(map, name));

    if (!text || strlen(text) >= size)
        return -EINVAL;
    strcpy(out, text);
    return 0;
}

int json_integer_get(yajl_val map, const char *name, int64_t min, int64_t *out)
{
    yajl_val value = json_get(map, name);

    if (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < min)
        return -EINVAL;
    *out = YAJL_GET_INTEGER(value);
    return 0;
}

int json_bool_get(yajl_val map, const char *name, bool *out)
{
    yajl_val value = json_get(map, name);

    if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value))
        return -EINVAL;
    *out = YAJL_IS_TRUE(value);
    return 0;
}
