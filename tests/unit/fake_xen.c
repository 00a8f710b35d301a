/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap */
#endif
#include "fake_xen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_internal.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/frames.h"
#include "xen/gnttab.h"
#include "xen/gnttab_pages.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/status.h"
#include "xen/timer.h"

#define GRANTS_MAX 8192
#define LINES_MAX 512
#define TICK_NS 1000000ull

static uint64_t now;
static struct timer *timers;

static struct grant {
    domid_t owner;
    grant_ref_t ref;
    void *page;
    bool read_only;
} grants[GRANTS_MAX];
static unsigned int nr_grants, copy_ops, copy_calls, copy_fail;
static void (*copy_watch)(void);
static bool resuming;
static struct mapping {
    bool mapped, old; /* old: not resumed yet */
    domid_t owner;
    grant_ref_t ref;
    void *page, *alias; /* alias: the second mapping of one of fake_page_alloc(), or NULL */
} mappings[GRANT_SLOTS];

#define OWN_PAGES_MAX 512
static void *own_pages[OWN_PAGES_MAX];

static struct {
    bool counts;
    unsigned int nr, at, from;
} inject;

/* Of the page window. Handles are such that no other number can stand for one. */
#define HANDLE_OF(slot) (0xbeef0000u + (slot))
static struct mapping pages[PAGE_SLOTS];

static struct port_end {
    bool offered, bound, old, gone;
    domid_t domid;
    evtchn_port_t remote;
    evtchn_fn *handler;
    void *ctx;
    unsigned int notified;
} ends[EVTCHN_MAX];

static char lines[LINES_MAX][256];
static unsigned int nr_lines;

void fake_inject(unsigned int at, unsigned int from, int err)
{
    inject = (typeof(inject)){ .counts = true, .at = at, .from = from };
    fake_store_error(err);
}

unsigned int fake_inject_end(void)
{
    inject.counts = false;
    return inject.nr;
}

bool fake_inject_fails(void)
{
    if (!inject.counts)
        return false;
    inject.nr++;
    return inject.nr == inject.at || (inject.from && inject.nr >= inject.from);
}

void *fake_page_alloc(void)
{
    void *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned int i = 0;

    while (i < OWN_PAGES_MAX && own_pages[i])
        i++;
    INVARIANT(page != MAP_FAILED && i < OWN_PAGES_MAX);
    return own_pages[i] = page;
}

void fake_page_free(void *page)
{
    unsigned int i = 0;

    if (!page)
        return;
    while (i < OWN_PAGES_MAX && own_pages[i] != page)
        i++;
    INVARIANT(i < OWN_PAGES_MAX);
    own_pages[i] = NULL;
    munmap(page, PAGE_SIZE);
}

/* What the backend sees of a page; the page itself where it is none of fake_page_alloc(). */
static void *alias_map(struct mapping *m)
{
    for (unsigned int i = 0; i < OWN_PAGES_MAX; i++)
        if (own_pages[i] == m->page) {
            m->alias = mremap(m->page, 0, PAGE_SIZE, MREMAP_MAYMOVE);
            INVARIANT(m->alias != MAP_FAILED);
            return m->alias;
        }
    return m->page;
}

static void alias_unmap(struct mapping *m)
{
    if (m->alias)
        munmap(m->alias, PAGE_SIZE);
    *m = (struct mapping){ 0 };
}

void fake_xen_reset(void)
{
    inject.counts = false;
    fake_store_reset();
    now = 1000000000000ull;
    timers = NULL;
    nr_grants = copy_ops = copy_calls = copy_fail = nr_lines = 0;
    for (unsigned int i = 0; i < GRANT_SLOTS; i++)
        alias_unmap(&mappings[i]);
    memset(pages, 0, sizeof(pages));
    memset(ends, 0, sizeof(ends));
    resuming = false;
    copy_watch = NULL;
}

