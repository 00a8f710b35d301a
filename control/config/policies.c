/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/policies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/policystore.h"
#include "util/faultpoint.h"
#include "util/files.h"
#include "util/log.h"
#include "xen/domain.h"

void policies_path(const char *name, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%s/%s.policy", files_config_dir(), name);
}

static void wrong_log(const char *path, const struct policyfile_error *error)
{
    if (error->line)
        log_line("%s:%u: %s", path, error->line, error->text);
    else
        log_line("%s: %s", path, error->text);
}

int policies_load(const char *path, struct policyfile *file_r)
{
    struct policyfile_error error;
    size_t len;
    char *text;
    int err = files_read(path, POLICYFILE_SIZE_MAX, &text, &len);

    memset(file_r, 0, sizeof(*file_r));
    if (err) {
        if (err != -ENOENT)
            log_line("%s: %s", path, strerror(-err));
        return err;
    }
    if (strlen(text) != len) {
        log_line("%s: is not a text", path);
        err = -EINVAL;
    } else {
        err = policyfile_parse(text, file_r, &error);
        if (err == -EINVAL)
            wrong_log(path, &error);
        else if (err)
            log_line("%s: %s", path, strerror(-err));
    }
    free(text);
    return err;
}

int policies_load_kept(const struct journal *journal, struct policyfile *file_r)
{
    char path[FILES_PATH_SIZE];
    int err;

    journal_path(journal->name, ".policy", path);
    err = policies_load(path, file_r);
    if (err != -ENOENT || !journal->has_policy)
        return err;
    log_line("%s: %s is lost, which says what its vifs may do; `ferry policy %s` writes it anew",
             journal->name, path, journal->name);
    return -ENODATA;
}

static int kept_write(const char *path, const struct policyfile *file)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int err = 0;

    if (!out)
        return -ENOMEM;
    policyfile_print(file, out);
    if (fclose(out))
        err = -ENOMEM;
    if (!err)
        err = files_dir_make(files_state_dir());
    if (!err)
        err = files_write(path, text, len);
    free(text);
    return err;
}

int policies_keep(struct journal *journal, const struct policyfile *file)
{
    char path[FILES_PATH_SIZE];
    int err = 0;

    journal_path(journal->name, ".policy", path);
    if (file)
        err = kept_write(path, file);
    else if (unlink(path) && errno != ENOENT)
        err = -errno;
    if (err)
        log_line("%s: %s%s", path, strerror(-err), files_todo(err));
    else
        journal->has_policy = file;
    return err;
}

int policies_put(struct host *host, const struct journal *journal, const struct policyfile *file)
{
    int err = policystore_put(host->xs, journal->domid, file);

    if (err)
        log_line("%s: its policy cannot be written to xenstore: %s", journal->name, strerror(-err));
    return err;
}

static int journal_noted(const struct journal *journal)
{
    int err = journal_save(journal);

    if (err)
        log_line("%s/%s.json: %s%s", files_state_dir(), journal->name, strerror(-err),
                 files_todo(err));
    return err;
}

/* The file is the new one already: what it was before must be what a successor gets. */
static void back(struct journal *journal, const struct policyfile *before)
{
    if (policies_keep(journal, before))
        log_line("%s: the new policy is not in force, but is what its next start would get: "
                 "`ferry policy %s` again, once that can be written",
                 journal->name, journal->name);
    journal_noted(journal);
}

int policies_apply(struct host *host, struct journal *journal, const struct policyfile *file,
                   bool *is_there_r)
{
    struct policyfile before;
    int had = policies_load_kept(journal, &before);
    bool live = domain_is_there(host, journal), kept = false;
    int err = policies_keep(journal, file);

    /* First for recoveries: whatever ends us now, what comes next is what was asked for. */
    if (!err) {
        kept = true;
        faultpoint("policy kept");
        err = journal_noted(journal);
        faultpoint("policy noted");
    }
    if (!err && live)
        err = policies_put(host, journal, file);
    faultpoint("policy put");
    if (!err)
        *is_there_r = live;
    else if (kept && (had == 0 || had == -ENOENT))
        back(journal, had == 0 ? &before : NULL);
    policyfile_dispose(&before);
    return err;
}

void policies_words(const struct policyfile *file, char words[POLICIES_WORDS_SIZE])
{
    bool has_default;
    unsigned int nr = policyfile_vifs(file, &has_default);

    if (!nr && !has_default)
        snprintf(words, POLICIES_WORDS_SIZE, "none");
    else if (!nr)
        snprintf(words, POLICIES_WORDS_SIZE, "the default alone");
    else
        snprintf(words, POLICIES_WORDS_SIZE, "%u vif%s%s", nr, nr == 1 ? "" : "s",
                 has_default ? " and the default" : ", no default");
}
