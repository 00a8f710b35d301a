/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handshake with pciback: the page and the event channel are published with state Initialised;
 * pciback answers with Connected and the list of devices; we say Connected. When dom0 takes devices
 * away, pciback goes through Reconfiguring and Reconfigured, each of which we answer at once: libxl
 * waits for it, also when it destroys the domain.
 */
#include "xen/pcifront.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "arch/x86/layout.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/log.h"
#include "xen/pcifront_device.h"
#include "xen/pcifront_op.h"
#include "xen/recovery.h"
#include "xen/xenstore.h"

#define FRONTEND "device/pci/0"
#define TIMEOUT_NS 20000000000ull
#define NS_PER_US 1000u

/* A node to read, and its value. */
struct query {
    char value[XENSTORE_PATH_SIZE];
    int err; /* -EINPROGRESS until the answer is there */
};

static char backend[XENSTORE_PATH_SIZE];
static uint32_t backend_state;
static bool is_connected; /* the boot is over: changes of state are answered */
static char state_path[XENSTORE_PATH_SIZE];

static void query_done(void *ctx, int err, const char *value, size_t len)
{
    struct query *query = ctx;

    if (err == 0 && (len >= sizeof(query->value) || memchr(value, '\0', len)))
        err = -EPROTO;
    if (err == 0)
        memcpy(query->value, value, len + 1);
    query->err = err;
}

/* Put the question without waiting. */
static void query_start(struct query *query, const char *path)
{
    int err;

    query->err = -EINPROGRESS;
    err = xenstore_read(0, path, query_done, query);
    if (err != 0)
        query->err = err;
}

/* Wait for the answers of nr queries; what did not come in time becomes -ETIMEDOUT. */
static void queries_wait(struct query *queries, unsigned int nr, uint64_t deadline_ns)
{
    for (unsigned int i = 0; i < nr; i++) {
        while (queries[i].err == -EINPROGRESS && clock_now() < deadline_ns) {
            evtchn_sleep_until(deadline_ns);
            evtchn_dispatch();
        }
        if (queries[i].err == -EINPROGRESS) {
            xenstore_forget(&queries[i]);
            queries[i].err = -ETIMEDOUT;
        }
    }
}

/* Nobody waits for the answer: xenstored takes requests in order, and what follows depends on it. */
static int node_write(const char *name, uint32_t value)
{
    char path[XENSTORE_PATH_SIZE], text[16];
    int err = xenstore_path(path, sizeof(path), FRONTEND "/%s", name);

    snprintf(text, sizeof(text), "%u", value);
    return err != 0 ? err : xenstore_write(0, path, text, NULL, NULL);
}

/* libxl waits for these, the last as the domain ends. */
static void state_answer(void)
{
    uint32_t answer = 0;

    if (backend_state == XenbusStateReconfiguring || backend_state == XenbusStateClosing) {
        log_warn("pcifront: dom0 takes our devices away");
        pcifront_op_revoke();
        answer = backend_state == XenbusStateClosing ? (uint32_t)XenbusStateClosed
                                                     : (uint32_t)XenbusStateReconfiguring;
    } else if (backend_state == XenbusStateReconfigured) {
        answer = XenbusStateConnected;
    }
    if (answer != 0 && node_write("state", answer) != 0)
        log_error("pcifront: cannot answer dom0");
}

static void state_read(void *ctx, int err, const char *value, size_t len)
{
    uint32_t state;

    (void)ctx;
    (void)len;
    if (err != 0 || xenstore_parse_u32(value, XenbusStateReconfigured, &state) != 0)
        return;
    if (state == backend_state)
        return;
    backend_state = state;
    pcifront_seal();
    if (is_connected)
        state_answer();
}

static void state_changed(void *ctx, const char *path)
{
    (void)path;
    if (xenstore_read(0, ctx, state_read, NULL) != 0)
        log_error("pcifront: a change of the backend's state goes unread");
}

/* Where the backend is. Returns -ENOENT if the domain was given no device. */
static int backend_find(domid_t *domid_r)
{
    struct query queries[2];
    uint32_t domid;

    query_start(&queries[0], FRONTEND "/backend");
    query_start(&queries[1], FRONTEND "/backend-id");
    queries_wait(queries, 2, clock_now() + TIMEOUT_NS);
    if (queries[0].err != 0)
        return queries[0].err;
    if (queries[1].err != 0 ||
        xenstore_parse_u32(queries[1].value, DOMID_FIRST_RESERVED - 1, &domid) != 0 ||
        queries[0].value[0] != '/')
        return -EPROTO;
    memcpy(backend, queries[0].value, sizeof(backend));
    *domid_r = (domid_t)domid;
    return 0;
}

