/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_internal.h"
#include "fake_xen.h"
#include "xen/log.h"
#include "xen/xenstore.h"

#define NODES_MAX 4096
#define PENDING_MAX 8192

enum kind { READ, DIRECTORY, WRITE, REMOVE, EVENT };

struct pending {
    enum kind kind;
    char path[XENSTORE_PATH_SIZE];
    char value[1200];
    xenstore_done_fn *done;
    void *ctx;
    unsigned int watch;
};

static struct node {
    char path[XENSTORE_PATH_SIZE];
    char value[1200];
} nodes[NODES_MAX];
static unsigned int nr_nodes;

static struct watch {
    bool used, relative;
    char path[XENSTORE_PATH_SIZE];
    xenstore_watch_fn *fn;
    void *ctx;
} watches[XENSTORE_MAX_WATCHES];

static struct pending pending[PENDING_MAX];
static unsigned int head, tail, in_flight, requests, writes;
static bool full, refuses_removals;
static int injected_err = -EIO;
static const char *refused;

static const char prefix[] = "/local/domain/5/";

static void absolute(char *out, const char *path)
{
    int n = snprintf(out, XENSTORE_PATH_SIZE, "%s%s", *path == '/' ? "" : prefix, path);

    INVARIANT(n < XENSTORE_PATH_SIZE);
}

/* Whether path is at or below root. */
static bool below(const char *path, const char *root)
{
    size_t len = strlen(root);

    return !strncmp(path, root, len) && (path[len] == '/' || path[len] == '\0');
}

static struct pending *push(enum kind kind)
{
    struct pending *p = &pending[tail++ % PENDING_MAX];

    INVARIANT(tail - head <= PENDING_MAX);
    memset(p, 0, sizeof(*p));
    p->kind = kind;
    return p;
}

static void fire_one(unsigned int i, const char *path)
{
    struct pending *p = push(EVENT);
    bool relative = watches[i].relative && !strncmp(path, prefix, sizeof(prefix) - 1);

    p->watch = i;
    strcpy(p->path, relative ? path + sizeof(prefix) - 1 : path);
}

static void fire(const char *path, bool removed)
{
    for (unsigned int i = 0; i < XENSTORE_MAX_WATCHES; i++) {
        if (!watches[i].used)
            continue;
        if (below(path, watches[i].path))
            fire_one(i, path);
        else if (removed && below(watches[i].path, path))
            fire_one(i, watches[i].path);
    }
}

static struct node *find(const char *path)
{
    for (unsigned int i = 0; i < nr_nodes; i++)
        if (!strcmp(nodes[i].path, path))
            return &nodes[i];
    return NULL;
}

static bool exists(const char *path)
{
    for (unsigned int i = 0; i < nr_nodes; i++)
        if (below(nodes[i].path, path))
            return true;
    return false;
}

static int node_remove(const char *path)
{
    bool found = false;

    for (unsigned int i = 0; i < nr_nodes;) {
        if (below(nodes[i].path, path)) {
            nodes[i] = nodes[--nr_nodes];
            found = true;
        } else {
            i++;
        }
    }
    if (found)
        fire(path, true);
    return found ? 0 : -ENOENT;
}

void fake_store_write(const char *path, const char *value)
{
    struct node *node = find(path);

    if (!value) {
        (void)node_remove(path);
        return;
    }
    if (!node) {
        INVARIANT(nr_nodes < NODES_MAX);
        node = &nodes[nr_nodes++];
        strcpy(node->path, path);
    }
    snprintf(node->value, sizeof(node->value), "%s", value);
    fire(path, false);
}

const char *fake_store_read(const char *path)
{
    struct node *node = find(path);

    return node ? node->value : exists(path) ? "" : NULL;
}

unsigned int fake_store_nodes(void)
{
    return nr_nodes;
}

unsigned int fake_store_watches(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < XENSTORE_MAX_WATCHES; i++)
        nr += watches[i].used;
    return nr;
}

void fake_store_full(bool is_full)
{
    full = is_full;
}

void fake_store_refuse_removals(bool refuse)
{
    refuses_removals = refuse;
}

void fake_store_refuse_writes(const char *part)
{
    refused = part;
}

void fake_store_error(int err)
{
    injected_err = err;
}

unsigned int fake_store_requests(void)
{
    return requests;
}

unsigned int fake_store_writes(void)
{
    return writes;
}

/* Names directly below path, each ended by NUL. */
static size_t list(const char *path, char *out, size_t size)
{
    size_t len = strlen(path), used = 0;

    for (unsigned int i = 0; i < nr_nodes; i++) {
        const char *name = nodes[i].path + len + 1;
        size_t n, at = 0;

        if (!below(nodes[i].path, path) || nodes[i].path[len] == '\0')
            continue;
        n = strcspn(name, "/");
        while (at < used && (strncmp(out + at, name, n) || out[at + n]))
            at += strlen(out + at) + 1;
        if (at < used)
            continue;
        INVARIANT(used + n + 1 < size);
        memcpy(out + used, name, n);
        out[used + n] = '\0';
        used += n + 1;
    }
    return used;
}

