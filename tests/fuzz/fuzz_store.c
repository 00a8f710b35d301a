/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz_store.h"

#include <errno.h>

#include "fake_internal.h"
#include "fake_xen.h"
#include "fuzz.h"
#include "vif/vif.h"
#include "xen/xenstore.h"

#define HOME "/local/domain/5/"
#define QUEUE 128 /* above XENSTORE_MAX_REQUESTS */
#define WATCHES 4
#define REQUESTS_MAX 5000 /* of one input: nothing is asked for without end and without a pause */

struct fuzz_store fuzz_store;

static const struct {
    const char *name, *value; /* NULL: it is not there unless the input says so */
} nodes[] = {
    { "frontend-id", "7" },
    { "frontend", STORE_FRONT },
    { "handle", "0" },
    { "type", NULL },
    { "mac", "00:16:3e:00:07:00" },
    { "bridge", "xenbr0" },
    { "mtu", NULL },
    { "script", "/etc/xen/scripts/vif-bridge" },
    { "rate", NULL },
    { "ip", NULL },
    { "vlan", NULL },
    { "gatewaydev", NULL },
    { "online", "1" },
    { "state", "1" },
    { "vifname", NULL },
    { "hotplug-status", NULL },
    { "colo_sock_mirror_id", NULL },
    { "", "" }, /* the directory: more names that are in it */
    { "ferry/policy/", NULL }, /* of any MAC */
    { "ferry/policy/default", NULL },
    { STORE_FRONT "/state", "1" },
    { STORE_FRONT "/tx-ring-ref", "8" },
    { STORE_FRONT "/rx-ring-ref", "9" },
    { STORE_FRONT "/event-channel", "11" },
    { STORE_FRONT "/event-channel-tx", NULL },
    { STORE_FRONT "/event-channel-rx", NULL },
    { STORE_FRONT "/request-rx-copy", "1" },
    { STORE_FRONT "/feature-rx-notify", NULL },
    { STORE_FRONT "/feature-sg", "1" },
    { STORE_FRONT "/feature-gso-tcpv4", "1" },
    { STORE_FRONT "/feature-gso-tcpv6", NULL },
    { STORE_FRONT "/multi-queue-num-queues", NULL },
    { STORE_FRONT "/request-multicast-control", NULL },
    { STORE_FRONT "/xdp-headroom", NULL },
    { STORE_FRONT "/queue-0/tx-ring-ref", "8" },
    { STORE_FRONT "/queue-0/rx-ring-ref", "9" },
    { STORE_FRONT "/queue-0/event-channel", "11" },
    { STORE_FRONT "/queue-1/tx-ring-ref", "18" },
    { STORE_FRONT "/queue-1/rx-ring-ref", "19" },
    { STORE_FRONT "/queue-1/event-channel", "21" },
    { STORE_FRONT "/ctrl-ring-ref", NULL },
    { STORE_FRONT "/event-channel-ctrl", NULL },
    { "writes", "" }, /* errors of what we write */
};

static struct store_value values[STORE_NR_NODES];

static struct request {
    bool is_write, is_remove, is_directory;
    char path[XENSTORE_PATH_SIZE];
    char text[VIF_WHY_SIZE + 8];
    xenstore_done_fn *done;
    void *ctx;
} queue[QUEUE];
static unsigned int head, tail, nr_served, nr_due;

static struct {
    bool used, is_due;
    char path[XENSTORE_PATH_SIZE];
    xenstore_watch_fn *fn;
    void *ctx;
} watches[WATCHES];

void fuzz_store_sum(const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        fuzz_store.sum = (fuzz_store.sum ^ ((const uint8_t *)bytes)[i]) * 1099511628211ull;
}

static void value_set(struct store_value *value, int err, const char *bytes, size_t len)
{
    value->err = err;
    value->len = len;
    memcpy(value->bytes, bytes, len);
    value->bytes[len] = '\0';
}

static int node_of(const char *path)
{
    if (strncmp(path, STORE_BACK "/", sizeof(STORE_BACK)) == 0)
        path += sizeof(STORE_BACK);
    else if (strcmp(path, "ferry/policy/default") != 0 && strncmp(path, "ferry/policy/", 13) == 0)
        return STORE_POLICY;
    for (unsigned int i = 0; i < STORE_WRITES; i++)
        if (i != STORE_LISTING && strcmp(path, nodes[i].name) == 0)
            return (int)i;
    return -1;
}

