/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DPDK's interrupt handles. The handle's fd is an index into irqs[].
 *
 * Vector 0 runs the driver's callbacks (link state and whatever else is not a queue); others only
 * wake the loop, which then looks at every port. With MSI and INTx there is one vector for both:
 * handles then say that they have one more than their queues, which is what makes drivers keep link
 * interrupts on beside receive interrupts.
 * Source: xen/physdev.h; lib/eal/include/rte_interrupts.h of DPDK.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_interrupts.h>

#include "eal/internal.h"
#include "eal/quirk.h"
#include "eal/seal.h"
#include "xen/evtchn.h"
#include "xen/hypercall.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/status.h"

#define MAX_VECTORS 4
#define MAX_CALLBACKS 4
#define ANY_ARG ((void *)-1)

struct irq;

struct vector {
    struct irq *irq;
    evtchn_port_t port;
    uint32_t pirq;
    bool needs_eoi; /* Xen holds the next one back until told */
};

static struct irq {
    const struct pcifront_device *dev; /* NULL: free */
    enum { MODE_MSIX, MODE_MSI, MODE_INTX } mode;
    unsigned int nr; /* vectors in use */
    struct vector vectors[MAX_VECTORS];
    struct {
        rte_intr_callback_fn fn; /* NULL: free */
        void *arg;
    } callbacks[MAX_CALLBACKS];
} irqs[PCIFRONT_MAX_DEVICES];

static uint32_t nr_events[PCIFRONT_MAX_DEVICES]; /* as irqs[] */

static const char *const mode_names[] = { "MSI-X", "MSI", "INTx" };
static const enum rte_intr_handle_type mode_types[] = {
    RTE_INTR_HANDLE_VFIO_MSIX,
    RTE_INTR_HANDLE_VFIO_MSI,
    RTE_INTR_HANDLE_VFIO_LEGACY,
};

static struct irq *irq_of(const struct rte_intr_handle *handle)
{
    int fd = handle ? rte_intr_fd_get(handle) : -1;

    if (fd < 0 || fd >= PCIFRONT_MAX_DEVICES || !irqs[fd].dev)
        return NULL;
    return &irqs[fd];
}

static void vector_eoi(const struct vector *vector)
{
    struct physdev_eoi eoi = { .irq = vector->pirq };

    if (vector->needs_eoi)
        (void)hypercall_physdev_op(PHYSDEVOP_eoi, &eoi);
}

/* Callbacks first: they quieten the device, and only then may Xen let the next one through. */
static void vector_handle(void *ctx)
{
    struct vector *vector = ctx;
    struct irq *irq = vector->irq;

    nr_events[irq - irqs]++;
    if (vector == irq->vectors) {
        status_nic_enter();
        for (unsigned int i = 0; i < MAX_CALLBACKS; i++)
            if (irq->callbacks[i].fn)
                irq->callbacks[i].fn(irq->callbacks[i].arg);
        status_nic_leave();
    }
    vector_eoi(vector);
}

static int vector_bind(struct irq *irq, unsigned int index, uint32_t pirq)
{
    struct vector *vector = &irq->vectors[index];
    struct physdev_irq_status_query query = { .irq = pirq };
    int err;

    *vector = (struct vector){ .irq = irq, .pirq = pirq };
    err = evtchn_bind_pirq(pirq, irq->mode == MODE_INTX, vector_handle, vector, &vector->port);
    if (err != 0)
        return err;
    if (hypercall_physdev_op(PHYSDEVOP_irq_status_query, &query) == 0)
        vector->needs_eoi = query.flags & XENIRQSTAT_needs_eoi;
    vector_eoi(vector);
    return 0;
}

static int pirqs_get(struct irq *irq, unsigned int nr, uint32_t *pirqs_r)
{
    if (irq->mode == MODE_MSIX)
        return pcifront_msix_enable(irq->dev, nr, pirqs_r);
    if (irq->mode == MODE_MSI && pcifront_msi_enable(irq->dev, pirqs_r) == 0)
        return 0;
    if (irq->mode == MODE_MSI)
        log_warn("eal: no MSI for %02x:%02x.%x, taking INTx", irq->dev->bus, irq->dev->dev,
                 irq->dev->fn);
    irq->mode = MODE_INTX;
    *pirqs_r = irq->dev->irq_line;
    return irq->dev->irq_line != 0 ? 0 : -ENODEV;
}

static void pirqs_put(const struct irq *irq)
{
    if (irq->mode == MODE_MSIX)
        pcifront_msix_disable(irq->dev);
    else if (irq->mode == MODE_MSI)
        pcifront_msi_disable(irq->dev);
}

static void vectors_put(struct irq *irq)
{
    if (irq->nr == 0)
        return;
    for (unsigned int i = 0; i < irq->nr; i++) {
        evtchn_close(irq->vectors[i].port);
        irq->vectors[i].port = 0;
    }
    pirqs_put(irq);
    irq->nr = 0;
}

static int vectors_get(struct irq *irq, unsigned int nr)
{
    uint32_t pirqs[MAX_VECTORS];
    int err;

    /* pciback enables only what it has not enabled already, as for the last start. */
    if (recovery_resuming())
        pirqs_put(irq);
    err = pirqs_get(irq, nr, pirqs);

    for (unsigned int i = 0; err == 0 && i < nr; i++) {
        irq->nr = i + 1;
        err = vector_bind(irq, i, pirqs[i]);
    }
    if (err != 0) {
        vectors_put(irq);
        return err;
    }
    log_debug("eal: %02x:%02x.%x: %u %s, pirq %u%s", irq->dev->bus, irq->dev->dev, irq->dev->fn, nr,
              mode_names[irq->mode], pirqs[0], irq->vectors[0].needs_eoi ? ", wants eoi" : "");
    return 0;
}