/*
 * What lies in a directory that is gone is not ours to see or to make: the directories above a vif's
 * own belong to the toolstack.
 */
static bool hidden(const char *path)
{
    char parent[XENSTORE_PATH_SIZE];

    strcpy(parent, path);
    *strrchr(parent, '/') = '\0';
    return strstr(path, "/vif/") && !strstr(path, "/error/") && !exists(parent);
}

static void perform(struct pending *p)
{
    char path[XENSTORE_PATH_SIZE], answer[4096] = "OK";
    size_t len = 2;
    int err = 0;

    absolute(path, p->path);
    if (fake_inject_fails()) {
        err = injected_err;
    } else if (hidden(path)) {
        err = -EACCES;
    } else if (p->kind == REMOVE) {
        err = refuses_removals ? -EACCES : node_remove(path);
    } else if (p->kind == WRITE) {
        if (refused && strstr(path, refused))
            err = -EACCES;
        else
            fake_store_write(path, p->value);
    } else if (!exists(path)) {
        err = -ENOENT;
    } else if (p->kind == DIRECTORY) {
        len = list(path, answer, sizeof(answer));
    } else {
        len = (size_t)snprintf(answer, sizeof(answer), "%s", fake_store_read(path));
    }
    in_flight--;
    if (p->done)
        p->done(p->ctx, err, err ? "" : answer, err ? 0 : len);
}

bool fake_store_step(void)
{
    struct pending p;

    if (head == tail)
        return false;
    p = pending[head++ % PENDING_MAX];
    if (p.kind != EVENT)
        perform(&p);
    else if (p.watch < XENSTORE_MAX_WATCHES && watches[p.watch].used)
        watches[p.watch].fn(watches[p.watch].ctx, p.path);
    return true;
}

void fake_store_restart(void)
{
    head = tail = in_flight = 0;
    memset(watches, 0, sizeof(watches));
}

void fake_store_reset(void)
{
    fake_store_restart();
    nr_nodes = requests = writes = 0;
    full = refuses_removals = false;
    refused = NULL;
}

static int request(enum kind kind, const char *path, const char *value, xenstore_done_fn *done,
                   void *ctx)
{
    struct pending *p;

    if (full || in_flight == XENSTORE_MAX_REQUESTS || fake_inject_fails())
        return -ENOBUFS;
    in_flight++;
    requests++;
    writes += kind == WRITE || kind == REMOVE;
    p = push(kind);
    strcpy(p->path, path);
    strcpy(p->value, value);
    p->done = done;
    p->ctx = ctx;
    return 0;
}

int xenstore_read(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    (void)tx;
    return request(READ, path, "", done, ctx);
}

int xenstore_directory(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    (void)tx;
    return request(DIRECTORY, path, "", done, ctx);
}

int xenstore_write(xenstore_tx tx, const char *path, const char *value, xenstore_done_fn *done,
                   void *ctx)
{
    (void)tx;
    return request(WRITE, path, value, done, ctx);
}

int xenstore_remove(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    (void)tx;
    return request(REMOVE, path, "", done, ctx);
}

int xenstore_watch(const char *path, xenstore_watch_fn *fn, void *ctx, unsigned int *id_r)
{
    unsigned int i = 0;

    while (i < XENSTORE_MAX_WATCHES && watches[i].used)
        i++;
    if (i == XENSTORE_MAX_WATCHES || full || fake_inject_fails())
        return -ENOBUFS;
    watches[i] = (struct watch){ .used = true, .relative = *path != '/', .fn = fn, .ctx = ctx };
    absolute(watches[i].path, path);
    *id_r = i;
    fire_one(i, watches[i].path);
    return 0;
}

void xenstore_unwatch(unsigned int id)
{
    INVARIANT(watches[id].used);
    watches[id].used = false;
    for (unsigned int i = head; i != tail; i++)
        if (pending[i % PENDING_MAX].kind == EVENT && pending[i % PENDING_MAX].watch == id)
            pending[i % PENDING_MAX].watch = XENSTORE_MAX_WATCHES;
}

void xenstore_forget(void *ctx)
{
    for (unsigned int i = head; i != tail; i++)
        if (pending[i % PENDING_MAX].ctx == ctx)
            pending[i % PENDING_MAX].done = NULL;
}

int xenstore_path(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int xenstore_parse_u32(const char *value, uint32_t max, uint32_t *out)
{
    uint64_t n = 0;

    if (!*value || strlen(value) > 10)
        return -EINVAL;
    for (; *value; value++) {
        if (*value < '0' || *value > '9')
            return -EINVAL;
        n = n * 10 + (uint64_t)(*value - '0');
    }
    if (n > max)
        return -EINVAL;
    *out = (uint32_t)n;
    return 0;
}