void fake_xen_restart(void)
{
    fake_store_restart();
    timers = NULL;
    resuming = true;
    for (unsigned int i = 0; i < GRANT_SLOTS; i++)
        mappings[i].old = mappings[i].mapped;
    for (unsigned int i = 0; i < EVTCHN_MAX; i++) {
        ends[i].old = ends[i].bound;
        ends[i].handler = NULL;
    }
}

void fake_resuming(bool is)
{
    resuming = is;
}

bool recovery_resuming(void)
{
    return resuming;
}

bool recovery_keeps_nic(void)
{
    return resuming;
}

uint32_t recovery_sum(const void *data, size_t len)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ ((const uint8_t *)data)[i]) * 16777619u;
    return sum ? sum : 1;
}

void fake_xen_run(void)
{
    while (fake_store_step())
        ;
}

void fake_xen_sleep(uint64_t ns)
{
    uint64_t end = now + ns;

    do {
        fake_xen_run();
        now = end - now < TICK_NS ? end : now + TICK_NS;
        timers_run(now);
        fake_xen_run();
    } while (now < end);
}

void status_port_set(const char *name)
{
    (void)name;
}

uint64_t clock_now(void)
{
    return now;
}

uint64_t clock_last(void)
{
    return now;
}

void timer_arm(struct timer *timer, uint64_t deadline_ns, timer_fn *fn, void *ctx)
{
    timer_cancel(timer);
    *timer = (struct timer){ timers, deadline_ns, fn, ctx, true };
    timers = timer;
}

void timer_cancel(struct timer *timer)
{
    if (!timer->armed)
        return;
    for (struct timer **at = &timers; *at; at = &(*at)->next)
        if (*at == timer) {
            *at = timer->next;
            break;
        }
    timer->armed = false;
}

unsigned int timers_run(uint64_t now_ns)
{
    unsigned int nr = 0;

    for (struct timer *t = timers; t;) {
        if (t->deadline_ns > now_ns) {
            t = t->next;
            continue;
        }
        timer_cancel(t);
        t->fn(t->ctx);
        nr++;
        t = timers;
    }
    return nr;
}

unsigned long virt_to_mfn(const void *va)
{
    return (uintptr_t)va >> PAGE_SHIFT;
}

static struct grant *grant_find(domid_t owner, grant_ref_t ref)
{
    for (unsigned int i = 0; i < nr_grants; i++)
        if (grants[i].owner == owner && grants[i].ref == ref)
            return &grants[i];
    return NULL;
}

void fake_grant(domid_t owner, grant_ref_t ref, void *page)
{
    struct grant *grant = grant_find(owner, ref);

    if (!grant) {
        INVARIANT(nr_grants < GRANTS_MAX);
        grant = &grants[nr_grants++];
    }
    *grant = (struct grant){ owner, ref, page, false };
}

void fake_grant_read_only(domid_t owner, grant_ref_t ref)
{
    grant_find(owner, ref)->read_only = true;
}

unsigned int fake_pages_mapped(domid_t owner, grant_ref_t ref)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < PAGE_SLOTS; i++)
        nr += pages[i].mapped && pages[i].owner == owner &&
              (ref == FAKE_REF_ANY || pages[i].ref == ref);
    return nr;
}

void fake_pages_forget(unsigned int slot)
{
    pages[slot].mapped = false;
}

uint8_t *gnttab_page_va(unsigned int slot)
{
    INVARIANT(slot < PAGE_SLOTS && pages[slot].mapped);
    return pages[slot].page;
}

int gnttab_pages_map(domid_t peer, struct gnttab_page *list, unsigned int nr)
{
    INVARIANT(nr <= GNTTAB_PAGES_BATCH);
    for (unsigned int i = 0; i < nr; i++) {
        struct grant *grant = grant_find(peer, list[i].ref);

        if (!grant || !grant->page || (grant->read_only && !list[i].read_only)) {
            INVARIANT(gnttab_pages_unmap(list, i) == 0);
            return -EINVAL;
        }
        INVARIANT(list[i].slot < PAGE_SLOTS && !pages[list[i].slot].mapped);
        pages[list[i].slot] = (struct mapping){ true, false, peer, list[i].ref, grant->page, NULL };
        list[i].handle = HANDLE_OF(list[i].slot);
    }
    return 0;
}