int eal_intr_attach(struct rte_intr_handle *handle, const struct rte_pci_device *dev)
{
    const struct pcifront_device *pci = eal_pci_device(dev);
    int index;
    struct irq *irq;

    for (index = 0; index < PCIFRONT_MAX_DEVICES && irqs[index].dev; index++)
        if (irqs[index].dev == pci)
            break;
    if (index == PCIFRONT_MAX_DEVICES)
        return -ENOSPC;
    irq = &irqs[index];
    if (irq->dev != pci)
        *irq = (struct irq){ .dev = pci };
    irq->mode = MODE_MSI;
    if (!quirk_of(dev->driver->driver.name)->no_msix && pcifront_capability_find(pci, 0x11) != 0)
        irq->mode = MODE_MSIX;
    if (rte_intr_fd_set(handle, index) != 0 ||
        rte_intr_type_set(handle, mode_types[irq->mode]) != 0)
        return -EINVAL;
    return 0;
}

void eal_intr_detach(struct rte_intr_handle *handle)
{
    struct irq *irq = irq_of(handle);

    if (!irq)
        return;
    vectors_put(irq);
    memset(irq->callbacks, 0, sizeof(irq->callbacks));
}

uint32_t eal_intr_events(const struct rte_intr_handle *handle)
{
    const struct irq *irq = irq_of(handle);

    return irq ? nr_events[irq - irqs] : 0;
}

void eal_intr_seal(void)
{
    seal_add("interrupts", irqs, sizeof(irqs));
}

static bool vector_resume(struct vector *vector)
{
    return evtchn_resume(vector->port, DOMID_SELF, EVTCHNSTAT_pirq, vector_handle, vector) == 0;
}

const char *eal_intr_resume(void)
{
    for (struct irq *irq = irqs; irq < irqs + PCIFRONT_MAX_DEVICES; irq++)
        for (unsigned int i = 0; irq->dev && i < irq->nr; i++)
            if (!vector_resume(&irq->vectors[i]))
                return "an interrupt's event channel is lost";
    for (struct irq *irq = irqs; irq < irqs + PCIFRONT_MAX_DEVICES; irq++)
        for (unsigned int i = 0; irq->dev && i < irq->nr; i++)
            vector_handle(&irq->vectors[i]);
    return NULL;
}

int rte_intr_enable(const struct rte_intr_handle *handle)
{
    struct irq *irq = irq_of(handle);
    int wanted;
    int err;

    if (!irq)
        return -ENODEV;
    wanted = irq->mode == MODE_MSIX ? rte_intr_max_intr_get(handle) : 1;
    if (wanted < 1)
        wanted = 1;
    if (wanted > MAX_VECTORS)
        wanted = MAX_VECTORS;
    if (irq->nr == (unsigned int)wanted)
        return 0;
    vectors_put(irq);
    err = vectors_get(irq, (unsigned int)wanted);
    if (err != 0)
        log_error("eal: no interrupts for %02x:%02x.%x: %d", irq->dev->bus, irq->dev->dev,
                  irq->dev->fn, err);
    return err;
}

/* Drivers do this between a stop and a start: the vectors stay, the device is quiet by itself. */
int rte_intr_disable(const struct rte_intr_handle *handle)
{
    return irq_of(handle) ? 0 : -ENODEV;
}

/* Done after the callbacks. */
int rte_intr_ack(const struct rte_intr_handle *handle)
{
    return irq_of(handle) ? 0 : -ENODEV;
}

int rte_intr_callback_register(const struct rte_intr_handle *handle, rte_intr_callback_fn fn,
                               void *arg)
{
    struct irq *irq = irq_of(handle);

    if (!irq || !fn)
        return -EINVAL;
    for (unsigned int i = 0; i < MAX_CALLBACKS; i++)
        if (irq->callbacks[i].fn == fn && irq->callbacks[i].arg == arg)
            return 0;
    for (unsigned int i = 0; i < MAX_CALLBACKS; i++) {
        if (irq->callbacks[i].fn)
            continue;
        irq->callbacks[i].fn = fn;
        irq->callbacks[i].arg = arg;
        return 0;
    }
    return -ENOMEM;
}

int rte_intr_callback_unregister(const struct rte_intr_handle *handle, rte_intr_callback_fn fn,
                                 void *arg)
{
    struct irq *irq = irq_of(handle);
    int nr = 0;

    if (!irq || !fn)
        return -EINVAL;
    for (unsigned int i = 0; i < MAX_CALLBACKS; i++) {
        if (irq->callbacks[i].fn != fn || (arg != ANY_ARG && irq->callbacks[i].arg != arg))
            continue;
        irq->callbacks[i].fn = NULL;
        nr++;
    }
    return nr > 0 ? nr : -ENOENT;
}

int rte_intr_callback_unregister_sync(const struct rte_intr_handle *handle, rte_intr_callback_fn fn,
                                      void *arg)
{
    return rte_intr_callback_unregister(handle, fn, arg);
}

int rte_intr_callback_unregister_pending(const struct rte_intr_handle *handle,
                                         rte_intr_callback_fn fn, void *arg,
                                         rte_intr_unregister_callback_fn done)
{
    int ret = rte_intr_callback_unregister(handle, fn, arg);

    if (ret > 0 && done)
        done((struct rte_intr_handle *)(uintptr_t)handle, arg);
    return ret;
}
