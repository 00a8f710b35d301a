/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that DPDK's objects mention and that a domain without files, processes, tracing or
 * telemetry has no use for. Those that start-up calls do nothing; those that nothing calls end the
 * domain if something does.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_per_lcore.h>

#include "xen/log.h"

#define DOES_NOTHING(type, name)                                                                   \
    type name(void);                                                                               \
    type name(void)                                                                                \
    {                                                                                              \
        return (type)0;                                                                            \
    }

#define FAILS(name)                                                                                \
    int name(void);                                                                                \
    int name(void)                                                                                 \
    {                                                                                              \
        return -ENOTSUP;                                                                           \
    }

#define NEVER_CALLED(name)                                                                         \
    void name(void);                                                                               \
    void name(void)                                                                                \
    {                                                                                              \
        panic("%s() was called", #name);                                                           \
    }

/* Tracing: every trace point registers itself and stays off. */
RTE_DEFINE_PER_LCORE(void *, trace_mem);
RTE_DEFINE_PER_LCORE(int, trace_point_sz);
DOES_NOTHING(int, __rte_trace_point_register)
NEVER_CALLED(__rte_trace_mem_per_thread_alloc)
NEVER_CALLED(__rte_trace_point_emit_field)

/* Telemetry: commands may register; there is nobody to ask them. */
DOES_NOTHING(int, rte_telemetry_register_cmd)

/* Other processes: there are none to tell. */
DOES_NOTHING(int, register_mp_requests)
DOES_NOTHING(int, unregister_mp_requests)
DOES_NOTHING(int, request_sync)
NEVER_CALLED(request_to_primary)
FAILS(rte_mp_action_register)
FAILS(rte_mp_request_sync)
FAILS(rte_mp_reply)
NEVER_CALLED(rte_mp_action_unregister)
NEVER_CALLED(eal_dev_hotplug_request_to_primary)
NEVER_CALLED(eal_dev_hotplug_request_to_secondary)

/* I/O ports: legacy virtio devices' only, which are refused (rte_pci_ioport_map()). */
FAILS(rte_eal_iopl_init)

/* Numbers with a fraction: i40e looks for one among device arguments, of which there are none. */
double strtod(const char *restrict text, char **restrict end);
double strtod(const char *restrict text, char **restrict end)
{
    (void)text;
    (void)end;
    panic("strtod() was called");
}

/* Firmware in files: a card goes on with what it has, or its driver gives up. */
FAILS(rte_firmware_read)

/* Files behind fbarrays: only with a shared configuration, which internal_config denies. */
NEVER_CALLED(eal_file_open)
NEVER_CALLED(eal_file_lock)
NEVER_CALLED(eal_file_truncate)

/* Steps of rte_eal_memory_init(), for which eal_memory_init() stands. */
NEVER_CALLED(rte_eal_memseg_init)
NEVER_CALLED(rte_eal_hugepage_init)
NEVER_CALLED(rte_eal_hugepage_attach)
NEVER_CALLED(eal_memalloc_init)
NEVER_CALLED(eal_memalloc_cleanup)

/* Segments are marked as never to be freed. */
NEVER_CALLED(eal_memalloc_free_seg)
NEVER_CALLED(eal_memalloc_free_seg_bulk)
