/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_xs.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 2048
#define PAYLOAD_MAX 4096 /* XENSTORE_PAYLOAD_MAX: path, NUL and value */
#define PATH_SIZE 256
#define RIGHTS_MAX 4

struct node {
    char *path, *value;
    unsigned int len, nr_rights;
    struct xs_permissions rights[RIGHTS_MAX];
};

struct tree {
    unsigned int nr;
    struct node nodes[NODES_MAX];
};

struct xs_handle {
    struct tree tree, before; /* before: as it was when the transaction began */
    xs_transaction_t open; /* XBT_NULL: none */
    unsigned int refused;
    int allowed;
    const char *unreadable;
    int unreadable_err;
    void (*after_read)(const char *path);
    char last[PATH_SIZE];
};

static void tree_clear(struct tree *tree)
{
    for (unsigned int i = 0; i < tree->nr; i++) {
        free(tree->nodes[i].path);
        free(tree->nodes[i].value);
    }
    tree->nr = 0;
}

static void *copy_of(const void *data, size_t len)
{
    char *copy = malloc(len + 1);

    assert(copy);
    memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

static void tree_copy(struct tree *to, const struct tree *from)
{
    tree_clear(to);
    for (unsigned int i = 0; i < from->nr; i++) {
        to->nodes[i] = from->nodes[i];
        to->nodes[i].path = copy_of(from->nodes[i].path, strlen(from->nodes[i].path));
        to->nodes[i].value = copy_of(from->nodes[i].value, from->nodes[i].len);
    }
    to->nr = from->nr;
}

static struct node *find(struct xs_handle *xs, const char *path)
{
    for (unsigned int i = 0; i < xs->tree.nr; i++)
        if (strcmp(xs->tree.nodes[i].path, path) == 0)
            return &xs->tree.nodes[i];
    return NULL;
}

/* A new node has its parent's rights. */
static struct node *make(struct xs_handle *xs, const char *path)
{
    struct node *node = find(xs, path), *parent;
    const char *slash = strrchr(path, '/');
    char above[PATH_SIZE];

    if (node)
        return node;
    assert(slash && xs->tree.nr < NODES_MAX && strlen(path) < PATH_SIZE);
    snprintf(above, sizeof(above), "%.*s", (int)(slash - path), path);
    parent = slash > path ? make(xs, above) : NULL;
    node = &xs->tree.nodes[xs->tree.nr++];
    memset(node, 0, sizeof(*node));
    node->nr_rights = 1; /* dom0's alone */
    if (parent) {
        node->nr_rights = parent->nr_rights;
        memcpy(node->rights, parent->rights, sizeof(node->rights));
    }
    node->path = copy_of(path, strlen(path));
    node->value = copy_of("", 0);
    return node;
}

static void set(struct xs_handle *xs, const char *path, const void *data, unsigned int len)
{
    struct node *node = make(xs, path);

    free(node->value);
    node->value = copy_of(data, len);
    node->len = len;
}

static bool may_change(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
    assert(t == xs->open);
    errno = EIO;
    if (xs->allowed == 0)
        return false;
    if (xs->allowed > 0)
        xs->allowed--;
    snprintf(xs->last, sizeof(xs->last), "%s", path);
    return true;
}

struct xs_handle *fake_xs_open(void)
{
    struct xs_handle *xs = calloc(1, sizeof(*xs));

    assert(xs);
    xs->allowed = -1;
    return xs;
}

void fake_xs_close(struct xs_handle *xs)
{
    assert(xs->open == XBT_NULL);
    tree_clear(&xs->tree);
    tree_clear(&xs->before);
    free(xs);
}

void fake_xs_put(struct xs_handle *xs, const char *path, const char *value)
{
    set(xs, path, value, (unsigned int)strlen(value));
}

const char *fake_xs_get(struct xs_handle *xs, const char *path)
{
    const struct node *node = find(xs, path);

    return node ? node->value : NULL;
}

static char right_letter(unsigned int right)
{
    return right == XS_PERM_NONE    ? 'n'
           : right == XS_PERM_READ  ? 'r'
           : right == XS_PERM_WRITE ? 'w'
                                    : 'b';
}

const char *fake_xs_rights(struct xs_handle *xs, const char *path)
{
    static char text[64];
    const struct node *node = find(xs, path);
    int len = 0;

    text[0] = '\0';
    for (unsigned int i = 0; node && i < node->nr_rights; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%c%u", i ? "," : "",
                        right_letter(node->rights[i].perms), node->rights[i].id);
    return text;
}

void fake_xs_refuse_commits(struct xs_handle *xs, unsigned int nr)
{
    xs->refused = nr;
}

void fake_xs_allow_changes(struct xs_handle *xs, int nr)
{
    xs->allowed = nr;
}

void fake_xs_after_reads(struct xs_handle *xs, void (*fn)(const char *path))
{
    xs->after_read = fn;
}

void fake_xs_fail_reads(struct xs_handle *xs, const char *path, int err)
{
    xs->unreadable_err = err;
    xs->unreadable = path;
}

const char *fake_xs_last_change(struct xs_handle *xs)
{
    return xs->last;
}

void *xs_read(struct xs_handle *xs, xs_transaction_t t, const char *path, unsigned int *len)
{
    const struct node *node = find(xs, path);
    void *value;

    assert(t == xs->open);
    errno = xs->unreadable_err;
    if (xs->unreadable && strcmp(path, xs->unreadable) == 0)
        return NULL;
    errno = ENOENT;
    if (!node)
        return NULL;
    *len = node->len;
    value = copy_of(node->value, node->len);
    if (xs->after_read)
        xs->after_read(path);
    return value;
}

bool xs_write(struct xs_handle *xs, xs_transaction_t t, const char *path, const void *data,
              unsigned int len)
{
    if (!may_change(xs, t, path))
        return false;
    errno = E2BIG;
    if (strlen(path) + 1 + len > PAYLOAD_MAX)
        return false;
    set(xs, path, data, len);
    return true;
}

bool xs_mkdir(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
    return may_change(xs, t, path) && make(xs, path);
}

static bool is_in(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static bool parent_is_there(struct xs_handle *xs, const char *path)
{
    char above[PATH_SIZE];

    snprintf(above, sizeof(above), "%.*s", (int)(strrchr(path, '/') - path), path);
    errno = ENOENT;
    return find(xs, above);
}

/* What is not there is removed, too, if its parent is there: so has it xenstored. */
bool xs_rm(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
    unsigned int nr = 0;

    if (!may_change(xs, t, path))
        return false;
    for (unsigned int i = 0; i < xs->tree.nr; i++) {
        struct node *node = &xs->tree.nodes[i];

        if (!is_in(node->path, path)) {
            xs->tree.nodes[nr++] = *node;
            continue;
        }
        free(node->path);
        free(node->value);
    }
    if (nr == xs->tree.nr)
        return parent_is_there(xs, path);
    xs->tree.nr = nr;
    return true;
}

bool xs_set_permissions(struct xs_handle *xs, xs_transaction_t t, const char *path,
                        struct xs_permissions *perms, unsigned int nr)
{
    struct node *node = find(xs, path);

    if (!may_change(xs, t, path))
        return false;
    errno = ENOENT;
    if (!node)
        return false;
    assert(nr <= RIGHTS_MAX);
    node->nr_rights = nr;
    memcpy(node->rights, perms, nr * sizeof(*perms));
    return true;
}

/* One block, as the real one: pointers, then the names. */
char **xs_directory(struct xs_handle *xs, xs_transaction_t t, const char *path, unsigned int *nr_r)
{
    size_t len = strlen(path);
    unsigned int nr = 0;
    char **names, *at;

    assert(t == xs->open);
    errno = xs->unreadable_err;
    if (xs->unreadable && strcmp(path, xs->unreadable) == 0)
        return NULL;
    errno = ENOENT;
    if (!find(xs, path))
        return NULL;
    names = malloc(NODES_MAX * sizeof(*names) + NODES_MAX * PATH_SIZE);
    assert(names);
    at = (char *)(names + NODES_MAX);
    for (unsigned int i = 0; i < xs->tree.nr; i++) {
        const char *found = xs->tree.nodes[i].path;

        if (!is_in(found, path) || strlen(found) == len || strchr(found + len + 1, '/'))
            continue;
        names[nr++] = strcpy(at, found + len + 1);
        at += strlen(at) + 1;
    }
    *nr_r = nr;
    return names;
}

xs_transaction_t xs_transaction_start(struct xs_handle *xs)
{
    assert(xs->open == XBT_NULL);
    tree_copy(&xs->before, &xs->tree);
    return xs->open = 7;
}

bool xs_transaction_end(struct xs_handle *xs, xs_transaction_t t, bool abort)
{
    bool refused = !abort && xs->refused;

    assert(t == xs->open && t != XBT_NULL);
    xs->open = XBT_NULL;
    if (abort || refused)
        tree_copy(&xs->tree, &xs->before);
    if (refused)
        xs->refused--;
    errno = EAGAIN;
    return !refused;
}
