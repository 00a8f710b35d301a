/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/pcifront_op.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>

#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/hypercall.h"
#include "xen/log.h"
#include "xen/recovery.h"

#define TIMEOUT_NS 2000000000ull
#define AER_RESULT_NONE 1 /* PCI_ERS_RESULT_NONE: not supported by this driver */

/* Ours to write but for `flags` and, while XEN_PCIF_active is set, the answer. */
static alignas(PAGE_SIZE) __outlive union {
    struct xen_pci_sharedinfo info;
    char page[PAGE_SIZE];
} shared;

static grant_ref_t shared_ref;
static evtchn_port_t op_port; /* 0: not open */
static domid_t op_domid;
static bool is_revoked;

static uint32_t flags_read(void)
{
    return __atomic_load_n(&shared.info.flags, __ATOMIC_ACQUIRE);
}

/*
 * An event outside a request: pciback reports an error on the PCI bus (AER). The answer "nobody
 * here can handle it" leaves the decision to dom0.
 */
static void port_handle(void *ctx)
{
    (void)ctx;
    if ((flags_read() & XEN_PCIB_active) == 0)
        return;
    log_error("pcifront: dom0 reports a bus error (%u) on our device",
              READ_ONCE(shared.info.aer_op.cmd));
    shared.info.aer_op.err = AER_RESULT_NONE;
    __atomic_fetch_and(&shared.info.flags, ~(uint32_t)XEN_PCIB_active, __ATOMIC_RELEASE);
    evtchn_notify(op_port);
}

int pcifront_op_open(domid_t backend, grant_ref_t *ref_r, evtchn_port_t *port_r)
{
    int err = gnttab_grant(backend, &shared, false, &shared_ref);

    op_domid = backend;
    if (err != 0)
        return err;
    err = evtchn_alloc_unbound(backend, port_handle, NULL, &op_port);
    if (err != 0) {
        pcifront_op_close();
        return err;
    }
    *ref_r = shared_ref;
    *port_r = op_port;
    return 0;
}

int pcifront_op_resume(void)
{
    return evtchn_resume(op_port, op_domid, EVTCHNSTAT_interdomain, port_handle, NULL);
}

void pcifront_op_close(void)
{
    evtchn_close(op_port);
    op_port = 0;
    if (gnttab_revoke(shared_ref) != 0)
        log_warn("pcifront: the backend keeps our page mapped");
}

void pcifront_op_revoke(void)
{
    is_revoked = true;
    pcifront_seal();
}

/* Sleep until the backend kicks us. Only our own port is looked at: nothing is dispatched. */
static void port_wait(uint64_t deadline_ns)
{
    const unsigned int bits = 8 * sizeof(shared_info->evtchn_pending[0]);
    xen_ulong_t *word = &shared_info->evtchn_pending[op_port / bits];
    struct sched_poll poll = { .nr_ports = 1, .timeout = deadline_ns };

    __atomic_fetch_and(word, ~((xen_ulong_t)1 << (op_port % bits)), __ATOMIC_SEQ_CST);
    if ((flags_read() & XEN_PCIF_active) == 0)
        return;
    set_xen_guest_handle(poll.ports, &op_port);
    (void)hypercall_sched_op(SCHEDOP_poll, &poll);
}

static int answer_wait(void)
{
    uint64_t deadline_ns = clock_now() + TIMEOUT_NS;

    while (flags_read() & XEN_PCIF_active) {
        if (clock_now() >= deadline_ns)
            return -ETIMEDOUT;
        port_wait(deadline_ns);
    }
    return 0;
}

static int errno_of(int32_t err)
{
    switch (err) {
    case XEN_PCI_ERR_success:
        return 0;
    case XEN_PCI_ERR_dev_not_found:
        return -ENODEV;
    case XEN_PCI_ERR_invalid_offset:
        return -EINVAL;
    case XEN_PCI_ERR_access_denied:
        return -EACCES;
    case XEN_PCI_ERR_not_implemented:
        return -ENOSYS;
    default:
        return -EIO;
    }
}

static void request_put(const struct pcifront_device *dev, const struct pcifront_request *request)
{
    struct xen_pci_op *op = &shared.info.op;

    op->cmd = request->cmd;
    op->err = 0;
    op->domain = dev->domain;
    op->bus = dev->bus;
    op->devfn = (uint32_t)(dev->dev << 3 | dev->fn);
    op->offset = (int32_t)request->offset;
    op->size = (int32_t)request->size;
    op->value = request->nr_vectors ? request->nr_vectors : request->value;
    for (uint32_t i = 0; i < request->nr_vectors; i++) {
        op->msix_entries[i].entry = (uint16_t)i;
        op->msix_entries[i].vector = 0;
    }
}

static int answer_take(struct pcifront_request *request)
{
    struct xen_pci_op *op = &shared.info.op;
    int err = errno_of(READ_ONCE(op->err));

    if (err != 0)
        return err;
    request->value = READ_ONCE(op->value);
    /* For MSI-X, value is the kernel's own verdict: 0, or how many vectors there would be. */
    if (request->nr_vectors > 0 && request->value != 0)
        return -ENOSPC;
    for (uint32_t i = 0; i < request->nr_vectors; i++)
        request->pirqs_r[i] = READ_ONCE(op->msix_entries[i].vector);
    return 0;
}

int pcifront_op_run(const struct pcifront_device *dev, struct pcifront_request *request)
{
    int err;

    if (is_revoked || op_port == 0)
        return -ENODEV;
    if (request->nr_vectors > SH_INFO_MAX_VEC)
        return -EINVAL;
    /* An answer that came too late for its request must not be taken for the next one's. */
    err = answer_wait();
    if (err == 0) {
        request_put(dev, request);
        __atomic_fetch_or(&shared.info.flags, XEN_PCIF_active, __ATOMIC_SEQ_CST);
        evtchn_notify(op_port);
        err = answer_wait();
    }
    if (err != 0) {
        log_error("pcifront: no answer from dom0 to request %u within %llu s", request->cmd,
                  TIMEOUT_NS / 1000000000ull);
        return err;
    }
    return answer_take(request);
}
