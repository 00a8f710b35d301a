/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/fault.h"

#ifdef FERRY_FAULTS
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_io.h>
#include <rte_mempool.h>

#include <bus_pci_driver.h>
#include <eal_memcfg.h>
#include <eal_private.h>
#include <malloc_elem.h>
#include <malloc_heap.h>

#include <xen/xen.h>

#include <xen/io/xs_wire.h>

#include "arch/x86/layout.h"
#include "arch/x86/pagetable.h"
#include "eal/eal.h"
#include "eal/pool.h"
#include "eal/pool_internal.h"
#include "eal/quirk.h"
#include "net/bridge.h"
#include "pv/mm.h"
#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/frames.h"
#include "xen/gnttab.h"
#include "xen/hypercall.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/xenstore.h"

#define ASKED "ferry/fault"
#define NOTED "data/ferry-fault" /* ours to write, as is all below data */
#define REQUEST_SIZE 64

#define TOLD_US 50000 /* shorter than a hang */
#define JUNK 0x5a /* as an address: not canonical, so that following one ends here and now */
#define BAD_OPCODE 0x06
#define BAD_BYTES 32

/* Registers of net_e1000_em: 8254x and 8257x manuals, 13.4.22 and 13.4.33. */
#define E1000_RCTL 0x100
#define E1000_TCTL 0x400
#define E1000_ENABLE (1u << 1)

/* Of net_vmxnet3: DPDK drivers/net/vmxnet3/base/vmxnet3_defs.h, VMXNET3_REG_CMD and VMXNET3_CMD_RESET_DEV. */
#define VMXNET3_COMMAND 0x20
#define VMXNET3_RESET 0xcafe0002u

/* Of its receive descriptors, in the third of their four words: whose it is. Same file, Vmxnet3_RxDesc. */
#define VMXNET3_RX_GENERATION (1u << 31)
#define VMXNET3_RX_PART                                                                            \
    64 /* bytes of the zone for each: two rings, and as many completions; no data ring (QEMU) */

extern char trap_stubs[];

/* A null pointer that the compiler does not see through. */
static volatile uintptr_t nowhere;

static void fault_null(void)
{
    *(volatile uint32_t *)(nowhere + 8) = 1;
}

static void fault_jump(void)
{
    ((void (*)(void))(nowhere + 0x40))();
}

static void fault_execute_data(void)
{
    ((void (*)(void))(uintptr_t)recovery_page())();
}

static void fault_write_text(void)
{
    *(volatile char *)(uintptr_t)text_start = 0;
}

static void fault_invariant(void)
{
    INVARIANT(nowhere != 0);
}

static int recurse(volatile char *above)
{
    volatile char frame[512];

    frame[0] = above[0];
    return nowhere == 0 ? recurse(frame) + frame[0] : 0;
}

static void fault_stack(void)
{
    volatile char start = 1;

    recurse(&start);
}

static void fault_canary(void)
{
    char buffer[16];

    memset((char *)memset(buffer, 0, sizeof(buffer)) + nowhere, 0x55,
           sizeof(buffer) + 32 + nowhere);
    __asm__ volatile("" : : "r"(buffer) : "memory");
}

static void fault_loop(void)
{
    while (nowhere == 0)
        ;
}

/* Damage to data. */

static void fault_heap(void)
{
    struct malloc_elem *elem = rte_eal_get_configuration()->mem_config->malloc_heaps[0].first;

    while (elem) {
        struct malloc_elem *next = elem->next;

        memset(elem, JUNK, sizeof(*elem));
        elem = next;
    }
    fault_null();
}

/* Whoever is given one of these mbufs dies of it. */
static void fault_pool(void)
{
    struct pool_stack *stack = mbuf_pool()->pool_data;

    memset(stack->mbufs, JUNK, stack->size * sizeof(stack->mbufs[0]));
}

static void fault_recovery(void)
{
    memset((void *)(uintptr_t)recovery_page(), JUNK, sizeof(struct recovery_page));
    fault_null();
}

static void fault_recovery_all(void)
{
    memset(recovery_copy_area, JUNK, sizeof(struct recovery_page));
    fault_recovery();
}

static void xenstore_ring_spoil(void)
{
    struct xenstore_domain_interface *ring = xenstore_ring();

    memset(&ring->req_cons, JUNK, 4 * sizeof(ring->req_cons));
}

static void fault_xenstore_ring(void)
{
    xenstore_ring_spoil();
    fault_null();
}

/* xenstored sees it too, before we are dead. */
static void fault_xenstore_told(void)
{
    struct evtchn_send send = { .port = start_info->store_evtchn };

    xenstore_ring_spoil();
    if (hypercall_evtchn_op(EVTCHNOP_send, &send) != 0)
        log_error("fault: xenstored cannot be told");
    clock_delay_us(TOLD_US);
    fault_null();
}

/* Damage to text and page tables, by what the kernel itself may ask of Xen. */

static void page_set(const void *va, pte_t pte)
{
    if (hypercall_va_mapping_update((uintptr_t)va & PAGE_MASK, pte, UVMF_INVLPG) != 0)
        log_error("fault: Xen refuses the mapping");
}

