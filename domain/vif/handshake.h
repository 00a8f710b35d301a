/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do next with a vif, from what xenstore shows and what was done so far. Pure.
 *
 * The other sides, by their sources: libxl waits up to 10 s for our state to be InitWait when it adds
 * a vif; to remove one it writes online=0 and state=Closing, waits 10 s for Closed and 10 s more for
 * our directory to vanish (what `xl devd` does in a Linux driver domain). It looks at the state when
 * told that it changed, so a state that passes too quickly is missed: hence the dwell times.
 * Linux netfront, on removal, waits for us to follow it to Closing and to Closed; on probe it waits
 * until we have left Closed. It takes a backend in Closing or Closed for the end of the device, so
 * neither is written but for a frontend that closes itself, a removal, or a vif that we gave up.
 */
#ifndef VIF_HANDSHAKE_H
#define VIF_HANDSHAKE_H

#include <stdbool.h>

#include "arch/x86/cpu.h"

/* What was done so far: where we are, not what is written in the state node. */
enum vif_phase {
    VIF_PHASE_NEW, /* just seen */
    VIF_PHASE_REFUSED, /* the toolstack's wishes cannot be met; nothing was offered */
    VIF_PHASE_WAITING, /* InitWait: offered, no rings */
    VIF_PHASE_CONNECTED, /* Connected: rings in use */
    VIF_PHASE_CLOSING, /* Closing: rings given back */
    VIF_PHASE_CLOSED, /* Closed */
};

/* Our state node and the frontend's, as read; their values are enum xenbus_state. */
#define HANDSHAKE_STATE_ABSENT 0 /* the same as XenbusStateUnknown */
#define HANDSHAKE_STATE_GARBAGE (-1)

struct handshake_facts {
    enum vif_phase phase;
    bool has_online; /* the online node exists; libxl writes it first and for good */
    bool online; /* the toolstack wants the vif */
    int back_state; /* HANDSHAKE_STATE_ABSENT: our node is gone */
    int front_state;
    bool dwelt; /* our last state has stood long enough to be seen */
    bool patient; /* the frontend may still have a moment to close by itself */
};

enum handshake_action {
    HANDSHAKE_NONE,
    HANDSHAKE_LATER, /* nothing yet: ask again when the dwell or the patience is over */
    HANDSHAKE_OFFER, /* read the toolstack's nodes, join the bridge, offer, InitWait */
    HANDSHAKE_CONNECT, /* take the frontend's rings, Connected */
    HANDSHAKE_REOPEN, /* give the rings back, InitWait */
    HANDSHAKE_CLOSE, /* give the rings back, Closing */
    HANDSHAKE_RECONFIGURE, /* read what the frontend has changed while in use, Reconfigured */
    HANDSHAKE_RECONFIGURED, /* it is in use again: Connected */
    HANDSHAKE_SHUT, /* give the rings back, Closed */
    HANDSHAKE_FAIL, /* close, and say why: the frontend's state node makes no sense */
    HANDSHAKE_REMOVE, /* remove our directory */
    HANDSHAKE_FORGET, /* it is gone already: free everything */
};

enum handshake_action handshake_next(const struct handshake_facts *facts) __must_check;

#endif
