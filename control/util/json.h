/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON text, by yajl, which libxl itself brings. Names are NULL inside of arrays. */
#ifndef CONTROL_JSON_H
#define CONTROL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <yajl/yajl_gen.h>

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

#endif