static int connect_start(domid_t domid)
{
    unsigned int watch_id;
    evtchn_port_t port;
    grant_ref_t ref;
    int err = xenstore_path(state_path, sizeof(state_path), "%s/state", backend);

    if (err == 0)
        err = pcifront_op_open(domid, &ref, &port);
    if (err != 0)
        return err;
    err = node_write("pci-op-ref", ref);
    if (err == 0)
        err = node_write("event-channel", port);
    if (err == 0)
        err = xenstore_write(0, FRONTEND "/magic", XEN_PCI_MAGIC, NULL, NULL);
    if (err == 0)
        err = node_write("state", XenbusStateInitialised);
    if (err == 0)
        err = xenstore_watch(state_path, state_changed, state_path, &watch_id);
    if (err != 0)
        pcifront_op_close();
    return err;
}

static int connect_wait(void)
{
    uint64_t deadline_ns = clock_now() + TIMEOUT_NS;

    while (backend_state != XenbusStateConnected) {
        if (backend_state == XenbusStateClosing || backend_state == XenbusStateClosed)
            return -ECONNREFUSED;
        if (clock_now() >= deadline_ns)
            return -ETIMEDOUT;
        evtchn_sleep_until(deadline_ns);
        evtchn_dispatch();
    }
    return 0;
}

/* The devices as pciback shows them to us: its nodes vdev-0, vdev-1, ... */
static int devices_scan(void)
{
    struct query queries[PCIFRONT_MAX_DEVICES];
    char path[XENSTORE_PATH_SIZE];

    for (unsigned int i = 0; i < PCIFRONT_MAX_DEVICES; i++) {
        if (xenstore_path(path, sizeof(path), "%s/vdev-%u", backend, i) != 0)
            return -ENAMETOOLONG;
        query_start(&queries[i], path);
    }
    queries_wait(queries, PCIFRONT_MAX_DEVICES, clock_now() + TIMEOUT_NS);
    for (unsigned int i = 0; i < PCIFRONT_MAX_DEVICES; i++) {
        struct pci_address address;
        int err = queries[i].err;

        if (err == -ENOENT)
            continue;
        if (err == 0)
            err = pci_address_parse(queries[i].value, &address);
        if (err == 0)
            err = pcifront_device_add(&address);
        if (err != 0)
            log_error("pcifront: device %u cannot be used: %d", i, err);
    }
    return 0;
}

static unsigned long us_since(uint64_t start_ns)
{
    return (unsigned long)((clock_now() - start_ns) / NS_PER_US);
}

static int connect(void)
{
    uint64_t start_ns = clock_now();
    unsigned long found_us, connected_us;
    domid_t domid;
    int err = backend_find(&domid);

    found_us = us_since(start_ns);

    if (err == 0)
        err = connect_start(domid);
    if (err == 0)
        err = connect_wait();
    connected_us = us_since(start_ns);
    if (err == 0)
        err = devices_scan();
    if (err == 0)
        err = node_write("state", XenbusStateConnected);
    if (err != 0)
        return err;
    is_connected = true;
    pcifront_seal();
    log_debug("pcifront: backend found after %lu us, connected %lu us, devices scanned %lu us",
              found_us, connected_us, us_since(start_ns));
    return 0;
}

static size_t state_size(void)
{
    return (size_t)(pcifront_state_end - pcifront_state_start);
}

void pcifront_seal(void)
{
    if (is_connected)
        recovery_note_pcifront(recovery_sum(pcifront_state_start, state_size()));
}

int pcifront_resume(const struct pcifront_device **devices_r)
{
    uint32_t sum = recovery_page()->pcifront_sum;
    unsigned int nr;

    if (sum == 0)
        return 0;
    if (recovery_sum(pcifront_state_start, state_size()) != sum)
        return -EIO;
    *devices_r = pcifront_devices(&nr);
    return pcifront_op_resume() == 0 ? (int)nr : -ENOTCONN;
}

int pcifront_watch(void)
{
    unsigned int watch_id;

    return is_connected ? xenstore_watch(state_path, state_changed, state_path, &watch_id) : 0;
}

int pcifront_init(const struct pcifront_device **devices_r)
{
    unsigned int nr;
    int err = connect();

    if (err == -ENOENT)
        log_warn(
            "pcifront: no PCI device: guests reach each other only (pci=[...] hands one over)");
    else if (err != 0)
        log_error("pcifront: no connection to the backend in dom0 (its state is %u): %d",
                  backend_state, err);
    *devices_r = pcifront_devices(&nr);
    return err == -ENOENT ? 0 : err != 0 ? err : (int)nr;
}