static void fire(const char *path)
{
    for (unsigned int i = 0; i < WATCHES; i++)
        if (watches[i].used && strncmp(path, watches[i].path, strlen(watches[i].path)) == 0)
            watches[i].fn(watches[i].ctx, path);
}

static void change_do(const struct store_change *c)
{
    static const int errors[] = { -ENOENT, -EACCES, -E2BIG, -EPROTO, -EAGAIN, -EIO };
    struct store_value *v = &values[c->node];
    char path[XENSTORE_PATH_SIZE];

    v->err = 0;
    v->len = 0;
    if (c->what % 4 == 0) {
        v->err = errors[c->arg % 6];
    } else if (c->what % 4 == 1) {
        v->len = c->arg * 17u < STORE_VALUE_MAX ? c->arg * 17u : STORE_VALUE_MAX;
        memset(v->bytes, c->len ? c->bytes[0] : 0, v->len);
        memcpy(v->bytes, c->bytes, c->len < v->len ? c->len : v->len);
    } else {
        v->len = c->len;
        memcpy(v->bytes, c->bytes, c->len);
    }
    v->bytes[v->len] = '\0';
    snprintf(path, sizeof(path), "%s%s", c->node <= STORE_LISTING ? HOME STORE_BACK "/" : "",
             nodes[c->node].name);
    if (c->node == STORE_POLICY || c->node == STORE_POLICY_DEFAULT)
        vif_policies_changed();
    else if (c->node != STORE_WRITES)
        fire(c->node == STORE_LISTING ? HOME STORE_BACK : path);
}

/* Those whose time has come; a change may make requests, and so on. */
void fuzz_store_change(uint8_t until)
{
    for (unsigned int i = 0; i < fuzz_store.nr_changes; i++) {
        struct store_change c = fuzz_store.changes[i];

        if (c.when > until || c.what == UINT8_MAX)
            continue;
        fuzz_store.changes[i].what = UINT8_MAX;
        change_do(&c);
    }
}

static void list_make(void)
{
    fuzz_store.listed_len = 0;
    for (unsigned int i = 0; i < STORE_LISTING; i++) {
        if (values[i].err == -ENOENT)
            continue;
        memcpy(fuzz_store.listed + fuzz_store.listed_len, nodes[i].name, strlen(nodes[i].name) + 1);
        fuzz_store.listed_len += strlen(nodes[i].name) + 1;
    }
    memcpy(fuzz_store.listed + fuzz_store.listed_len, values[STORE_LISTING].bytes,
           values[STORE_LISTING].len);
    fuzz_store.listed_len += values[STORE_LISTING].len;
    fuzz_store.listed[fuzz_store.listed_len] = '\0';
    if (values[STORE_LISTING].len)
        fuzz_store.listed[fuzz_store.listed_len++] = '\0'; /* each name has its NUL */
    fuzz_store.listed[fuzz_store.listed_len] = '\0';
}

/* An answer in memory of its own, so that a look behind its NUL is seen. */
static void answer(const struct request *r, int err, const char *bytes, size_t len)
{
    char *copy = fuzz_copy((const uint8_t *)(err ? "" : bytes), err ? 1 : len + 1);

    if (r->done)
        r->done(r->ctx, err, copy, err ? 0 : len);
    free(copy);
}

static void directory_answer(const struct request *r)
{
    static const char guests[] = "7\0", handles[] = "0\0"; /* and the NUL behind */

    if (strcmp(r->path, STORE_BACK) == 0) {
        list_make();
        if (fuzz_store.listed_len == 0 && !values[STORE_LISTING].err)
            values[STORE_LISTING].err = -ENOENT;
        answer(r, values[STORE_LISTING].err, fuzz_store.listed, fuzz_store.listed_len);
        return;
    }
    answer(r, 0, strcmp(r->path, "backend/vif") ? handles : guests, 2);
}

static void change_answer(const struct request *r)
{
    int err = values[STORE_WRITES].err, node = node_of(r->path);

    if (!err && node >= 0)
        value_set(&values[node], r->is_remove ? -ENOENT : 0, r->text, strlen(r->text));
    if (!err && !r->is_remove && strcmp(r->path, STORE_BACK "/hotplug-error") == 0)
        memcpy(fuzz_store.refused, r->text, sizeof(fuzz_store.refused));
    if (!err && r->is_remove && strcmp(r->path, STORE_BACK) == 0)
        for (unsigned int i = 0; i < STORE_LISTING; i++)
            values[i].err = -ENOENT;
    answer(r, err, "OK", 2);
}

