/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the pool. */
#ifndef EAL_POOL_INTERNAL_H
#define EAL_POOL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

/* The mempool operations that the pool uses, as DPDK knows them (eal/pool_stack.c). */
#define POOL_OPS "ferry_stack"

struct pool_stack {
    /* Does not change once all mbufs were on it: from then on, owners are looked at. */
    bool is_complete;
    uint32_t size;
    uintptr_t lowest, highest; /* where mbufs are */

    uint32_t nr; /* in use from 0 on */
    struct rte_mbuf *mbufs[];
};

#endif
