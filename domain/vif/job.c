/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of xenstore requests, one in flight per vif: so many vifs never fill the client's table, and
 * an answer always belongs to the step that waits for it. A step that finds the client full is tried
 * again a moment later.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "vif/device.h"
#include "xen/clock.h"
#include "xen/xenstore.h"

#define RETRY_NS 5000000ull

static void job_go(struct vif *vif);

/*
 * What we offer, in the order written; state comes last, when everything else can be read. value is NULL for
 * what the budget decides.
 */
struct offer {
    const char *name, *value;
};
#define OFFER_SPLIT "feature-split-event-channels"
#define OFFER_CTRL "feature-ctrl-ring"
#define OFFER_QUEUES "multi-queue-max-queues"
static const struct offer offers[] = {
    { "feature-sg", "1" },
    { "feature-rx-copy", "1" },
    { "feature-gso-tcpv4", "1" },
    { "feature-gso-tcpv6", "1" },
    { "feature-ipv6-csum-offload", "1" },
    { "feature-multicast-control", "1" },
    { "feature-dynamic-multicast-control", "1" },
    { OFFER_SPLIT, NULL },
    { OFFER_QUEUES, NULL },
    { OFFER_CTRL, NULL },
    { "feature-xdp-headroom", "1" },
    { "carrier", NULL },
};

/* What the frontend is to know from now on. */
static const char *carrier_value(struct vif *vif)
{
    enum vif_carrier now = vif_host.carrier(&vif->port);

    if (now == VIF_CARRIER_UNKNOWN)
        now = vif->control.carrier == VIF_CARRIER_DOWN ? VIF_CARRIER_DOWN : VIF_CARRIER_UP;
    vif->control.carrier = now;
    return now == VIF_CARRIER_UP ? "1" : "0";
}

static void offer_value(struct vif *vif, const struct offer *offer, char *value, size_t size)
{
    if (offer->value)
        snprintf(value, size, "%s", offer->value);
    else if (!strcmp(offer->name, OFFER_QUEUES))
        snprintf(value, size, "%u", vif->offered.queues);
    else if (!strcmp(offer->name, OFFER_CTRL))
        snprintf(value, size, "%u", vif->offered.ctrl);
    else if (!strcmp(offer->name, OFFER_SPLIT))
        snprintf(value, size, "%u", vif->offered.split);
    else
        snprintf(value, size, "%s", carrier_value(vif));
}

static int back_path(const struct vif *vif, char *path, const char *node)
{
    return xenstore_path(path, XENSTORE_PATH_SIZE, "backend/vif/%u/%u%s%s", vif->guest, vif->handle,
                         *node ? "/" : "", node);
}

int vif_front_path(const struct vif *vif, char *path, const char *node)
{
    return xenstore_path(path, XENSTORE_PATH_SIZE, "/local/domain/%u/device/vif/%u%s%s", vif->guest,
                         vif->handle, *node ? "/" : "", node);
}

static int error_path(const struct vif *vif, char *path, const char *node)
{
    return xenstore_path(path, XENSTORE_PATH_SIZE, "error/backend/vif/%u/%u%s", vif->guest,
                         vif->handle, node);
}

static void job_end(struct vif *vif, int err)
{
    enum vif_job job = vif->control.job;

    vif->control.job = VIF_JOB_NONE;
    vif_job_done(vif, job, err);
}

/* VIF_JOB_LOOK: each answer is a fact, its absence too. */
static int look_take(struct vif *vif, int err, const char *value, size_t len)
{
    struct handshake_facts *facts = &vif->control.facts;
    int state = HANDSHAKE_STATE_ABSENT;

    if (err && err != -ENOENT && err != -EACCES)
        return err;
    if (!err)
        state = nodes_state_parse(value, len);
    switch (vif->control.step) {
    case 0:
        facts->back_state = state;
        break;
    case 1:
        facts->has_online = !err;
        facts->online = !err && len == 1 && value[0] == '1';
        break;
    default:
        facts->front_state = state;
        break;
    }
    return 0;
}

