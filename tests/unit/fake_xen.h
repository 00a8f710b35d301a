/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands behind domain/xen/ in host tests: a xenstore that answers later and not inside the
 * call, grants that are pages of this process, event channels that count, a clock that is set.
 * Paths given to fake_store_* are absolute; "our" domain is FAKE_DOMID.
 */
#ifndef FAKE_XEN_H
#define FAKE_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>

#define FAKE_DOMID 5

/* Forget everything: nodes, requests, grants, ports, timers, log lines. */
void fake_xen_reset(void);

/*
 * The kernel has restarted itself: timers, watches and requests are gone, and what is mapped or bound
 * has to be resumed, or is given back by gnttab_sweep() and evtchn_sweep(). Nodes and the clock stay.
 */
void fake_xen_restart(void);
void fake_resuming(bool resuming); /* only what recovery_resuming() says */

/* Answer requests and deliver events until nothing is left; does not move the clock. */
void fake_xen_run(void);

/* Move the clock in steps, running timers and all that follows. */
void fake_xen_sleep(uint64_t ns);

/* As another domain would: watches fire. A NULL value removes the node and all below it. */
void fake_store_write(const char *path, const char *value);
const char *fake_store_read(const char *path); /* NULL: no such node */
unsigned int fake_store_nodes(void);
unsigned int fake_store_watches(void);

/* From now on refuse requests (-ENOBUFS); writes by us to paths that contain this (NULL: none). */
void fake_store_full(bool full);
void fake_store_refuse_writes(const char *part);
void fake_store_refuse_removals(bool refuse); /* of ours, all of them, as if they were not ours */
unsigned int fake_store_writes(void); /* by us, since the reset; removals too */
unsigned int fake_store_requests(void); /* made since the reset */

/*
 * Let operations fail on purpose. From fake_inject() on each operation that can fail is a point, counted from 1: a grant
 * that is mapped, resumed or copied, a port that is bound or resumed, a request or watch of xenstore when it is made, and
 * what a request is answered. With from == 0 the one point `at` fails, else all from `from` on; with neither none.
 * Answers of xenstore fail with `err`.
 */
void fake_inject(unsigned int at, unsigned int from, int err);
unsigned int fake_inject_end(void); /* nothing fails any more; how many points there were */
bool fake_inject_fails(void); /* for fakes: at each point */

/*
 * A page that is mapped a second time when it is granted and mapped: whoever uses a ring that it has given
 * back gets a fault. Free it with fake_page_free(); NULL is none.
 */
void *fake_page_alloc(void);
void fake_page_free(void *page);

/* The grant of a page as it is now is for reading only. */
void fake_grant_read_only(domid_t owner, grant_ref_t ref);

/* Pages of data mapped now (xen/gnttab_pages.h), of one reference or (FAKE_REF_ANY) of all. */
#define FAKE_REF_ANY UINT32_MAX
unsigned int fake_pages_mapped(domid_t owner, grant_ref_t ref);
void fake_pages_forget(unsigned int slot); /* it is mapped no more, nobody knows why */

/* Let a page be mapped and copied with this reference by FAKE_DOMID; NULL takes that back. */
void fake_grant(domid_t owner, grant_ref_t ref, void *page);
void fake_copy_fail(unsigned int nth); /* the nth copy from now (1 is the next) fails; 0: none */
unsigned int fake_copy_ops(void); /* since the reset */
unsigned int fake_copy_calls(void);
void fake_copy_watch(void (*fn)(void)); /* called before each batch of copies; NULL: no more */

/* A port of another domain's that we may bind, once. */
void fake_port_offer(domid_t domid, evtchn_port_t remote_port);
void fake_port_ring(domid_t domid, evtchn_port_t remote_port); /* the other side notifies */
unsigned int fake_port_notified(domid_t domid,
                                evtchn_port_t remote_port); /* by us, since last asked */

/* The other domain is gone, or has closed its end. */
void fake_port_gone(domid_t domid, evtchn_port_t remote_port);

/* Whether a log line contains this text. */
bool fake_log_has(const char *text);
unsigned int fake_log_lines(void);

#endif
