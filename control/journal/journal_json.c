/* SPDX-License-Identifier: BSD-2-Clause */
/* A journal as JSON. What is read is checked field by field: the file may have been edited. */
#include "journal/journal_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "util/files.h"

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

static void steps_put(struct json *json, const struct journal_death *death)
{
    json_array_open(json, "steps");
    for (unsigned int i = 0; i < death->nr_steps; i++) {
        json_map_open(json, NULL);
        json_string(json, "step", death->steps[i].name);
        json_integer(json, "us", death->steps[i].us);
        json_map_close(json);
    }
    json_array_close(json);
}

void journal_death_put(struct json *json, const struct journal_death *death)
{
    json_map_open(json, NULL);
    json_integer(json, "at_ms", death->at_ms);
    json_integer(json, "ticks_ms", death->ticks_ms);
    json_integer(json, "back_ms", death->back_ms);
    json_integer(json, "back_us", death->back_us);
    json_integer(json, "depth", death->depth);
    json_bool(json, "reset_nic", death->reset_nic);
    json_string(json, "cause", death->cause);
    json_string(json, "way", death->way);
    json_string(json, "nic", death->nic);
    json_string(json, "reason", death->reason);
    json_string(json, "last_port", death->last_port);
    steps_put(json, death);
    json_map_close(json);
}

static void deaths_put(struct json *json, const struct journal *journal)
{
    json_array_open(json, "deaths");
    for (unsigned int i = 0; i < journal->nr_deaths; i++)
        journal_death_put(json, &journal->deaths[i]);
    json_array_close(json);
}

char *journal_encode(const struct journal *journal)
{
    struct json json;

    json_begin(&json);
    json_map_open(&json, NULL);
    json_string(&json, "name", journal->name);
    json_string(&json, "uuid", journal->uuid);
    json_string(&json, "boot", journal->boot);
    json_integer(&json, "domid", journal->domid == JOURNAL_NO_DOMID ? -1 : (int64_t)journal->domid);
    json_string(&json, "wish", journal_wish_word(journal->wish));
    json_bool(&json, "unisolated", journal->unisolated);
    json_bool(&json, "recovering", journal->recovering);
    json_bool(&json, "adopted", journal->adopted);
    json_bool(&json, "linux", journal->is_linux);
    json_bool(&json, "has_policy", journal->has_policy);
    json_integer(&json, "tries", journal->tries);
    json_integer(&json, "self_restarts", journal->self_restarts);
    json_string(&json, "kernel", journal->kernel);
    json_string(&json, "ramdisk", journal->ramdisk);
    json_integer(&json, "nr_deaths_ever", (int64_t)journal->nr_deaths_ever);
    nics_put(&json, journal);
    deaths_put(&json, journal);
    json_map_close(&json);
    return json_end(&json);
}

static int nics_get(yajl_val root, struct journal *journal)
{
    yajl_val list = json_get(root, "nics");

    if (!YAJL_IS_ARRAY(list) || list->u.array.len > JOURNAL_NICS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < list->u.array.len; i++) {
        yajl_val map = list->u.array.values[i];
        char bdf[BDF_SIZE];

        if (json_string_get(map, "bdf", bdf, sizeof(bdf)) ||
            bdf_parse(bdf, &journal->nics[i].bdf) ||
            json_bool_get(map, "taken", &journal->nics[i].taken))
            return -EINVAL;
    }
    journal->nr_nics = (unsigned int)list->u.array.len;
    return 0;
}

static int steps_get(yajl_val map, struct journal_death *death)
{
    yajl_val list = json_get(map, "steps");

    if (!YAJL_IS_ARRAY(list) || list->u.array.len > JOURNAL_STEPS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < list->u.array.len; i++) {
        struct journal_step *step = &death->steps[i];

        if (json_string_get(list->u.array.values[i], "step", step->name, sizeof(step->name)) ||
            json_integer_get(list->u.array.values[i], "us", INT64_MIN, &step->us))
            return -EINVAL;
    }
    death->nr_steps = (unsigned int)list->u.array.len;
    return 0;
}

