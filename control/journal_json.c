/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal as JSON. What is read is checked field by field: the file may have been edited. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "journal.h"
#include "json.h"

static const char *const wishes[] = { "run", "stop", "given up" };

const char *journal_wish_word(enum journal_wish wish)
{
    return wishes[wish];
}

static void nics_put(struct json *json, const struct journal *journal)
{
    json_array_open(json, "nics");
    for (unsigned int i = 0; i < journal->nr_nics; i++) {
        char bdf[BDF_SIZE];

        bdf_format(&journal->nics[i].bdf, bdf);
        json_map_open(json, NULL);
        json_string(json, "bdf", bdf);
        json_bool(json, "taken", journal->nics[i].taken);
        json_map_close(json);
    }
    json_array_close(json);
}

static void deaths_put(struct json *json, const struct journal *journal)
{
    json_array_open(json, "deaths");
    for (unsigned int i = 0; i < journal->nr_deaths; i++) {
        const struct journal_death *death = &journal->deaths[i];

        json_map_open(json, NULL);
        json_integer(json, "at_ms", death->at_ms);
        json_integer(json, "back_ms", death->back_ms);
        json_string(json, "cause", death->cause);
        json_string(json, "way", death->way);
        json_map_close(json);
    }
    json_array_close(json);
}

char *journal_encode(const struct journal *journal)
{
    struct json json;

    json_begin(&json);
    json_map_open(&json, NULL);
    json_string(&json, "name", journal->name);
    json_string(&json, "uuid", journal->uuid);
    json_integer(&json, "domid", journal->domid == JOURNAL_NO_DOMID ? -1 : (int64_t)journal->domid);
    json_string(&json, "wish", wishes[journal->wish]);
    json_bool(&json, "unisolated", journal->unisolated);
    json_bool(&json, "recovering", journal->recovering);
    json_integer(&json, "nr_deaths_ever", (int64_t)journal->nr_deaths_ever);
    nics_put(&json, journal);
    deaths_put(&json, journal);
    json_map_close(&json);
    return json_end(&json);
}

static yajl_val get(yajl_val map, const char *name)
{
    const char *path[] = { name, NULL };

    return yajl_tree_get(map, path, yajl_t_any);
}

static int string_get(yajl_val map, const char *name, char *out, size_t size)
{
    const char *text = YAJL_GET_STRING(get(map, name));

    if (!text || strlen(text) >= size)
        return -EINVAL;
    strcpy(out, text);
    return 0;
}

static int integer_get(yajl_val map, const char *name, int64_t min, int64_t *out)
{
    yajl_val value = get(map, name);

    if (!YAJL_IS_INTEGER(value) || YAJL_GET_INTEGER(value) < min)
        return -EINVAL;
    *out = YAJL_GET_INTEGER(value);
    return 0;
}

static int bool_get(yajl_val map, const char *name, bool *out)
{
    yajl_val value = get(map, name);

    if (!YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value))
        return -EINVAL;
    *out = YAJL_IS_TRUE(value);
    return 0;
}

static int nics_get(yajl_val root, struct journal *journal)
{
    yajl_val list = get(root, "nics");

    if (!YAJL_IS_ARRAY(list) || list->u.array.len > JOURNAL_NICS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < list->u.array.len; i++) {
        yajl_val map = list->u.array.values[i];
        char bdf[BDF_SIZE];

        if (string_get(map, "bdf", bdf, sizeof(bdf)) || bdf_parse(bdf, &journal->nics[i].bdf) ||
            bool_get(map, "taken", &journal->nics[i].taken))
            return -EINVAL;
    }
    journal->nr_nics = (unsigned int)list->u.array.len;
    return 0;
}

static int deaths_get(yajl_val root, struct journal *journal)
{
    yajl_val list = get(root, "deaths");

    if (!YAJL_IS_ARRAY(list) || list->u.array.len > JOURNAL_DEATHS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < list->u.array.len; i++) {
        struct journal_death *death = &journal->deaths[i];
        yajl_val map = list->u.array.values[i];

        if (integer_get(map, "at_ms", 0, &death->at_ms) ||
            integer_get(map, "back_ms", -1, &death->back_ms) ||
            string_get(map, "cause", death->cause, sizeof(death->cause)) ||
            string_get(map, "way", death->way, sizeof(death->way)))
            return -EINVAL;
    }
    journal->nr_deaths = (unsigned int)list->u.array.len;
    return 0;
}

static int wish_get(yajl_val root, struct journal *journal)
{
    char word[JOURNAL_WORD_SIZE];

    if (string_get(root, "wish", word, sizeof(word)))
        return -EINVAL;
    for (unsigned int i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        if (strcmp(word, wishes[i]) == 0) {
            journal->wish = (enum journal_wish)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int all_get(yajl_val root, struct journal *journal)
{
    int64_t domid, ever;

    if (string_get(root, "name", journal->name, sizeof(journal->name)) ||
        !files_name_ok(journal->name) ||
        string_get(root, "uuid", journal->uuid, sizeof(journal->uuid)) ||
        integer_get(root, "domid", -1, &domid) || domid > 0x7fef || domid == 0 ||
        wish_get(root, journal) || bool_get(root, "unisolated", &journal->unisolated) ||
        bool_get(root, "recovering", &journal->recovering) ||
        integer_get(root, "nr_deaths_ever", 0, &ever) || nics_get(root, journal) ||
        deaths_get(root, journal))
        return -EINVAL;
    journal->domid = domid < 0 ? JOURNAL_NO_DOMID : (uint32_t)domid;
    journal->nr_deaths_ever = (uint64_t)ever;
    return 0;
}

int journal_decode(const char *text, struct journal *journal_r)
{
    struct journal journal = { 0 };
    yajl_val root = yajl_tree_parse(text, NULL, 0);
    int err;

    if (!root)
        return -EINVAL;
    err = all_get(root, &journal);
    yajl_tree_free(root);
    if (!err)
        *journal_r = journal;
    return err;
}
