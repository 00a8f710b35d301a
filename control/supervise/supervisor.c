/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"
#include "supervise/look.h"
#include "util/log.h"

static struct supervised *find(const struct supervisor *supervisor, const char *name)
{
    for (unsigned int i = 0; i < supervisor->nr; i++)
        if (strcmp(supervisor->domains[i]->journal.name, name) == 0)
            return supervisor->domains[i];
    return NULL;
}

static void left_out_tell(const char *name, int err)
{
    char path[FILES_PATH_SIZE];

    journal_file(name, path);
    if (!err)
        log_line("%s: not looked after: there are too many", name);
    else if (err == -EINVAL || err == -EFBIG)
        log_line(
            "%s: not looked after: its journal %s is damaged: `ferry status %s` says what to do",
            name, path, name);
    else
        log_line("%s: not looked after: its journal %s cannot be read: %s", name, path,
                 strerror(-err));
}

static void left_out(struct supervisor *supervisor, const char *name, int err)
{
    unsigned int i = 0;

    if (err == -ENOENT)
        return;
    while (i < supervisor->nr_left_out && strcmp(supervisor->left_out[i].name, name) != 0)
        i++;
    if (i == SUPERVISED_MAX)
        return;
    if (i == supervisor->nr_left_out) {
        left_out_tell(name, err);
        snprintf(supervisor->left_out[i].name, sizeof(supervisor->left_out[i].name), "%s", name);
        supervisor->nr_left_out++;
    }
    supervisor->left_out[i].seen = true;
}

static void left_out_forget_unseen(struct supervisor *supervisor)
{
    unsigned int kept = 0;

    for (unsigned int i = 0; i < supervisor->nr_left_out; i++)
        if (supervisor->left_out[i].seen)
            supervisor->left_out[kept++] = supervisor->left_out[i];
    supervisor->nr_left_out = kept;
}

static void name_seen(void *ctx, const char *name)
{
    struct supervised *supervised = find(ctx, name);
    struct supervisor *supervisor = ctx;
    struct journal journal;
    int err;

    if (supervised) {
        supervised->seen = true;
        if (supervised->unread)
            left_out(supervisor, name, supervised->unread);
        return;
    }
    err = journal_load(name, &journal);
    supervised = err || supervisor->nr == SUPERVISED_MAX
                     ? NULL
                     : supervised_new(&supervisor->common, &journal);
    if (!supervised) {
        left_out(supervisor, name, err);
        return;
    }
    supervised->seen = true;
    supervisor->domains[supervisor->nr++] = supervised;
    log_line("%s: looked after from now on (%s, id %d)", name, journal_wish_word(journal.wish),
             (int)journal.domid);
}

void supervisor_refresh(struct supervisor *supervisor)
{
    int err;

    for (unsigned int i = 0; i < supervisor->nr; i++)
        supervisor->domains[i]->seen = supervised_is_busy(supervisor->domains[i]);
    for (unsigned int i = 0; i < supervisor->nr_left_out; i++)
        supervisor->left_out[i].seen = false;
    err = journal_each(name_seen, supervisor);
    if (err && err != supervisor->each_err)
        log_line(
            "%s: %s: which driver domains there are cannot be told: those that are looked after "
            "stay so, others are not seen",
            files_state_dir(), strerror(-err));
    supervisor->each_err = err;
    if (err)
        return;
    left_out_forget_unseen(supervisor);
    for (unsigned int i = 0; i < supervisor->nr;) {
        struct supervised *supervised = supervisor->domains[i];

        if (supervised->seen) {
            i++;
            continue;
        }
        log_line("%s: not looked after any more", supervised->journal.name);
        supervised_free(supervised);
        supervisor->domains[i] = supervisor->domains[--supervisor->nr];
    }
}

void supervisor_look(struct supervisor *supervisor)
{
    for (unsigned int i = 0; i < supervisor->nr; i++)
        supervised_look(supervisor->domains[i]);
}

bool supervisor_is_busy(const struct supervisor *supervisor)
{
    for (unsigned int i = 0; i < supervisor->nr; i++)
        if (supervisor->domains[i]->reloading)
            return true;
    return false;
}

void supervisor_end(struct supervisor *supervisor)
{
    for (unsigned int i = 0; i < supervisor->nr; i++) {
        supervised_finish(supervisor->domains[i]);
        supervised_free(supervisor->domains[i]);
    }
    supervisor->nr = 0;
}
