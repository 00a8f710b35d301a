/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/policystore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "xen/store.h"

#include <ferry/number.h>

#define GENERATION "policy-generation"
#define DIR_SIZE 64
#define GENERATION_MAX 0x7fffffffu

struct wanted {
    uint32_t domid;
    const struct policyfile *put;
    struct policyfile *got;
    char dir[DIR_SIZE]; /* .../ferry */
    char policies[DIR_SIZE]; /* .../ferry/policy */
};

static void wanted_init(struct wanted *wanted, uint32_t domid)
{
    wanted->domid = domid;
    wanted->put = NULL;
    wanted->got = NULL;
    snprintf(wanted->dir, sizeof(wanted->dir), "/local/domain/%u/ferry", domid);
    snprintf(wanted->policies, sizeof(wanted->policies), "/local/domain/%u/ferry/policy", domid);
}

static bool is_kept_from_others(struct xs_handle *xs, xs_transaction_t t, uint32_t domid,
                                const char *path)
{
    struct xs_permissions rights[2] = { { .id = 0, .perms = XS_PERM_NONE },
                                        { .id = domid, .perms = XS_PERM_READ } };

    return xs_set_permissions(xs, t, path, rights, 2);
}

static bool dir_make(struct xs_handle *xs, xs_transaction_t t, uint32_t domid, const char *path)
{
    return xs_mkdir(xs, t, path) && is_kept_from_others(xs, t, domid, path);
}

static bool node_write(struct xs_handle *xs, xs_transaction_t t, uint32_t domid, const char *dir,
                       const char *name, const char *value)
{
    char path[STORE_PATH_SIZE];

    return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int)sizeof(path) &&
           store_put(xs, t, dir, name, value) && is_kept_from_others(xs, t, domid, path);
}

/* One more than it was; whatever makes no sense counts as 0. */
static bool generation_write(struct xs_handle *xs, xs_transaction_t t, const struct wanted *wanted)
{
    char path[STORE_PATH_SIZE], word[16], *text;
    uint32_t generation = 0;

    snprintf(path, sizeof(path), "%s/" GENERATION, wanted->dir);
    if (store_text(xs, t, path, &text) == 0) {
        if (number_parse(text, GENERATION_MAX - 1, &generation))
            generation = 0;
        free(text);
    }
    snprintf(word, sizeof(word), "%u", generation + 1);
    return node_write(xs, t, wanted->domid, wanted->dir, GENERATION, word);
}

static int all_put(struct xs_handle *xs, xs_transaction_t t, void *ctx)
{
    const struct wanted *wanted = ctx;
    char home[STORE_PATH_SIZE], *text;
    int err;

    /* Else one would be made, and stay. */
    snprintf(home, sizeof(home), "/local/domain/%u", wanted->domid);
    err = store_text(xs, t, home, &text);
    if (err)
        return err;
    free(text);
    if (!dir_make(xs, t, wanted->domid, wanted->dir) ||
        (!xs_rm(xs, t, wanted->policies) && errno != ENOENT) ||
        !dir_make(xs, t, wanted->domid, wanted->policies))
        return -EIO;
    for (unsigned int i = 0; i < wanted->put->nr; i++)
        if (!node_write(xs, t, wanted->domid, wanted->policies, wanted->put->sections[i].name,
                        wanted->put->sections[i].text))
            return -EIO;
    return generation_write(xs, t, wanted) ? 0 : -EIO;
}

int policystore_put(struct xs_handle *xs, uint32_t domid, const struct policyfile *file)
{
    struct wanted wanted;

    wanted_init(&wanted, domid);
    wanted.put = file;
    return store_transact(xs, all_put, &wanted);
}

static int one_get(struct xs_handle *xs, xs_transaction_t t, const struct wanted *wanted,
                   const char *name)
{
    char path[STORE_PATH_SIZE], *text;
    int err;

    if (!policyfile_name_ok(name))
        return 0; /* nobody goes by it */
    snprintf(path, sizeof(path), "%s/%s", wanted->policies, name);
    err = store_text(xs, t, path, &text);
    if (err)
        return err;
    err = policyfile_add(wanted->got, name, text, 0);
    free(text);
    return err;
}

static int all_get(struct xs_handle *xs, xs_transaction_t t, void *ctx)
{
    const struct wanted *wanted = ctx;
    unsigned int nr = 0;
    char **names;
    int err = 0;

    policyfile_dispose(wanted->got); /* of a try before this one */
    names = xs_directory(xs, t, wanted->policies, &nr);
    if (!names)
        return errno == ENOENT ? 0 : -EIO;
    for (unsigned int i = 0; !err && i < nr; i++)
        err = one_get(xs, t, wanted, names[i]);
    free(names);
    return err;
}

int policystore_get(struct xs_handle *xs, uint32_t domid, struct policyfile *file_r)
{
    struct policyfile file = { 0 };
    struct wanted wanted;
    int err;

    wanted_init(&wanted, domid);
    wanted.got = &file;
    err = store_transact(xs, all_get, &wanted);
    if (err) {
        policyfile_dispose(&file);
        return err;
    }
    policyfile_sort(&file);
    *file_r = file;
    return 0;
}