static void text_spoil(void *at)
{
    page_set(at, pte_make(virt_to_mfn(at), PTE_RX | PTE_WRITE | PTE_DIRTY));
    memset(at, BAD_OPCODE, BAD_BYTES);
}

/* In the way of every frame; dies with the next one. */
static void fault_text(void)
{
    text_spoil(bridge_input);
}

/* The code that would report the fault. */
static void fault_text_traps(void)
{
    text_spoil(trap_stubs);
    fault_null();
}

static void fault_tables_text(void)
{
    page_set(bridge_input, 0);
}

/* Data that a restart puts back to its beginnings. */
static void fault_tables_data(void)
{
    page_set(bss_start, 0);
    fault_null();
}

/* The wrong frame behind a page of the text. */
static void fault_tables_wrong(void)
{
    static char other[PAGE_SIZE] __attribute__((aligned(4096)));

    memset(other, BAD_OPCODE, sizeof(other));
    page_set(bridge_input, pte_make(virt_to_mfn(other), PTE_RX));
}

/* 2 MB without any mapping: text, data and stacks. */
static void fault_tables_l2(void)
{
    const pte_t *l4 = (const pte_t *)start_info->pt_base;
    uint64_t l2 = l4[0];

    l2 = ((const pte_t *)(machine_to_phys_mapping[pte_mfn(l2)] << PAGE_SHIFT))[0];
    l2 = (uint64_t)pte_mfn(l2) << PAGE_SHIFT;
    struct mmu_update req = { .ptr = l2 | MMU_NORMAL_PT_UPDATE, .val = 0 };
    if (hypercall_mmu_update(&req, 1) != 0)
        log_error("fault: Xen refuses the page table");
}

/* The NICs: all, or the one that the request names behind the fault: "nic-bus nic1". */

static char request[REQUEST_SIZE];

static bool is_meant(uint16_t id)
{
    static const char prefix[] = " nic";
    const char *at = request + strcspn(request, " ");

    return strncmp(at, prefix, sizeof(prefix) - 1) != 0 ||
           strtoul(at + sizeof(prefix) - 1, NULL, 10) == id;
}

static uint16_t burst_null(void *queue, struct rte_mbuf **frames, uint16_t nr)
{
    (void)queue;
    (void)frames;
    fault_null();
    return nr;
}

static uint16_t burst_loop(void *queue, struct rte_mbuf **frames, uint16_t nr)
{
    (void)queue;
    (void)frames;
    fault_loop();
    return nr;
}

static void driver_replace(eth_rx_burst_t burst)
{
    uint16_t id;

    RTE_ETH_FOREACH_DEV(id)
    rte_eth_fp_ops[id].rx_pkt_burst = burst;
}

static void fault_nic(void)
{
    driver_replace(burst_null);
}

static void fault_nic_loop(void)
{
    driver_replace(burst_loop);
}

static const struct rte_pci_device *nic_device(uint16_t id, const char **driver_r)
{
    struct rte_eth_dev_info info;

    if (rte_eth_dev_info_get(id, &info) != 0)
        return NULL;
    *driver_r = info.driver_name;
    return RTE_DEV_TO_PCI_CONST(info.device);
}

static void em_wedge(const struct rte_pci_device *dev)
{
    char *registers = dev->mem_resource[0].addr;

    rte_write32(rte_read32(registers + E1000_TCTL) & ~E1000_ENABLE, registers + E1000_TCTL);
    rte_write32(rte_read32(registers + E1000_RCTL) & ~E1000_ENABLE, registers + E1000_RCTL);
}

static void virtio_wedge(const struct rte_pci_device *dev)
{
    const char *status = quirk_of("net_virtio")->status_find(dev);

    if (status)
        rte_write8(0, (void *)(uintptr_t)status);
}

static void vmxnet3_wedge(const struct rte_pci_device *dev)
{
    rte_write32(VMXNET3_RESET, (char *)dev->mem_resource[1].addr + VMXNET3_COMMAND);
}

/* Behind the driver's back: stopped, or reset. It neither sends nor receives any more, and says nothing. */
static void fault_nic_wedge(void)
{
    static const struct {
        const char *driver;
        void (*wedge)(const struct rte_pci_device *dev);
    } ways[] = { { "net_e1000_em", em_wedge },
                 { "net_virtio", virtio_wedge },
                 { "net_vmxnet3", vmxnet3_wedge } };
    uint16_t id;

    RTE_ETH_FOREACH_DEV(id)
    {
        const char *driver;
        const struct rte_pci_device *dev = is_meant(id) ? nic_device(id, &driver) : NULL;

        for (unsigned int i = 0; dev && i < ARRAY_LEN(ways); i++)
            if (strcmp(driver, ways[i].driver) == 0)
                ways[i].wedge(dev);
    }
}

/*
 * Whose each descriptor is, is turned round in the first of the two receive rings, the one for frames that fit a buffer: the
 * device finds none that is its own, and misses what comes. It transmits as before.
 */
