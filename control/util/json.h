/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON text, by yajl, which libxl itself brings: written, and read field by field. Names are NULL inside of arrays. */
#ifndef CONTROL_JSON_H
#define CONTROL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

struct json {
    yajl_gen gen;
};

void json_begin(struct json *json);
/* The text with a newline at its end, to be freed; NULL without memory. */
char *json_end(struct json *json);
/* The same, onto standard output. */
void json_print(struct json *json);

void json_map_open(struct json *json, const char *name);
void json_map_close(struct json *json);
void json_array_open(struct json *json, const char *name);
void json_array_close(struct json *json);
void json_string(struct json *json, const char *name, const char *value);
void json_integer(struct json *json, const char *name, int64_t value);
void json_bool(struct json *json, const char *name, bool value);

/* A field of a map that yajl_tree_parse() made; NULL if there is none. It stays the tree's. */
yajl_val json_get(yajl_val map, const char *name);
/* Fields that must be there, and of that type. They return 0, or -EINVAL with nothing written: also for a text that does not
 * fit into size with its NUL, and a number below min. */
int json_string_get(yajl_val map, const char *name, char *out, size_t size);
int json_integer_get(yajl_val map, const char *name, int64_t min, int64_t *out);
int json_bool_get(yajl_val map, const char *name, bool *out);

#endif
