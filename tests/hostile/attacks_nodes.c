/* SPDX-License-Identifier: BSD-2-Clause */
/* Much xenstore traffic, and states in no order (XSA-349, 350). */
#include <stdio.h>

#include "arch/x86/cpu.h"
#include "attack.h"
#include "frame.h"
#include "wait.h"

#define FLAPS 200
#define CONNECTS 200
#define WRITES 2000
#define IN_FLIGHT 32
#define NODES 300

static unsigned int nr_pending;

static void written(void *ctx, int err, const char *value, size_t len)
{
    (void)ctx;
    (void)err;
    (void)value;
    (void)len;
    nr_pending--;
}

static bool few_pending(void *ctx)
{
    return nr_pending < *(unsigned int *)ctx;
}

/* Written without waiting for the answer, as fast as xenstored takes it. */
static const char *flood(const char *path, const char *value)
{
    unsigned int limit = IN_FLIGHT;

    if (!wait_until(few_pending, &limit, 20000))
        return why("xenstored does not answer");
    if (xenstore_write(0, path, value, written, NULL) != 0)
        return why("our own xenstore client is full");
    nr_pending++;
    return NULL;
}

static const char *flood_end(const char *bad)
{
    unsigned int limit = 1;

    return wait_until(few_pending, &limit, 20000) ? bad : why("xenstored does not answer");
}

/* States at random, among them nonsense, as fast as they can be written. */
static const char *state_flapping(struct front *f)
{
    const char *bad = NULL;

    f->dirty = true;
    for (unsigned int i = 0; i < FLAPS && !bad; i++) {
        char state[16];

        snprintf(state, sizeof(state), "%u", random_u32() % 10);
        bad = flood("device/vif/0/state", state);
    }
    return flood_end(bad);
}

static const char *connects(struct front *f)
{
    const char *bad = NULL;
    unsigned int i;

    for (i = 0; i < CONNECTS && !bad; i++) {
        bad = front_close(f);
        if (!bad)
            bad = front_open(f);
    }
    return bad ? why("number %u: %s", i, bad) : NULL;
}

/* Back to the start without ever being connected. */
static const char *connects_half(struct front *f)
{
    const char *bad = NULL;

    for (unsigned int i = 0; i < 50 && !bad; i++) {
        bad = front_close(f);
        if (!bad)
            bad = front_prepare(f);
        if (!bad)
            bad = front_publish(f);
        if (!bad)
            wait_ms(random_u32() % 8);
    }
    f->dirty = true;
    return bad;
}

/* The watched node, over and over, with what it says already. */
static const char *state_flood(struct front *f)
{
    const char *bad = NULL;

    (void)f;
    for (unsigned int i = 0; i < WRITES && !bad; i++)
        bad = flood("device/vif/0/state", "4");
    return flood_end(bad);
}

/* Nodes below the frontend's directory, until xenstored's quota is used up. */
static const char *nodes_flood(struct front *f)
{
    const char *bad = NULL;
    char path[64];

    (void)f;
    for (unsigned int i = 0; i < NODES && !bad; i++) {
        snprintf(path, sizeof(path), "device/vif/0/state/%u", i);
        bad = flood(path, "x");
    }
    bad = flood_end(bad);
    for (unsigned int i = 0; i < NODES; i++) {
        snprintf(path, sizeof(path), "device/vif/0/state/%u", i);
        (void)store_remove(path);
    }
    return bad;
}

/* The names of the backend in our own directory are no business of its. */
static const char *backend_renamed(struct front *f)
{
    static const char *const nodes[] = { "device/vif/0/backend", "device/vif/0/backend-id",
                                         "device/vif/0/mac", "device/vif/0/handle" };
    const char *bad = NULL;
    char old[ARRAY_LEN(nodes)][128];

    for (unsigned int i = 0; i < ARRAY_LEN(nodes); i++)
        if (store_read(nodes[i], old[i], sizeof(old[i])) != 0 ||
            store_write(nodes[i], "../../../../0/nonsense") != 0)
            return why("cannot change %s", nodes[i]);
    bad = frame_alive(f);
    if (!bad)
        bad = front_close(f);
    if (!bad)
        bad = front_open(f);
    for (unsigned int i = 0; i < ARRAY_LEN(nodes); i++)
        (void)store_write(nodes[i], old[i]);
    return bad;
}

const struct attack attacks_nodes[] = {
    { "nodes", "state_flapping", state_flapping, false },
    { "nodes", "connects", connects, false },
    { "nodes", "connects_half", connects_half, false },
    { "nodes", "state_flood", state_flood, false },
    { "nodes", "nodes_flood", nodes_flood, false },
    { "nodes", "backend_renamed", backend_renamed, false },
    { 0 },
};
