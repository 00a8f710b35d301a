/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/handshake.h"

#include <xen/io/xenbus.h>

/* The toolstack wants the vif gone. */
static enum handshake_action leave(const struct handshake_facts *f)
{
    bool live = f->front_state == XenbusStateConnected ||
                f->front_state == XenbusStateInitialised || f->front_state == XenbusStateClosing;
    bool in_use = f->phase == VIF_PHASE_CONNECTED || f->phase == VIF_PHASE_CLOSING;

    if (f->phase == VIF_PHASE_CLOSED && f->back_state == XenbusStateClosed)
        return f->dwelt ? HANDSHAKE_REMOVE : HANDSHAKE_LATER;
    if (!live || !in_use || !f->patient)
        return HANDSHAKE_SHUT;
    if (f->front_state == XenbusStateClosing && f->phase == VIF_PHASE_CONNECTED)
        return HANDSHAKE_CLOSE;
    return HANDSHAKE_LATER;
}

static enum handshake_action follow_open(const struct handshake_facts *f)
{
    return f->phase == VIF_PHASE_WAITING ? HANDSHAKE_NONE : HANDSHAKE_REOPEN;
}

static enum handshake_action follow_connected(const struct handshake_facts *f)
{
    if (f->phase == VIF_PHASE_WAITING)
        return f->dwelt ? HANDSHAKE_CONNECT : HANDSHAKE_LATER;
    if (f->phase == VIF_PHASE_CONNECTED && f->back_state == XenbusStateReconfigured)
        return HANDSHAKE_RECONFIGURED;
    return f->phase == VIF_PHASE_CLOSED ? HANDSHAKE_REOPEN : HANDSHAKE_NONE;
}

/* Linux' frontend waits for us in this state, and then returns to Connected. */
static enum handshake_action follow_reconfiguring(const struct handshake_facts *f)
{
    if (f->phase == VIF_PHASE_WAITING) /* a backend before us was in use */
        return follow_connected(f);
    return f->phase == VIF_PHASE_CONNECTED && f->back_state != XenbusStateReconfigured
               ? HANDSHAKE_RECONFIGURE
               : HANDSHAKE_NONE;
}

static enum handshake_action follow_closing(const struct handshake_facts *f)
{
    return f->phase == VIF_PHASE_WAITING || f->phase == VIF_PHASE_CONNECTED ? HANDSHAKE_CLOSE
                                                                            : HANDSHAKE_NONE;
}

static enum handshake_action follow_closed(const struct handshake_facts *f)
{
    return f->phase == VIF_PHASE_CLOSED ? HANDSHAKE_NONE : HANDSHAKE_SHUT;
}

/* The frontend's directory has vanished but the vif is wanted: its nodes may be written anew. */
static enum handshake_action follow_absent(const struct handshake_facts *f)
{
    return f->phase == VIF_PHASE_CONNECTED || f->phase == VIF_PHASE_CLOSING ? HANDSHAKE_SHUT
                                                                            : HANDSHAKE_NONE;
}

static enum handshake_action follow_garbage(const struct handshake_facts *f)
{
    return f->phase == VIF_PHASE_WAITING || f->phase == VIF_PHASE_CONNECTED ? HANDSHAKE_FAIL
                                                                            : HANDSHAKE_NONE;
}

enum handshake_action handshake_next(const struct handshake_facts *f)
{
    if (!f->has_online) /* a lone state node is our own late write into a removed directory */
        return f->back_state == HANDSHAKE_STATE_ABSENT ? HANDSHAKE_FORGET : HANDSHAKE_REMOVE;
    if (!f->online)
        return leave(f);
    if (f->phase == VIF_PHASE_NEW)
        return HANDSHAKE_OFFER;
    if (f->phase == VIF_PHASE_REFUSED)
        return HANDSHAKE_NONE;
    switch (f->front_state) {
    case HANDSHAKE_STATE_ABSENT:
        return follow_absent(f);
    case XenbusStateInitialising:
    case XenbusStateInitWait:
        return follow_open(f);
    case XenbusStateInitialised:
    case XenbusStateConnected:
        return follow_connected(f);
    case XenbusStateReconfiguring:
        return follow_reconfiguring(f);
    case XenbusStateClosing:
        return follow_closing(f);
    case XenbusStateClosed:
        return follow_closed(f);
    default:
        return follow_garbage(f);
    }
}
