/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings and ports that cannot be used: refused when connecting, or taken away afterwards. */
#include <stdio.h>
#include <string.h>

#include "arch/x86/pagetable.h"
#include "attack.h"
#include "frame.h"
#include "wait.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/frames.h"
#include "xen/hypercall.h"

/* Connect with one node changed; the backend must refuse. */
static const char *refused(struct front *f, enum front_node node, const char *value)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    snprintf(f->values[node], FRONT_VALUE_SIZE, "%s", value);
    bad = front_publish(f);
    if (!bad)
        bad = front_expect_closed(f);
    return bad ? why("%s=%s: %s", front_nodes[node], value, bad) : NULL;
}

static const char *all_refused(struct front *f, enum front_node node, const char *const *values)
{
    const char *bad = NULL;

    for (; *values && !bad; values++)
        bad = refused(f, node, *values);
    return bad;
}

static const char *const bad_refs[] = {
    "0", "1", "500", "511", "4096", "65536", "4294967295", NULL
};

static const char *tx_ring_invalid(struct front *f)
{
    return all_refused(f, NODE_TX_REF, bad_refs);
}

static const char *rx_ring_invalid(struct front *f)
{
    return all_refused(f, NODE_RX_REF, bad_refs);
}

/* Port 1 or 2 is our xenstore's, bound to dom0; the others are nobody's. */
static const char *port_invalid(struct front *f)
{
    static const char *const ports[] = { "0", "1", "2", "100", "4095", "4096", "4294967295", NULL };

    return all_refused(f, NODE_PORT, ports);
}

static const char *same_ref_twice(struct front *f)
{
    char ref[16];
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    snprintf(ref, sizeof(ref), "%u", f->tx_ref);
    memcpy(f->values[NODE_RX_REF], ref, sizeof(ref));
    bad = front_publish(f);
    return bad ? bad : front_expect_closed(f);
}

/* The same page under two references: nothing to be seen by, so it must be survived. */
static const char *same_page_twice(struct front *f)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    front_grant_table()[f->rx_ref].frame = (uint32_t)virt_to_mfn(f->tx);
    bad = front_publish(f);
    if (bad)
        return bad;
    f->dirty = true;
    wait_ms(500);
    for (unsigned int i = 0; i < 50; i++) {
        tx_slot(f, f->tx_refs[0], 0, 60, 0);
        tx_push(f);
        wait_ms(2);
    }
    return NULL;
}

static const char *ring_read_only(struct front *f)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    front_grant_table()[f->tx_ref].flags |= GTF_readonly;
    bad = front_publish(f);
    return bad ? bad : front_expect_closed(f);
}

static const char *ring_not_empty(struct front *f)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    f->tx->rsp_prod = 0x12345678;
    f->tx->req_prod = 0x12345678 + FRONT_SLOTS + 1;
    bad = front_publish(f);
    return bad ? bad : front_expect_closed(f);
}

/* Split event channels, both of them the same one. */
static const char *same_port_twice(struct front *f)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    memcpy(f->values[NODE_PORT_TX], f->values[NODE_PORT], FRONT_VALUE_SIZE);
    memcpy(f->values[NODE_PORT_RX], f->values[NODE_PORT], FRONT_VALUE_SIZE);
    f->values[NODE_PORT][0] = '\0';
    bad = front_publish(f);
    return bad ? bad : front_expect_closed(f);
}

static const char *one_port_of_two(struct front *f)
{
    const char *bad = front_prepare_anew(f);

    if (bad)
        return bad;
    memcpy(f->values[NODE_PORT_TX], f->values[NODE_PORT], FRONT_VALUE_SIZE);
    snprintf(f->values[NODE_PORT_RX], FRONT_VALUE_SIZE, "%u", f->port + 1);
    f->values[NODE_PORT][0] = '\0';
    bad = front_publish(f);
    return bad ? bad : front_expect_closed(f);
}

/* Our end of the channel goes away under a live vif. */
static const char *port_closed(struct front *f)
{
    evtchn_close(f->port);
    f->port = 0;
    f->dirty = true;
    for (unsigned int i = 0; i < 100; i++)
        tx_slot(f, f->tx_refs[0], 0, 60, 0);
    wmb();
    WRITE_ONCE(f->tx->req_prod, f->tx_prod);
    wait_ms(100);
    return NULL;
}

/* The rings' grants are taken back by force while they are mapped. */
static const char *rings_revoked(struct front *f)
{
    front_grant_table()[f->tx_ref].flags = 0;
    front_grant_table()[f->rx_ref].flags = 0;
    f->dirty = true;
    return frame_alive(f);
}

static int page_give_back(void *page)
{
    xen_pfn_t mfn = virt_to_mfn(page);
    struct xen_memory_reservation give = { .nr_extents = 1, .domid = DOMID_SELF };

    set_xen_guest_handle(give.extent_start, &mfn);
    if (hypercall_va_mapping_update((uintptr_t)page, 0, UVMF_INVLPG) != 0)
        return -1;
    return hypercall_memory_op(XENMEM_decrease_reservation, &give) == 1 ? 0 : -1;
}

/* The ring pages are given back to Xen while the backend has them mapped. */
static const char *rings_ballooned(struct front *f)
{
    const char *bad;

    WRITE_ONCE(f->tx->req_prod, f->tx_prod + 1000);
    if (page_give_back(f->tx) != 0 || page_give_back(f->rx) != 0)
        return why("Xen does not take the pages");
    front_rings_replace(f);
    front_kick(f);
    bad = front_expect_closed(f);
    return bad;
}

const struct attack attacks_rings_bad[] = {
    { "rings_bad", "tx_ring_invalid", tx_ring_invalid, false },
    { "rings_bad", "rx_ring_invalid", rx_ring_invalid, false },
    { "rings_bad", "port_invalid", port_invalid, false },
    { "rings_bad", "same_ref_twice", same_ref_twice, false },
    { "rings_bad", "same_page_twice", same_page_twice, false },
    { "rings_bad", "ring_read_only", ring_read_only, false },
    { "rings_bad", "ring_not_empty", ring_not_empty, false },
    { "rings_bad", "same_port_twice", same_port_twice, false },
    { "rings_bad", "one_port_of_two", one_port_of_two, false },
    { "rings_bad", "port_closed", port_closed, false },
    { "rings_bad", "rings_revoked", rings_revoked, false },
    { "rings_bad", "rings_ballooned", rings_ballooned, false },
    { 0 },
};
