/* SPDX-License-Identifier: BSD-2-Clause */
#include "wards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

static struct ward *find(const struct wards *wards, const char *name)
{
    for (unsigned int i = 0; i < wards->nr; i++)
        if (strcmp(wards->wards[i]->journal.name, name) == 0)
            return wards->wards[i];
    return NULL;
}

static void left_out(struct wards *wards, const char *name, int err)
{
    if (err != -ENOENT && strcmp(wards->left_out, name) != 0)
        say("%s: not looked after: %s", name,
            err ? "its journal makes no sense" : "there are too many");
    snprintf(wards->left_out, sizeof(wards->left_out), "%s", name);
}

static void name_seen(void *ctx, const char *name)
{
    struct ward *ward = find(ctx, name);
    struct wards *wards = ctx;
    struct journal journal;
    int err;

    if (ward) {
        ward->seen = true;
        return;
    }
    err = journal_load(name, &journal);
    ward = err || wards->nr == WARDS_MAX ? NULL : ward_new(&wards->keeper, &journal);
    if (!ward) {
        left_out(wards, name, err);
        return;
    }
    ward->seen = true;
    wards->wards[wards->nr++] = ward;
    say("%s: looked after from now on (%s, id %d)", name, journal_wish_word(journal.wish),
        (int)journal.domid);
}

void wards_refresh(struct wards *wards)
{
    for (unsigned int i = 0; i < wards->nr; i++)
        wards->wards[i]->seen = ward_is_busy(wards->wards[i]);
    journal_each(name_seen, wards);
    for (unsigned int i = 0; i < wards->nr;) {
        struct ward *ward = wards->wards[i];

        if (ward->seen) {
            i++;
            continue;
        }
        say("%s: not looked after any more", ward->journal.name);
        ward_free(ward);
        wards->wards[i] = wards->wards[--wards->nr];
    }
}

void wards_look(struct wards *wards)
{
    for (unsigned int i = 0; i < wards->nr; i++)
        ward_look(wards->wards[i]);
}

bool wards_are_busy(const struct wards *wards)
{
    for (unsigned int i = 0; i < wards->nr; i++)
        if (wards->wards[i]->reloading)
            return true;
    return false;
}

void wards_end(struct wards *wards)
{
    for (unsigned int i = 0; i < wards->nr; i++) {
        ward_finish(wards->wards[i]);
        ward_free(wards->wards[i]);
    }
    wards->nr = 0;
}
