/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a vif. Whatever happens only makes us look: read the states, ask handshake_next(), do
 * that one thing, look again if anything changed meanwhile. So floods of watch events cost one look
 * at a time, and no order of events can be missed.
 */
#include <errno.h>
#include <stdio.h>

#include <xen/io/xenbus.h>

#include "vif/device.h"
#include "xen/clock.h"
#include "xen/xenstore.h"

#define DWELL_NS 400000000ull /* the least time a state stands that libxl waits for */
#define PATIENCE_NS 2000000000ull /* for a frontend to close; libxl waits 10 s in all */
#define LOOK_RETRY_NS 100000000ull

static void look(struct vif *vif)
{
    struct vif_control *c = &vif->control;

    c->dirty = false;
    vif_job_begin(vif, VIF_JOB_LOOK);
}

void vif_control_kick(struct vif *vif)
{
    vif->control.dirty = true;
    if (vif->control.job == VIF_JOB_NONE)
        look(vif);
}

static void kick_later(void *ctx)
{
    vif_control_kick(ctx);
}

void vif_control_later(struct vif *vif)
{
    timer_arm(&vif->control.timer, clock_now() + LOOK_RETRY_NS, kick_later, vif);
}

/* Has it nodes of the toolstack's that may change while it is in use? */
static bool is_in_use(const struct vif_control *c)
{
    return c->facts.phase == VIF_PHASE_WAITING || c->facts.phase == VIF_PHASE_CONNECTED;
}

/* What changes from here on is read once more afterwards. */
static void again_read(struct vif *vif, enum vif_job job, bool *stale)
{
    *stale = false;
    vif_job_begin(vif, job);
}

/* Does its node say something else than what is so? */
static bool carrier_is_stale(const struct vif *vif)
{
    enum vif_carrier now;

    if (!is_in_use(&vif->control))
        return false;
    now = vif_host.carrier(&vif->port);
    return now != VIF_CARRIER_UNKNOWN && now != vif->control.carrier;
}

static void rest(struct vif *vif, uint64_t deadline_ns)
{
    struct vif_control *c = &vif->control;

    if (c->dirty)
        look(vif);
    else if (c->rate_stale && is_in_use(c))
        again_read(vif, VIF_JOB_READ_RATE, &c->rate_stale);
    else if (c->policy_stale && is_in_use(c))
        again_read(vif, VIF_JOB_READ_POLICY, &c->policy_stale);
    else if (c->multicast_stale && c->facts.phase == VIF_PHASE_CONNECTED)
        again_read(vif, VIF_JOB_READ_MULTICAST, &c->multicast_stale);
    else if (carrier_is_stale(vif))
        vif_job_begin(vif, VIF_JOB_CARRIER);
    else if (deadline_ns)
        timer_arm(&vif->control.timer, deadline_ns, kick_later, vif);
}

static void state_write(struct vif *vif, enum vif_phase phase, int state)
{
    struct vif_control *c = &vif->control;

    c->facts.phase = phase;
    c->state = state;
    c->state_ns = clock_now();
    vif_job_begin(vif, VIF_JOB_STATE);
}

/* The frontend did what it must not. It may close itself and start again. */
static void fail(struct vif *vif)
{
    struct vif_control *c = &vif->control;

    vif_disconnect(vif);
    c->facts.phase = VIF_PHASE_CLOSING;
    c->state = XenbusStateClosing;
    c->state_ns = clock_now();
    c->blamed = true;
    log_limited(&c->closed_limit, LOG_WARN, "%s: closed: %s", vif->port.name, c->why);
    vif_job_begin(vif, VIF_JOB_BLAME);
}

void vif_control_broken(struct vif *vif)
{
    vif_broken &= ~vif_bit(vif);
    vif_disconnect(vif);
    vif_control_kick(vif);
}

static void connect(struct vif *vif)
{
    struct vif_control *c = &vif->control;

    if (nodes_front_check(&c->front, c->why, sizeof(c->why)) || vif_connect(vif)) {
        fail(vif);
        return;
    }
    c->takeover = false;
    state_write(vif, VIF_PHASE_CONNECTED, XenbusStateConnected);
}

/* All that we hold for the vif but its place and its error node. */
static void dismantle(struct vif *vif)
{
    struct vif_control *c = &vif->control;

    vif_disconnect(vif);
    if (vif->attached)
        vif_host.detach(&vif->port);
    vif->attached = false;
    if (c->has_watch)
        xenstore_unwatch(c->watch_id);
    c->has_watch = false;
}

static void forget(struct vif *vif)
{
    dismantle(vif);
    if (vif->control.blamed) {
        vif_job_begin(vif, VIF_JOB_REMOVE);
        return;
    }
    timer_cancel(&vif->control.timer);
    xenstore_forget(vif);
    vif_release(vif);
    vif_discover_again();
}