/* VIF_JOB_READ_BACK: first what nodes there are, then those that mean something. */
static int back_take(struct vif *vif, int err, const char *value, size_t len)
{
    struct vif_control *c = &vif->control;

    if (c->step > 0)
        return node_take(&nodes_back[c->step - 1], &c->back, err, value, len, c->why,
                         sizeof(c->why));
    if (!err)
        return nodes_back_known(value, len, c->why, sizeof(c->why));
    snprintf(c->why, sizeof(c->why), "its directory cannot be listed: error %d", -err);
    return err;
}

/* VIF_JOB_READ_RATE: a rate that makes no sense leaves the one before as it is. */
static int rate_take(struct vif *vif, int err, const char *value, size_t len)
{
    struct vif_control *c = &vif->control;

    struct vif_back next = c->back;

    next.wish.rate.bytes = 0;
    err = node_take(&nodes_rate, &next, err, value, len, c->why, sizeof(c->why));
    if (!err)
        c->back.wish.rate = next.wish.rate;
    return err;
}

/* VIF_JOB_READ_POLICY: its own, or else that of vifs without one, or else none. */
static int policy_take(struct vif *vif, int err, const char *value, size_t len)
{
    struct vif_control *c = &vif->control;
    const char *why = "";
    bool is_last = c->step == 1;

    if (err == -ENOENT && !is_last)
        return 0;
    if (err && err != -ENOENT) {
        snprintf(c->why, sizeof(c->why), "its policy cannot be read: error %d", -err);
        return err;
    }
    err = vif_host.policy(&vif->port, &c->back.wish, err ? NULL : value, err ? 0 : len, &why);
    if (err)
        snprintf(c->why, sizeof(c->why), "%s", why);
    else
        c->step = 1; /* the one that was found is the last one looked for */
    return err;
}

/* VIF_JOB_READ_MULTICAST, _HEADROOM: the same of a frontend's wish, which is gone where its node is. */
static int front_again_take(struct vif *vif, const struct node_spec *spec, int err,
                            const char *value, size_t len)
{
    struct vif_control *c = &vif->control;
    struct vif_front next = c->front;

    if (spec == &nodes_multicast)
        next.multicast = false;
    else
        next.xdp_headroom = 0;
    err = node_take(spec, &next, err, value, len, c->why, sizeof(c->why));
    if (!err)
        c->front = next;
    return err;
}

/* VIF_JOB_READ_FRONT: first what is said once, then the nodes of each queue. */
static unsigned int front_queue(const struct vif *vif, const struct node_spec **spec_r)
{
    unsigned int step = vif->control.step - nodes_front_nr;

    *spec_r = &nodes_queue[step % nodes_queue_nr];
    return step / nodes_queue_nr;
}

static int front_take(struct vif *vif, int err, const char *value, size_t len)
{
    struct vif_control *c = &vif->control;
    const struct node_spec *spec;
    char why[VIF_WHY_SIZE - 16];
    unsigned int queue;

    if (c->step < nodes_front_nr)
        return node_take(&nodes_front[c->step], &c->front, err, value, len, c->why, sizeof(c->why));
    queue = front_queue(vif, &spec);
    err = node_take(spec, &c->front.queue[queue], err, value, len, why, sizeof(why));
    if (err && c->front.queues > 1)
        snprintf(c->why, sizeof(c->why), "queue-%u: %s", queue, why);
    else if (err)
        snprintf(c->why, sizeof(c->why), "%s", why);
    return err;
}

static int step_take(struct vif *vif, int err, const char *value, size_t len)
{
    struct vif_control *c = &vif->control;

    switch (c->job) {
    case VIF_JOB_LOOK:
        return look_take(vif, err, value, len);
    case VIF_JOB_READ_BACK:
        return back_take(vif, err, value, len);
    case VIF_JOB_READ_RATE:
        return rate_take(vif, err, value, len);
    case VIF_JOB_READ_POLICY:
        return policy_take(vif, err, value, len);
    case VIF_JOB_READ_MULTICAST:
        return front_again_take(vif, &nodes_multicast, err, value, len);
    case VIF_JOB_READ_HEADROOM:
        return front_again_take(vif, &nodes_headroom, err, value, len);
    case VIF_JOB_READ_FRONT:
        return front_take(vif, err, value, len);
    case VIF_JOB_BLAME:
        return 0; /* as far as it goes */
    case VIF_JOB_REMOVE:
        /* Whether there was an error node does not matter. */
        return c->step == 0 && (err == -ENOENT || err == -EACCES) ? 0 : err;
    default:
        if (err)
            snprintf(c->why, sizeof(c->why), "xenstore refused a write: error %d", -err);
        return err;
    }
}