bool fake_store_step(void)
{
    struct request r;

    for (unsigned int i = 0; nr_due && i < WATCHES; i++)
        if (watches[i].is_due) {
            watches[i].is_due = false;
            nr_due--;
            watches[i].fn(watches[i].ctx, watches[i].path);
            return true;
        }
    if (head == tail)
        return false;
    r = queue[head++ % QUEUE];
    nr_served += nr_served < UINT8_MAX - 1;
    fuzz_store_change((uint8_t)nr_served);
    if (r.is_directory) {
        directory_answer(&r);
    } else if (r.is_write || r.is_remove) {
        change_answer(&r);
    } else {
        int node = node_of(r.path);

        FUZZ_CHECK(node >= 0 || strncmp(r.path, STORE_FRONT, sizeof(STORE_FRONT) - 1) == 0);
        if (node >= 0)
            value_set(&fuzz_store.served[node], values[node].err, values[node].bytes,
                      values[node].len);
        answer(&r, node < 0 ? -ENOENT : values[node].err, node < 0 ? "" : values[node].bytes,
               node < 0 ? 0 : values[node].len);
    }
    return true;
}

void fake_store_error(int err)
{
    (void)err; /* what fails here is the input's to say */
}

void fake_store_restart(void)
{
    head = tail = nr_served = nr_due = 0;
    memset(watches, 0, sizeof(watches));
}

void fake_store_reset(void)
{
    fake_store_restart();
    for (unsigned int i = 0; i < STORE_NR_NODES; i++) {
        const char *value = nodes[i].value ? nodes[i].value : "";

        value_set(&values[i], nodes[i].value ? 0 : -ENOENT, value, strlen(value));
        fuzz_store.served[i].err = -ENOENT;
    }
}

static int request(struct request r, const char *path, const char *text)
{
    if (tail - head == XENSTORE_MAX_REQUESTS)
        return -ENOBUFS;
    FUZZ_CHECK(fuzz_store.nr_requests++ < REQUESTS_MAX);
    FUZZ_CHECK(strlen(path) < sizeof(r.path) && strlen(text) < sizeof(r.text));
    snprintf(r.path, sizeof(r.path), "%s", path);
    snprintf(r.text, sizeof(r.text), "%s", text);
    fuzz_store_sum(path, strlen(path) + 1);
    fuzz_store_sum(text, strlen(text) + 1);
    for (const char *at = text; *at; at++)
        FUZZ_CHECK(*at >= ' ' && *at <= '~');
    queue[tail++ % QUEUE] = r;
    return 0;
}

int xenstore_read(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    (void)tx;
    return request((struct request){ .done = done, .ctx = ctx }, path, "");
}

int xenstore_directory(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    (void)tx;
    return request((struct request){ .is_directory = true, .done = done, .ctx = ctx }, path, "");
}

int xenstore_write(xenstore_tx tx, const char *path, const char *value, xenstore_done_fn *done,
                   void *ctx)
{
    (void)tx;
    return request((struct request){ .is_write = true, .done = done, .ctx = ctx }, path, value);
}

int xenstore_remove(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    (void)tx;
    return request((struct request){ .is_remove = true, .done = done, .ctx = ctx }, path, "");
}

int xenstore_watch(const char *path, xenstore_watch_fn *fn, void *ctx, unsigned int *id_r)
{
    for (unsigned int i = 0; i < WATCHES; i++) {
        if (watches[i].used)
            continue;
        watches[i].used = watches[i].is_due = true;
        nr_due++;
        watches[i].fn = fn;
        watches[i].ctx = ctx;
        snprintf(watches[i].path, sizeof(watches[i].path), "%s%s", *path == '/' ? "" : HOME, path);
        *id_r = i + 1;
        return 0;
    }
    return -ENOBUFS;
}

void xenstore_unwatch(unsigned int id)
{
    FUZZ_CHECK(id > 0 && watches[id - 1].used);
    nr_due -= watches[id - 1].is_due;
    watches[id - 1].used = watches[id - 1].is_due = false;
}

void xenstore_forget(void *ctx)
{
    for (unsigned int i = head; i != tail; i++)
        if (queue[i % QUEUE].ctx == ctx)
            queue[i % QUEUE].done = NULL;
}

void fuzz_store_end(void)
{
    for (unsigned int i = 0; i < STORE_NR_NODES; i++)
        values[i].err = i == STORE_WRITES ? 0 : -ENOENT;
    values[STORE_LISTING].len = 0;
    fire(HOME STORE_BACK);
}

unsigned int fuzz_store_watches(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < WATCHES; i++)
        nr += watches[i].used;
    return nr;
}