/* libxl begins to watch our state after it has set online to 0. */
static uint64_t dwell_since(const struct vif_control *c)
{
    return c->leave_ns > c->state_ns ? c->leave_ns : c->state_ns;
}

static void facts_settle(struct vif_control *c, uint64_t now)
{
    struct handshake_facts *f = &c->facts;

    if (!f->has_online || f->online)
        c->leave_ns = 0;
    else if (!c->leave_ns)
        c->leave_ns = now;
    f->patient = now - c->leave_ns < PATIENCE_NS;
    f->dwelt = now - dwell_since(c) >= DWELL_NS || (c->hurry && f->phase == VIF_PHASE_WAITING);
}

static void later(struct vif *vif)
{
    struct vif_control *c = &vif->control;
    bool closing = c->leave_ns && c->facts.phase != VIF_PHASE_CLOSED;

    rest(vif, closing ? c->leave_ns + PATIENCE_NS : dwell_since(c) + DWELL_NS);
}

/*
 * The first look at a vif that went on over a restart. Its frontend cannot have come back with other
 * rings meanwhile: it would have closed its port, and ours would not have been there to resume.
 * Returns whether our state is still to be written: the last start did not get so far.
 */
static bool resumed_settle(struct vif *vif)
{
    struct vif_control *c = &vif->control;

    c->resumed = false;
    c->rate_stale = c->multicast_stale = true; /* nobody was told of a change meanwhile */
    if (c->facts.has_online && c->facts.back_state == XenbusStateInitialising) {
        /* The toolstack has removed it and made another of its name. */
        dismantle(vif);
        c->facts.phase = VIF_PHASE_NEW;
    }
    return c->facts.phase == VIF_PHASE_CONNECTED && c->facts.back_state != XenbusStateConnected &&
           c->facts.back_state != XenbusStateReconfigured;
}

/* What is free for it may have changed since it was offered something. */
static void reopen(struct vif *vif)
{
    struct vif_control *c = &vif->control;

    if (!vif_offer_choose(vif)) {
        state_write(vif, VIF_PHASE_WAITING, XenbusStateInitWait);
        return;
    }
    c->facts.phase = VIF_PHASE_WAITING;
    c->state = XenbusStateInitWait;
    vif_job_begin(vif, VIF_JOB_OFFER);
}

static void act(struct vif *vif)
{
    struct vif_control *c = &vif->control;
    bool unwritten = c->resumed && resumed_settle(vif);

    facts_settle(c, clock_now());
    switch (handshake_next(&c->facts)) {
    case HANDSHAKE_NONE:
        if (unwritten)
            state_write(vif, VIF_PHASE_CONNECTED, XenbusStateConnected);
        else
            rest(vif, 0);
        break;
    case HANDSHAKE_LATER:
        later(vif);
        break;
    case HANDSHAKE_OFFER:
        c->takeover = c->hurry = c->facts.back_state == XenbusStateConnected;
        nodes_back_init(&c->back);
        vif_job_begin(vif, VIF_JOB_READ_BACK);
        break;
    case HANDSHAKE_CONNECT:
        nodes_front_init(&c->front);
        vif_job_begin(vif, VIF_JOB_READ_FRONT);
        break;
    case HANDSHAKE_REOPEN:
        c->hurry = true;
        vif_disconnect(vif);
        reopen(vif);
        break;
    case HANDSHAKE_RECONFIGURE:
        c->after_headroom = XenbusStateReconfigured;
        vif_job_begin(vif, VIF_JOB_READ_HEADROOM);
        break;
    case HANDSHAKE_RECONFIGURED:
        /* Linux' frontend says Reconfiguring before it writes what for: it is read once more. */
        c->after_headroom = XenbusStateConnected;
        vif_job_begin(vif, VIF_JOB_READ_HEADROOM);
        break;
    case HANDSHAKE_CLOSE:
        vif_disconnect(vif);
        state_write(vif, VIF_PHASE_CLOSING, XenbusStateClosing);
        break;
    case HANDSHAKE_SHUT:
        vif_disconnect(vif);
        state_write(vif, VIF_PHASE_CLOSED, XenbusStateClosed);
        break;
    case HANDSHAKE_FAIL:
        snprintf(c->why, sizeof(c->why), "the frontend's state node makes no sense");
        fail(vif);
        break;
    case HANDSHAKE_REMOVE:
        dismantle(vif);
        vif_job_begin(vif, VIF_JOB_REMOVE);
        break;
    case HANDSHAKE_FORGET:
        forget(vif);
        break;
    }
}

/* What was read before it is offered, or while it is in use; there a mistake changes nothing. */
static void policy_done(struct vif *vif, int err)
{
    struct vif_control *c = &vif->control;

    if (c->facts.phase == VIF_PHASE_NEW) {
        (err ? vif_refuse : vif_offer)(vif);
        return;
    }
    if (err)
        log_limited(&c->limit, LOG_ERROR, "%s: its new policy is not taken, the old one holds: %s",
                    vif->port.name, c->why);
    vif_limits_set(vif);
    look(vif);
}