unsigned int gnttab_pages_unmap(const struct gnttab_page *list, unsigned int nr)
{
    unsigned int refused = 0;

    for (unsigned int i = 0; i < nr; i++) {
        struct mapping *page = &pages[list[i].slot];

        if (!page->mapped || list[i].handle != HANDLE_OF(list[i].slot))
            refused++;
        else
            page->mapped = false;
    }
    return refused;
}

int gnttab_map(domid_t peer, grant_ref_t ref, void **va_r, unsigned int *slot_r)
{
    struct grant *grant = grant_find(peer, ref);
    unsigned int slot = 0;

    if (!grant || !grant->page || fake_inject_fails())
        return -EINVAL;
    while (slot < GRANT_SLOTS && mappings[slot].mapped)
        slot++;
    if (slot == GRANT_SLOTS)
        return -ENOSPC;
    mappings[slot] = (struct mapping){ true, false, peer, ref, grant->page, NULL };
    *va_r = alias_map(&mappings[slot]);
    *slot_r = slot;
    return 0;
}

void gnttab_unmap(unsigned int slot)
{
    INVARIANT(slot < GRANT_SLOTS && mappings[slot].mapped && !mappings[slot].old);
    alias_unmap(&mappings[slot]);
}

int gnttab_resume(unsigned int slot, domid_t peer, grant_ref_t ref, void **va_r)
{
    struct mapping *m = &mappings[slot];

    if (slot >= GRANT_SLOTS || !m->mapped || !m->old || m->owner != peer || m->ref != ref ||
        fake_inject_fails())
        return -ENOENT;
    m->old = false;
    *va_r = m->alias ? m->alias : m->page;
    return 0;
}

void gnttab_sweep(void)
{
    for (unsigned int i = 0; i < GRANT_SLOTS; i++)
        if (mappings[i].old)
            alias_unmap(&mappings[i]);
}

unsigned int gnttab_nr_maps(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < GRANT_SLOTS; i++)
        nr += mappings[i].mapped;
    return nr;
}

static uint8_t *copy_end(const struct gnttab_copy_ptr *ptr, bool is_ref)
{
    struct grant *grant;

    if (!is_ref)
        return ptr->domid == DOMID_SELF ? (uint8_t *)(ptr->u.gmfn << PAGE_SHIFT) : NULL;
    grant = grant_find(ptr->domid, ptr->u.ref);
    return grant ? grant->page : NULL;
}

static int16_t copy_one(const gnttab_copy_t *op)
{
    uint8_t *from = copy_end(&op->source, op->flags & GNTCOPY_source_gref);
    uint8_t *to = copy_end(&op->dest, op->flags & GNTCOPY_dest_gref);

    copy_ops++;
    if ((copy_fail && --copy_fail == 0) || fake_inject_fails())
        return GNTST_eagain;
    if (!from || !to)
        return GNTST_bad_gntref;
    if (op->flags & GNTCOPY_dest_gref && grant_find(op->dest.domid, op->dest.u.ref)->read_only)
        return GNTST_permission_denied;
    if (op->source.offset + op->len > PAGE_SIZE || op->dest.offset + op->len > PAGE_SIZE)
        return GNTST_bad_copy_arg;
    memcpy(to + op->dest.offset, from + op->source.offset, op->len);
    return GNTST_okay;
}

void gnttab_copy(gnttab_copy_t *ops, unsigned int nr)
{
    if (nr)
        copy_calls++;
    if (copy_watch)
        copy_watch();
    for (unsigned int i = 0; i < nr; i++)
        ops[i].status = copy_one(&ops[i]);
}

void fake_copy_watch(void (*fn)(void))
{
    copy_watch = fn;
}

void fake_copy_fail(unsigned int nth)
{
    copy_fail = nth;
}

unsigned int fake_copy_ops(void)
{
    return copy_ops;
}

unsigned int fake_copy_calls(void)
{
    return copy_calls;
}