/* What journals of the first version do not have. */
static int death_more_get(yajl_val map, struct journal_death *death)
{
    int64_t depth;

    if (!json_get(map, "depth"))
        return 0;
    if (json_integer_get(map, "depth", 0, &depth) || depth > 3 ||
        json_integer_get(map, "back_us", -1, &death->back_us) ||
        json_bool_get(map, "reset_nic", &death->reset_nic) ||
        json_string_get(map, "nic", death->nic, sizeof(death->nic)) ||
        json_string_get(map, "reason", death->reason, sizeof(death->reason)) ||
        json_string_get(map, "last_port", death->last_port, sizeof(death->last_port)))
        return -EINVAL;
    death->depth = (unsigned int)depth;
    return steps_get(map, death);
}

static int deaths_get(yajl_val root, struct journal *journal)
{
    yajl_val list = json_get(root, "deaths");

    if (!YAJL_IS_ARRAY(list) || list->u.array.len > JOURNAL_DEATHS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < list->u.array.len; i++) {
        struct journal_death *death = &journal->deaths[i];
        yajl_val map = list->u.array.values[i];

        death->ticks_ms = -1;
        if (json_integer_get(map, "at_ms", 0, &death->at_ms) ||
            (json_get(map, "ticks_ms") &&
             json_integer_get(map, "ticks_ms", -1, &death->ticks_ms)) ||
            json_integer_get(map, "back_ms", -1, &death->back_ms) ||
            json_string_get(map, "cause", death->cause, sizeof(death->cause)) ||
            json_string_get(map, "way", death->way, sizeof(death->way)) ||
            death_more_get(map, death))
            return -EINVAL;
    }
    journal->nr_deaths = (unsigned int)list->u.array.len;
    return 0;
}

static int more_get(yajl_val root, struct journal *journal)
{
    int64_t tries, restarts;

    if (json_get(root, "has_policy") && json_bool_get(root, "has_policy", &journal->has_policy))
        return -EINVAL;
    if (json_get(root, "linux") && json_bool_get(root, "linux", &journal->is_linux))
        return -EINVAL;
    if (json_get(root, "ramdisk") &&
        json_string_get(root, "ramdisk", journal->ramdisk, sizeof(journal->ramdisk)))
        return -EINVAL;
    if (json_get(root, "boot") &&
        json_string_get(root, "boot", journal->boot, sizeof(journal->boot)))
        return -EINVAL;
    if (!json_get(root, "kernel"))
        return 0;
    if (json_bool_get(root, "adopted", &journal->adopted) ||
        json_integer_get(root, "tries", 0, &tries) || tries > UINT16_MAX ||
        json_integer_get(root, "self_restarts", 0, &restarts) || restarts > UINT32_MAX ||
        json_string_get(root, "kernel", journal->kernel, sizeof(journal->kernel)))
        return -EINVAL;
    journal->tries = (unsigned int)tries;
    journal->self_restarts = (uint32_t)restarts;
    return 0;
}

static int wish_get(yajl_val root, struct journal *journal)
{
    char word[JOURNAL_WORD_SIZE];

    if (json_string_get(root, "wish", word, sizeof(word)))
        return -EINVAL;
    for (enum journal_wish wish = JOURNAL_RUN; wish <= JOURNAL_GIVEN_UP; wish++) {
        if (strcmp(word, journal_wish_word(wish)) == 0) {
            journal->wish = wish;
            return 0;
        }
    }
    return -EINVAL;
}

static int all_get(yajl_val root, struct journal *journal)
{
    int64_t domid, ever;

    if (json_string_get(root, "name", journal->name, sizeof(journal->name)) ||
        !files_name_ok(journal->name) ||
        json_string_get(root, "uuid", journal->uuid, sizeof(journal->uuid)) ||
        json_integer_get(root, "domid", -1, &domid) || domid > 0x7fef || domid == 0 ||
        wish_get(root, journal) || json_bool_get(root, "unisolated", &journal->unisolated) ||
        json_bool_get(root, "recovering", &journal->recovering) ||
        json_integer_get(root, "nr_deaths_ever", 0, &ever) || nics_get(root, journal) ||
        deaths_get(root, journal) || more_get(root, journal))
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
