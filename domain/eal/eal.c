/* SPDX-License-Identifier: BSD-2-Clause */
#include "eal/eal.h"

#include <errno.h>

#include <rte_bus.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_vect.h>
#include <rte_version.h>

#include <eal_internal_cfg.h>
#include <eal_memcfg.h>
#include <eal_private.h>

#include "eal/internal.h"
#include "eal/pool.h"
#include "xen/clock.h"
#include "xen/log.h"

/* A zone's descriptor is 72 bytes; DPDK's own 2560 would cost 190 KB. */
#define NR_MEMZONES 256

/* The archives were built with these; our headers must be of the same make. */
_Static_assert(sizeof(struct internal_config) == 0x34e0, "internal_config of another DPDK");
_Static_assert(sizeof(struct rte_mem_config) == 0x6300, "rte_mem_config of another DPDK");
_Static_assert(RTE_VER_YEAR == 22 && RTE_VER_MONTH == 11, "another DPDK");

static void config_set(void)
{
    struct internal_config *internal = eal_get_internal_configuration();
    struct rte_config *config = rte_eal_get_configuration();

    internal->process_type = RTE_PROC_PRIMARY;
    internal->no_shconf = 1;
    internal->in_memory = 1;
    internal->no_telemetry = 1;
    internal->iova_mode = RTE_IOVA_PA;
    internal->max_simd_bitwidth.bitwidth = RTE_VECT_SIMD_128;

    config->process_type = RTE_PROC_PRIMARY;
    config->iova_mode = RTE_IOVA_PA;
    config->main_lcore = 0;
    config->lcore_count = 1;
    config->lcore_role[0] = ROLE_RTE;
    for (unsigned int i = 1; i < RTE_MAX_LCORE; i++)
        config->lcore_role[i] = ROLE_OFF;
    config->numa_node_count = 1;
    config->numa_nodes[0] = 0;
    config->mem_config->tsc_hz = clock_tsc_hz();
    eal_mcfg_update_from_internal();
}

static int memzones_init(void)
{
    struct rte_mem_config *mcfg = rte_eal_get_configuration()->mem_config;

    if (rte_fbarray_init(&mcfg->memzones, "memzone", NR_MEMZONES, sizeof(struct rte_memzone)) != 0)
        return -rte_errno;
    return 0;
}

static int heap_init(void)
{
    /* rte_eal_malloc_heap_init() gives this lock back. */
    rte_mcfg_mem_read_lock();
    return rte_eal_malloc_heap_init() == 0 ? 0 : -ENOMEM;
}

int eal_init(uint32_t log_level)
{
    int err;

    eal_log_init(log_level);
    if (!rte_cpu_is_supported()) {
        log_error("eal: this processor lacks what DPDK's archives were built for");
        return -ENOTSUP;
    }
    config_set();
    err = memzones_init();
    if (err == 0)
        err = eal_memory_init();
    if (err == 0)
        err = heap_init();
    if (err == 0 && rte_eal_tailqs_init() != 0)
        err = -ENOMEM;
    if (err == 0)
        err = pool_init();
    if (err != 0) {
        log_error("eal: no memory for DPDK's heap or for mbufs: %d", err);
        return err;
    }
    eal_mcfg_complete();
    return 0;
}

int eal_devices_add(const struct pcifront_device *devices, unsigned int nr)
{
    eal_pci_init(devices, nr);
    return rte_bus_scan() == 0 ? 0 : -ENODEV;
}

int rte_eal_cleanup(void)
{
    return 0;
}

void eal_heap_usage(size_t *size_r, size_t *used_r)
{
    struct rte_malloc_socket_stats stats = { 0 };

    (void)rte_malloc_get_socket_stats(0, &stats);
    *size_r = stats.heap_totalsz_bytes;
    *used_r = stats.heap_allocsz_bytes;
}

/* Vector code of more than 128 bits is not used: Xen decides whether AVX state is ours. */
uint16_t rte_vect_get_max_simd_bitwidth(void)
{
    return RTE_VECT_SIMD_128;
}

int rte_vect_set_max_simd_bitwidth(uint16_t bitwidth)
{
    return bitwidth == RTE_VECT_SIMD_128 ? 0 : -EPERM;
}
