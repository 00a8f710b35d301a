/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/hypercall.h"
#include "xen/log.h"
#include "xen/recovery.h"

struct binding {
    evtchn_port_t port; /* 0: free (Xen never hands out port 0) */
    evtchn_fn *handler;
    void *ctx;
};

static struct binding bindings[EVTCHN_MAX];
static unsigned int nr_used; /* entries below this may be in use */

#define BITS_PER_WORD (8 * sizeof(xen_ulong_t))
#define WORDS (sizeof(shared_info->evtchn_pending) / sizeof(xen_ulong_t))

/* Bit p % 64 of word p / 64: port p is in use; its binding is bindings[places[p]]. */
static xen_ulong_t bound[WORDS];
static uint8_t places[WORDS * BITS_PER_WORD];
static unsigned int nr_words; /* words below this may have bits */

/* For SCHEDOP_poll: all ports in use. */
static evtchn_port_t poll_ports[EVTCHN_MAX];
static unsigned int nr_poll_ports;

_Static_assert(EVTCHN_MAX <= UINT8_MAX + 1, "a place is a byte");

static bool test_and_clear_pending(evtchn_port_t port)
{
    xen_ulong_t bit = (xen_ulong_t)1 << (port % BITS_PER_WORD);
    xen_ulong_t *word = &shared_info->evtchn_pending[port / BITS_PER_WORD];

    if ((READ_ONCE(*word) & bit) == 0)
        return false;
    return (__atomic_fetch_and(word, ~bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

/* What changes seldom is made anew from the bindings, for what is looked at in each turn of the loop. */
static void tables_make(void)
{
    memset(bound, 0, sizeof(bound));
    nr_words = nr_poll_ports = 0;
    for (unsigned int i = 0; i < nr_used; i++) {
        evtchn_port_t port = bindings[i].port;
        unsigned int word = port / BITS_PER_WORD;

        if (port == 0)
            continue;
        INVARIANT(word < WORDS);
        bound[word] |= (xen_ulong_t)1 << (port % BITS_PER_WORD);
        places[port] = (uint8_t)i;
        poll_ports[nr_poll_ports++] = port;
        if (word >= nr_words)
            nr_words = word + 1;
    }
}

void evtchn_init(void)
{
    memset(shared_info->evtchn_mask, 0xff, sizeof(shared_info->evtchn_mask));
    shared_info->vcpu_info[0].evtchn_upcall_mask = 1;
}

static int port_free_in_xen(evtchn_port_t port)
{
    struct evtchn_close close = { .port = port };

    return hypercall_evtchn_op(EVTCHNOP_close, &close);
}

/*
 * Places in the recovery page and here are the same. A place that the page calls taken and that is
 * free here holds a port of the last start, which nobody has resumed yet.
 */
static bool is_noted(evtchn_port_t port)
{
    for (unsigned int i = 0; i < EVTCHN_MAX; i++)
        if (bindings[i].port == 0 && recovery_page()->ports[i].port == port)
            return true;
    return false;
}

static int binding_add(evtchn_port_t port, domid_t remote, uint16_t kind, evtchn_fn *handler,
                       void *ctx)
{
    evtchn_port_t noted = is_noted(port) ? port : 0;

    for (unsigned int i = 0; i < EVTCHN_MAX; i++) {
        if (bindings[i].port != 0 || recovery_page()->ports[i].port != noted)
            continue;
        bindings[i] = (struct binding){ .port = port, .handler = handler, .ctx = ctx };
        if (i >= nr_used)
            nr_used = i + 1;
        tables_make();
        recovery_note_port(i, port, remote, kind);
        return 0;
    }
    return -ENOSPC;
}

/* Keep a port that Xen just gave us, or give it back. */
static int binding_keep(evtchn_port_t port, domid_t remote, uint16_t kind, evtchn_fn *handler,
                        void *ctx, evtchn_port_t *port_r)
{
    int rc = binding_add(port, remote, kind, handler, ctx);

    if (rc != 0)
        port_free_in_xen(port);
    else
        *port_r = port;
    return rc;
}

int evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port, evtchn_fn *handler,
                            void *ctx, evtchn_port_t *port_r)
{
    struct evtchn_bind_interdomain bind = { .remote_dom = remote, .remote_port = remote_port };
    int rc = hypercall_evtchn_op(EVTCHNOP_bind_interdomain, &bind);

    if (rc != 0)
        return rc;
    return binding_keep(bind.local_port, remote, EVTCHNSTAT_interdomain, handler, ctx, port_r);
}

int evtchn_alloc_unbound(domid_t remote, evtchn_fn *handler, void *ctx, evtchn_port_t *port_r)
{
    struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = remote };
    int rc = hypercall_evtchn_op(EVTCHNOP_alloc_unbound, &alloc);

    if (rc != 0)
        return rc;
    return binding_keep(alloc.port, remote, EVTCHNSTAT_unbound, handler, ctx, port_r);
}

int evtchn_bind_pirq(uint32_t pirq, bool shareable, evtchn_fn *handler, void *ctx,
                     evtchn_port_t *port_r)
{
    struct evtchn_bind_pirq bind = { .pirq = pirq, .flags = shareable ? BIND_PIRQ__WILL_SHARE : 0 };
    int rc = hypercall_evtchn_op(EVTCHNOP_bind_pirq, &bind);

    if (rc != 0)
        return rc;
    return binding_keep(bind.port, DOMID_SELF, EVTCHNSTAT_pirq, handler, ctx, port_r);
}

int evtchn_adopt(evtchn_port_t port, evtchn_fn *handler, void *ctx)
{
    struct evtchn_status status = { .dom = DOMID_SELF, .port = port };
    int rc = hypercall_evtchn_op(EVTCHNOP_status, &status);

    if (rc != 0)
        return rc;
    if (status.status != EVTCHNSTAT_interdomain)
        return -ENOTCONN;
    return binding_add(port, status.u.interdomain.dom, (uint16_t)status.status, handler, ctx);
}

int evtchn_resume(evtchn_port_t port, domid_t remote, uint16_t kind, evtchn_fn *handler, void *ctx)
{
    struct evtchn_status status = { .dom = DOMID_SELF, .port = port };

    if (port == 0 || !is_noted(port) || hypercall_evtchn_op(EVTCHNOP_status, &status) != 0 ||
        status.status != kind)
        return -ENOENT;
    if (kind == EVTCHNSTAT_interdomain && status.u.interdomain.dom != remote)
        return -ENOENT;
    return binding_add(port, remote, kind, handler, ctx) == 0 ? 0 : -ENOENT;
}

void evtchn_sweep(void)
{
    for (unsigned int i = 0; i < EVTCHN_MAX; i++) {
        evtchn_port_t port = recovery_page()->ports[i].port;

        if (port == 0 || bindings[i].port != 0)
            continue;
        log_debug("event channel %u of the last start is closed", port);
        recovery_note_port(i, 0, 0, 0);
        (void)port_free_in_xen(port);
        test_and_clear_pending(port);
    }
}

void evtchn_close(evtchn_port_t port)
{
    if (port == 0)
        return;
    for (unsigned int i = 0; i < nr_used; i++) {
        if (bindings[i].port != port)
            continue;
        bindings[i] = (struct binding){ 0 };
        tables_make();
        recovery_note_port(i, 0, 0, 0);
        INVARIANT(port_free_in_xen(port) == 0);
        /* The number is reused: what is pending now was meant for its last owner. */
        test_and_clear_pending(port);
        return;
    }
    panic("event channel %u is closed but was never open", port);
}

static uint64_t nr_notified;

uint64_t evtchn_nr_notified(void)
{
    return nr_notified;
}

void evtchn_notify(evtchn_port_t port)
{
    struct evtchn_send send = { .port = port };

    /* Fails when the peer is gone; its own end is noticed through xenstore. */
    (void)hypercall_evtchn_op(EVTCHNOP_send, &send);
    nr_notified++;
}

unsigned int evtchn_dispatch(void)
{
    unsigned int ran = 0;

    for (unsigned int w = 0; w < nr_words; w++) {
        xen_ulong_t *word = &shared_info->evtchn_pending[w];
        xen_ulong_t pending = READ_ONCE(*word) & bound[w];

        if (!pending)
            continue;
        __atomic_fetch_and(word, ~pending, __ATOMIC_SEQ_CST);
        for (; pending; pending &= pending - 1) {
            evtchn_port_t port = w * BITS_PER_WORD + (unsigned int)__builtin_ctzll(pending);
            const struct binding *binding = &bindings[places[port]];

            /* A handler may have closed it. */
            if (binding->port != port)
                continue;
            binding->handler(binding->ctx);
            ran++;
        }
    }
    return ran;
}

bool evtchn_pending(void)
{
    for (unsigned int w = 0; w < nr_words; w++)
        if (READ_ONCE(shared_info->evtchn_pending[w]) & bound[w])
            return true;
    return false;
}

void evtchn_sleep_until(uint64_t deadline_ns)
{
    struct sched_poll poll = { .nr_ports = nr_poll_ports, .timeout = deadline_ns };

    if (clock_last() >= deadline_ns)
        return;
    set_xen_guest_handle(poll.ports, poll_ports);
    int rc = hypercall_sched_op(SCHEDOP_poll, &poll);
    INVARIANT(rc == 0);
}

unsigned int evtchn_nr_open(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < nr_used; i++)
        nr += bindings[i].port != 0;
    return nr;
}