static void fault_nic_wedge_rx(void)
{
    uint16_t id;

    RTE_ETH_FOREACH_DEV(id)
    {
        const char *driver = "";
        char name[RTE_MEMZONE_NAMESIZE];
        const struct rte_memzone *zone = NULL;
        volatile uint32_t *words;
        size_t nr;

        if (is_meant(id) && nic_device(id, &driver) && strcmp(driver, "net_vmxnet3") == 0) {
            snprintf(name, sizeof(name), quirk_of(driver)->rx_ring, (unsigned int)id);
            zone = rte_memzone_lookup(name);
        }
        if (!zone)
            continue;
        words = zone->addr;
        nr = zone->len / VMXNET3_RX_PART;
        for (size_t i = 0; i < nr; i++)
            words[4 * i + 2] ^= VMXNET3_RX_GENERATION;
        log_warn("fault: %s: the device finds none of its %zu descriptors", name, nr);
    }
}

/* No DMA any more. */
static void fault_nic_bus(void)
{
    const char *driver;
    uint16_t id;

    RTE_ETH_FOREACH_DEV(id)
    if (is_meant(id) &&
        rte_pci_set_bus_master((struct rte_pci_device *)(uintptr_t)nic_device(id, &driver), false))
        log_error("fault: bus mastering stays on");
}

/* No fault: what of the domain's own could leak. */
static void fault_report(void)
{
    size_t size, used;

    eal_heap_usage(&size, &used);
    log_warn("report: %u mbufs and %zu bytes of the heap in use, %u grants, %u maps",
             rte_mempool_in_use_count(mbuf_pool()), used, gnttab_nr_grants(), gnttab_nr_maps());
}

static const struct fault {
    const char *name;
    void (*die)(void); /* some return: they leave the death to whoever meets the damage */
    bool again; /* at each start, for as long as the request stands */
} faults[] = {
    { "null", fault_null, false },
    { "storm", fault_null, true },
    { "jump", fault_jump, false },
    { "execute-data", fault_execute_data, false },
    { "write-text", fault_write_text, false },
    { "invariant", fault_invariant, false },
    { "stack", fault_stack, false },
    { "canary", fault_canary, false },
    { "loop", fault_loop, false },
    { "heap", fault_heap, false },
    { "pool", fault_pool, false },
    { "recovery", fault_recovery, false },
    { "recovery-all", fault_recovery_all, false },
    { "xenstore-ring", fault_xenstore_ring, false },
    { "xenstore-told", fault_xenstore_told, false },
    { "text", fault_text, false },
    { "text-traps", fault_text_traps, false },
    { "tables-text", fault_tables_text, false },
    { "tables-data", fault_tables_data, false },
    { "tables-wrong", fault_tables_wrong, false },
    { "tables-l2", fault_tables_l2, false },
    { "nic-fault", fault_nic, false },
    { "nic-loop", fault_nic_loop, false },
    { "nic-wedge", fault_nic_wedge, false },
    { "nic-wedge-rx", fault_nic_wedge_rx, false },
    { "nic-bus", fault_nic_bus, false },
    { "report", fault_report, false },
};

/* The first word of a request; NULL for none that is known. */
static const struct fault *fault_find(const char *text)
{
    size_t len = strcspn(text, " ");

    for (unsigned int i = 0; i < ARRAY_LEN(faults); i++)
        if (strlen(faults[i].name) == len && memcmp(text, faults[i].name, len) == 0)
            return &faults[i];
    return NULL;
}

/* The request is noted, so that the kernel after this one leaves it alone. */
static void fault_asked(void *ctx, int err, const char *value, size_t len)
{
    const struct fault *fault = ctx;

    (void)value;
    (void)len;
    if (err != 0) {
        log_error("fault: cannot write " NOTED ": %d", err);
        return;
    }
    log_warn("fault on request: %s", request);
    fault->die();
    log_warn("fault: the damage is done");
}

static void noted_read(void *ctx, int err, const char *value, size_t len)
{
    const struct fault *fault = ctx;

    if (err == 0 && len > 0 && strcmp(value, request) == 0)
        return;
    if (fault->again)
        fault_asked(ctx, 0, NULL, 0);
    else if (xenstore_write(0, NOTED, request, fault_asked, ctx) != 0)
        log_error("fault: cannot write " NOTED);
}

static void request_read(void *ctx, int err, const char *value, size_t len)
{
    const struct fault *fault;

    (void)ctx;
    if (err != 0 || len == 0)
        return;
    fault = fault_find(value);
    if (!fault || len >= sizeof(request)) {
        log_error("fault: '%s' is not known", value);
        return;
    }
    memcpy(request, value, len + 1);
    if (xenstore_read(0, NOTED, noted_read, (void *)(uintptr_t)fault) != 0)
        log_error("fault: cannot read " NOTED);
}

static void request_changed(void *ctx, const char *path)
{
    (void)path;
    if (xenstore_read(0, ASKED, request_read, ctx) != 0)
        log_warn("cannot read " ASKED);
}

void fault_init(void)
{
    unsigned int id;

    if (xenstore_watch(ASKED, request_changed, NULL, &id) != 0)
        panic("cannot watch " ASKED);
    log_warn("this image dies on request (built with FAULTS=1); for tests only");
}
#endif