static void step_done(void *ctx, int err, const char *value, size_t len)
{
    struct vif *vif = ctx;

    err = step_take(vif, err, value, len);
    if (err) {
        job_end(vif, err);
        return;
    }
    vif->control.step++;
    job_go(vif);
}

static int look_ask(struct vif *vif, char *path)
{
    static const char *const nodes[] = { "state", "online" };
    int err = vif->control.step < 2 ? back_path(vif, path, nodes[vif->control.step])
                                    : vif_front_path(vif, path, "state");

    return err ? err : xenstore_read(0, path, step_done, vif);
}

static int back_ask(struct vif *vif, char *path)
{
    unsigned int step = vif->control.step;
    int err = back_path(vif, path, step > 0 ? nodes_back[step - 1].name : "");

    if (err)
        return err;
    return step > 0 ? xenstore_read(0, path, step_done, vif)
                    : xenstore_directory(0, path, step_done, vif);
}

/* Below our own home, where dom0 writes and no guest reads. */
static int policy_ask(struct vif *vif, char *path)
{
    const uint8_t *mac = vif->control.back.wish.mac.addr_bytes;
    int err;

    if (vif->control.step == 0)
        err = xenstore_path(path, XENSTORE_PATH_SIZE, "ferry/policy/%02x%02x%02x%02x%02x%02x",
                            mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    else
        err = xenstore_path(path, XENSTORE_PATH_SIZE, "ferry/policy/default");
    return err ? err : xenstore_read(0, path, step_done, vif);
}

static int carrier_ask(struct vif *vif, char *path)
{
    int err = back_path(vif, path, "carrier");

    return err ? err : xenstore_write(0, path, carrier_value(vif), step_done, vif);
}

static int rate_ask(struct vif *vif, char *path)
{
    int err = back_path(vif, path, nodes_rate.name);

    return err ? err : xenstore_read(0, path, step_done, vif);
}

static int front_ask(struct vif *vif, char *path, const char *node)
{
    int err = vif_front_path(vif, path, node);

    return err ? err : xenstore_read(0, path, step_done, vif);
}

static int state_ask(struct vif *vif, char *path)
{
    char value[2] = { (char)('0' + vif->control.state), '\0' };
    int err = back_path(vif, path, "state");

    return err ? err : xenstore_write(0, path, value, step_done, vif);
}

/*
 * The features, our state, and last what a hotplug script would say: whoever finds that cannot read the state
 * that a dead backend's place was given any more (control/xen/vifs.c).
 */
static int offer_ask(struct vif *vif, char *path)
{
    const struct offer *offer;
    char value[16];
    int err;

    if (vif->control.step == ARRAY_LEN(offers))
        return state_ask(vif, path);
    if (vif->control.step > ARRAY_LEN(offers)) {
        err = back_path(vif, path, "hotplug-status");
        return err ? err : xenstore_write(0, path, "connected", step_done, vif);
    }
    offer = &offers[vif->control.step];
    offer_value(vif, offer, value, sizeof(value));
    err = back_path(vif, path, offer->name);
    return err ? err : xenstore_write(0, path, value, step_done, vif);
}

/*
 * Where xenbus puts it, where libxl's hotplug scripts put it, and then our state: the new one, or for
 * a vif that was refused none, which tells libxl at once that there is nothing to wait 10 s for (and
 * a frontend that is connected nothing).
 */
static int blame_ask(struct vif *vif, char *path)
{
    char text[VIF_WHY_SIZE + 8];
    int err;

    switch (vif->control.step) {
    case 0:
        snprintf(text, sizeof(text), "%d %s", EINVAL, vif->control.why);
        err = error_path(vif, path, "/error");
        return err ? err : xenstore_write(0, path, text, step_done, vif);
    case 1:
        err = back_path(vif, path, "hotplug-error");
        return err ? err : xenstore_write(0, path, vif->control.why, step_done, vif);
    default:
        if (vif->control.state)
            return state_ask(vif, path);
        err = back_path(vif, path, "state");
        return err ? err : xenstore_remove(0, path, step_done, vif);
    }
}

/* The error directory of a guest goes with its last vif. */
static bool guest_has_other_errors(const struct vif *vif)
{
    for (unsigned int i = 0; i < VIF_MAX; i++)
        if (&vif_table[i] != vif && vif_table[i].used && vif_table[i].guest == vif->guest &&
            vif_table[i].control.blamed)
            return true;
    return false;
}

static int remove_ask(struct vif *vif, char *path)
{
    int err;

    if (vif->control.step == 1)
        err = back_path(vif, path, "");
    else if (guest_has_other_errors(vif))
        err = error_path(vif, path, "");
    else
        err = xenstore_path(path, XENSTORE_PATH_SIZE, "error/backend/vif/%u", vif->guest);
    return err ? err : xenstore_remove(0, path, step_done, vif);
}

static unsigned int job_nr_steps(const struct vif *vif)
{
    switch (vif->control.job) {
    case VIF_JOB_LOOK:
        return 3;
    case VIF_JOB_READ_BACK:
        return 1 + nodes_back_nr;
    case VIF_JOB_READ_POLICY:
        return 2;
    case VIF_JOB_OFFER:
        return ARRAY_LEN(offers) + 2;
    case VIF_JOB_READ_FRONT:
        return nodes_front_nr + vif->control.front.queues * nodes_queue_nr;
    case VIF_JOB_BLAME:
        return 3;
    case VIF_JOB_REMOVE:
        return 2;
    default:
        return 1;
    }
}

/* Source: xen/io/netif.h, multi-queue-num-queues: a single queue's nodes are not in a directory of its own. */
static int front_step_ask(struct vif *vif, char *path)
{
    const struct node_spec *spec;
    unsigned int queue;
    char node[40];

    if (vif->control.step < nodes_front_nr)
        return front_ask(vif, path, nodes_front[vif->control.step].name);
    queue = front_queue(vif, &spec);
    if (vif->control.front.queues == 1)
        return front_ask(vif, path, spec->name);
    snprintf(node, sizeof(node), "queue-%u/%s", queue, spec->name);
    return front_ask(vif, path, node);
}

static int job_ask(struct vif *vif, char *path)
{
    switch (vif->control.job) {
    case VIF_JOB_LOOK:
        return look_ask(vif, path);
    case VIF_JOB_READ_BACK:
        return back_ask(vif, path);
    case VIF_JOB_READ_RATE:
        return rate_ask(vif, path);
    case VIF_JOB_READ_POLICY:
        return policy_ask(vif, path);
    case VIF_JOB_CARRIER:
        return carrier_ask(vif, path);
    case VIF_JOB_READ_HEADROOM:
        return front_ask(vif, path, nodes_headroom.name);
    case VIF_JOB_READ_MULTICAST:
        return front_ask(vif, path, nodes_multicast.name);
    case VIF_JOB_READ_FRONT:
        return front_step_ask(vif, path);
    case VIF_JOB_OFFER:
        return offer_ask(vif, path);
    case VIF_JOB_BLAME:
        return blame_ask(vif, path);
    case VIF_JOB_REMOVE:
        return remove_ask(vif, path);
    default:
        return state_ask(vif, path);
    }
}

static void job_retry(void *ctx)
{
    job_go(ctx);
}

static void job_go(struct vif *vif)
{
    char path[XENSTORE_PATH_SIZE];
    int err;

    if (vif->control.step == job_nr_steps(vif)) {
        job_end(vif, 0);
        return;
    }
    /* A directory without an error node needs no request for it. */
    if (vif->control.job == VIF_JOB_REMOVE && vif->control.step == 0 && !vif->control.blamed)
        vif->control.step = 1;
    err = job_ask(vif, path);
    if (err == -ENOBUFS) {
        timer_arm(&vif->control.timer, clock_now() + RETRY_NS, job_retry, vif);
    } else if (err) {
        snprintf(vif->control.why, sizeof(vif->control.why), "xenstore: error %d", -err);
        job_end(vif, err);
    }
}

void vif_job_begin(struct vif *vif, enum vif_job job)
{
    INVARIANT(vif->control.job == VIF_JOB_NONE);
    timer_cancel(&vif->control.timer);
    vif->control.job = job;
    vif->control.step = 0;
    job_go(vif);
}
