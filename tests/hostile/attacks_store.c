/* SPDX-License-Identifier: BSD-2-Clause */
/* Every node of the frontend, with every kind of value that it must not have. */
#include <stdio.h>
#include <string.h>

#include "arch/x86/cpu.h"
#include "attack.h"
#include "frame.h"
#include "wait.h"

#define NODE_VALUE_MAX 960 /* fits a request of our client */

static const char *const bad_numbers[] = {
    "-1",  "0x10", "4294967296", "18446744073709551616", " 5", "5 ", "+5", "5\n", "99999999999999",
    "1e3", "five", "5,6"
};

/* Connect with one node as it is given; the backend must refuse. */
static const char *refused(struct front *f, enum front_node node, const char *value)
{
    char shown[24];
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    snprintf(f->values[node], FRONT_VALUE_SIZE, "%s", value);
    bad = front_publish(f);
    if (!bad)
        bad = front_expect_closed(f);
    snprintf(shown, sizeof(shown), "%s", value);
    return bad ? why("%s='%s': %s", front_nodes[node], shown, bad) : NULL;
}

static const char *numbers_refused(struct front *f, enum front_node node)
{
    const char *bad = NULL;

    for (unsigned int i = 0; i < ARRAY_LEN(bad_numbers) && !bad; i++)
        bad = refused(f, node, bad_numbers[i]);
    return bad;
}

static const char *tx_ref_garbage(struct front *f)
{
    return numbers_refused(f, NODE_TX_REF);
}

static const char *rx_ref_garbage(struct front *f)
{
    return numbers_refused(f, NODE_RX_REF);
}

static const char *port_garbage(struct front *f)
{
    return numbers_refused(f, NODE_PORT);
}

static const char *queues_garbage(struct front *f)
{
    static const char *const values[] = { "0", "2", "5", "4294967295", "-1", "one" };
    const char *bad = NULL;

    for (unsigned int i = 0; i < ARRAY_LEN(values) && !bad; i++)
        bad = refused(f, NODE_QUEUES, values[i]);
    return bad;
}

/* A flag is 0 or 1. */
static const char *flags_garbage(struct front *f)
{
    static const char *const values[] = { "2", "-1", "yes", "01x" };
    const char *bad = NULL;

    for (enum front_node node = NODE_RX_COPY; node < NODE_NR && !bad; node++)
        bad = refused(f, node, values[node % ARRAY_LEN(values)]);
    return bad ? bad : refused(f, NODE_RX_COPY, "0");
}

static const char *nodes_missing(struct front *f)
{
    static const enum front_node required[] = { NODE_TX_REF, NODE_RX_REF, NODE_PORT, NODE_RX_COPY };
    const char *bad = NULL;

    for (unsigned int i = 0; i < ARRAY_LEN(required) && !bad; i++)
        bad = refused(f, required[i], "");
    return bad;
}

/* One node written past front_publish(), with what does not fit there. */
static const char *raw_refused(struct front *f, enum front_node node, const char *value)
{
    char path[64];
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    snprintf(path, sizeof(path), "device/vif/0/%s", front_nodes[node]);
    if (store_write(path, value) != 0)
        return why("xenstored refuses the value");
    memcpy(f->written[node], f->values[node], FRONT_VALUE_SIZE);
    bad = front_publish(f);
    f->written[node][0] = '\x7f'; /* to be written anew next time */
    return bad ? bad : front_expect_closed(f);
}

static const char *values_huge(struct front *f)
{
    static char value[NODE_VALUE_MAX + 1];
    const char *bad = NULL;

    memset(value, '1', NODE_VALUE_MAX);
    for (enum front_node node = NODE_TX_REF; node <= NODE_PORT && !bad; node++)
        bad = raw_refused(f, node, value);
    return bad ? bad : raw_refused(f, NODE_SG, value);
}

static const char *values_unprintable(struct front *f)
{
    const char *bad = raw_refused(f, NODE_TX_REF, "\x1b[2J\r\n[    0.000000] ferry: crash");

    return bad ? bad : raw_refused(f, NODE_PORT, "%s%n%x\xff\x80");
}

/* A state node that makes no sense. A good frontend starts anew from there. */
static const char *state_garbage(struct front *f)
{
    static const char *const values[] = { "9", "-1", "4294967300", "connected", "44", "" };

    for (unsigned int i = 0; i < ARRAY_LEN(values); i++) {
        const char *bad;

        if (store_write("device/vif/0/state", values[i]) != 0)
            return why("xenstored refuses the value");
        wait_ms(100);
        f->dirty = true;
        bad = front_close(f);
        if (!bad)
            bad = front_open(f);
        if (bad)
            return why("after state '%s': %s", values[i], bad);
    }
    return NULL;
}

const struct attack attacks_store[] = {
    { "store", "tx_ref_garbage", tx_ref_garbage, false },
    { "store", "rx_ref_garbage", rx_ref_garbage, false },
    { "store", "port_garbage", port_garbage, false },
    { "store", "queues_garbage", queues_garbage, false },
    { "store", "flags_garbage", flags_garbage, false },
    { "store", "nodes_missing", nodes_missing, false },
    { "store", "values_huge", values_huge, false },
    { "store", "values_unprintable", values_unprintable, false },
    { "store", "state_garbage", state_garbage, false },
    { 0 },
};