static void rate_done(struct vif *vif, int err)
{
    struct vif_control *c = &vif->control;

    if (err)
        log_limited(&c->limit, LOG_ERROR, "%s: its new rate is not taken, the old one holds: %s",
                    vif->port.name, c->why);
    else if (vif->mapped)
        vif_record_seal(vif);
    vif_limits_set(vif);
    look(vif);
}

static void multicast_done(struct vif *vif, int err)
{
    struct vif_control *c = &vif->control;

    if (err)
        log_limited(&c->limit, LOG_WARN, "%s: what it wants of multicast stays as it was: %s",
                    vif->port.name, c->why);
    else if (vif->mapped)
        vif_multicast_apply(vif);
    look(vif);
}

/* The frontend waits for our state, whether we took what it wrote or not. */
static void reconfigured(struct vif *vif, int err)
{
    struct vif_control *c = &vif->control;

    if (err)
        log_limited(&c->limit, LOG_WARN, "%s: what it asks for is not taken: %s", vif->port.name,
                    c->why);
    else if (vif->mapped)
        vif_record_seal(vif);
    if (vif->mapped)
        vif_caps_set(vif);
    state_write(vif, c->facts.phase, c->after_headroom);
}

/* One that cannot be written is not written again at once, and so without end. */
static void carrier_done(struct vif *vif, int err)
{
    struct vif_control *c = &vif->control;

    if (err)
        log_limited(&c->limit, LOG_WARN, "%s: %s", vif->port.name, c->why);
    else if (vif->mapped)
        vif_record_seal(vif);
    look(vif);
}

static void looked(struct vif *vif, int err)
{
    struct vif_control *c = &vif->control;

    if (err || (c->resumed && vif_front_watch(vif))) {
        vif_control_later(vif);
    } else if (vif->broken) {
        snprintf(c->why, sizeof(c->why), "%s", vif->broken);
        vif->broken = NULL;
        if (c->facts.phase == VIF_PHASE_CONNECTED && c->facts.has_online && c->facts.online)
            fail(vif);
        else
            act(vif);
    } else {
        act(vif);
    }
}

/*
 * The directory above is the toolstack's: xenstored hides from us that ours is gone. One that is there and
 * yet cannot be removed is not asked for again at once, and so without end.
 */
static void removed(struct vif *vif, int err)
{
    struct vif_control *c = &vif->control;
    bool was_gone = err == -ENOENT || err == -EACCES;

    if (err && !was_gone)
        log_limited(&c->limit, LOG_WARN, "%s: cannot remove its nodes: error %d", vif->port.name,
                    -err);
    if (err && !(was_gone && c->facts.back_state == HANDSHAKE_STATE_ABSENT))
        vif_control_later(vif);
    else
        look(vif);
}

void vif_job_done(struct vif *vif, enum vif_job job, int err)
{
    struct vif_control *c = &vif->control;

    switch (job) {
    case VIF_JOB_LOOK:
        looked(vif, err);
        break;
    case VIF_JOB_READ_BACK:
        if (err) {
            vif_refuse(vif);
        } else {
            vif_port_fill(vif);
            again_read(vif, VIF_JOB_READ_POLICY, &c->policy_stale);
        }
        break;
    case VIF_JOB_READ_POLICY:
        policy_done(vif, err);
        break;
    case VIF_JOB_READ_RATE:
        rate_done(vif, err);
        break;
    case VIF_JOB_READ_MULTICAST:
        multicast_done(vif, err);
        break;
    case VIF_JOB_READ_HEADROOM:
        reconfigured(vif, err);
        break;
    case VIF_JOB_CARRIER:
        carrier_done(vif, err);
        break;
    case VIF_JOB_OFFER:
        if (err && c->facts.phase == VIF_PHASE_NEW) {
            vif_refuse(vif);
        } else if (err) {
            log_limited(&c->limit, LOG_WARN, "%s: %s", vif->port.name, c->why);
            rest(vif, 0);
        } else {
            c->facts.phase = VIF_PHASE_WAITING;
            c->state_ns = clock_now();
            look(vif);
        }
        break;
    case VIF_JOB_READ_FRONT:
        (err ? fail : connect)(vif);
        break;
    case VIF_JOB_REMOVE:
        c->blamed = false;
        c->facts.phase = VIF_PHASE_NEW; /* perhaps the toolstack has already made it anew */
        removed(vif, err);
        break;
    default:
        if (err)
            log_limited(&c->limit, LOG_WARN, "%s: %s", vif->port.name, c->why);
        rest(vif, 0);
        break;
    }
}
