/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of interrupt handles that drivers use for their receive queues. DPDK has a descriptor
 * per queue to wait on; here an event on any of them wakes the loop, so the descriptors are numbers
 * that nobody waits on.
 */
#include <errno.h>

#include <rte_interrupts.h>

#include "eal/internal.h"

#define MAX_QUEUE_VECTORS 3
#define NR_OTHER 1

int rte_intr_efd_enable(struct rte_intr_handle *handle, uint32_t nr_queues)
{
    uint32_t nr = 1;

    if (rte_intr_cap_multiple(handle))
        nr = nr_queues < MAX_QUEUE_VECTORS ? nr_queues : MAX_QUEUE_VECTORS;
    if (nr_queues == 0)
        return -EINVAL;
    for (uint32_t i = 0; i < nr; i++)
        if (rte_intr_efds_index_set(handle, (int)i, (int)i) != 0)
            return -EINVAL;
    if (rte_intr_nb_efd_set(handle, (int)nr) != 0 ||
        rte_intr_max_intr_set(handle, (int)nr + NR_OTHER) != 0)
        return -EINVAL;
    return 0;
}

void rte_intr_efd_disable(struct rte_intr_handle *handle)
{
    (void)rte_intr_nb_efd_set(handle, 0);
    (void)rte_intr_max_intr_set(handle, 0);
}

int rte_intr_dp_is_en(struct rte_intr_handle *handle)
{
    return rte_intr_nb_efd_get(handle) > 0;
}

int rte_intr_allow_others(struct rte_intr_handle *handle)
{
    return !rte_intr_dp_is_en(handle) ||
           rte_intr_max_intr_get(handle) > rte_intr_nb_efd_get(handle);
}

int rte_intr_cap_multiple(struct rte_intr_handle *handle)
{
    return rte_intr_type_get(handle) == RTE_INTR_HANDLE_VFIO_MSIX;
}

int rte_intr_rx_ctl(struct rte_intr_handle *handle, int epfd, int op, unsigned int vector,
                    void *data)
{
    (void)handle;
    (void)epfd;
    (void)op;
    (void)vector;
    (void)data;
    return -ENOTSUP;
}

void rte_intr_free_epoll_fd(struct rte_intr_handle *handle)
{
    (void)handle;
}