static struct port_end *end_find(domid_t domid, evtchn_port_t remote)
{
    for (unsigned int i = 0; i < EVTCHN_MAX; i++)
        if ((ends[i].offered || ends[i].bound) && ends[i].domid == domid &&
            ends[i].remote == remote)
            return &ends[i];
    return NULL;
}

void fake_port_offer(domid_t domid, evtchn_port_t remote_port)
{
    struct port_end *end = end_find(domid, remote_port);

    for (unsigned int i = 0; !end && i < EVTCHN_MAX; i++)
        if (!ends[i].offered && !ends[i].bound)
            end = &ends[i];
    INVARIANT(end);
    *end = (struct port_end){ .offered = true, .domid = domid, .remote = remote_port };
}

int evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port, evtchn_fn *handler,
                            void *ctx, evtchn_port_t *port_r)
{
    struct port_end *end = end_find(remote, remote_port);

    if (!end || end->bound || fake_inject_fails())
        return -EINVAL;
    end->bound = true;
    end->handler = handler;
    end->ctx = ctx;
    *port_r = (evtchn_port_t)(end - ends) + 1;
    return 0;
}

/* The other end is open again, as Xen leaves it. */
void evtchn_close(evtchn_port_t port)
{
    if (port == 0)
        return;
    INVARIANT(port <= EVTCHN_MAX && ends[port - 1].bound && !ends[port - 1].old);
    ends[port - 1].bound = false;
    ends[port - 1].offered = !ends[port - 1].gone;
}

int evtchn_resume(evtchn_port_t port, domid_t remote, uint16_t kind, evtchn_fn *handler, void *ctx)
{
    struct port_end *end = &ends[port - 1];

    if (port == 0 || port > EVTCHN_MAX || !end->bound || !end->old || end->gone ||
        end->domid != remote || kind != EVTCHNSTAT_interdomain || fake_inject_fails())
        return -ENOENT;
    end->old = false;
    end->handler = handler;
    end->ctx = ctx;
    return 0;
}

void evtchn_sweep(void)
{
    for (unsigned int i = 0; i < EVTCHN_MAX; i++)
        if (ends[i].bound && ends[i].old) {
            ends[i].old = false;
            evtchn_close(i + 1);
        }
}

void fake_port_gone(domid_t domid, evtchn_port_t remote_port)
{
    struct port_end *end = end_find(domid, remote_port);

    INVARIANT(end);
    end->gone = true;
}

void evtchn_notify(evtchn_port_t port)
{
    INVARIANT(port && port <= EVTCHN_MAX && ends[port - 1].bound && !ends[port - 1].old);
    ends[port - 1].notified++;
}

unsigned int evtchn_nr_open(void)
{
    unsigned int nr = 0;

    for (unsigned int i = 0; i < EVTCHN_MAX; i++)
        nr += ends[i].bound;
    return nr;
}

void fake_port_ring(domid_t domid, evtchn_port_t remote_port)
{
    struct port_end *end = end_find(domid, remote_port);

    if (end && end->bound && end->handler)
        end->handler(end->ctx);
}

unsigned int fake_port_notified(domid_t domid, evtchn_port_t remote_port)
{
    struct port_end *end = end_find(domid, remote_port);
    unsigned int nr = end ? end->notified : 0;

    if (end)
        end->notified = 0;
    return nr;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    (void)level;
    INVARIANT(nr_lines < LINES_MAX);
    va_start(ap, fmt);
    vsnprintf(lines[nr_lines++], sizeof(lines[0]), fmt, ap);
    va_end(ap);
}

bool log_enabled(enum log_level level)
{
    (void)level;
    return true;
}

bool log_limit_pass(struct log_limit *limit)
{
    return limit->tokens_used++ < LOG_LIMIT_BURST;
}

bool fake_log_has(const char *text)
{
    for (unsigned int i = 0; i < nr_lines; i++)
        if (strstr(lines[i], text))
            return true;
    return false;
}

unsigned int fake_log_lines(void)
{
    return nr_lines;
}

void panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    abort();
}
