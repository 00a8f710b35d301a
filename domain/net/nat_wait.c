/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests come and go; flows wait for those that were there before a restart. */
#include <stdlib.h>

#include "net/nat_table.h"

#define WAITING_LIFETIME (60ull * 1000 * 1000 * 1000) /* ns */

void nat_flow_init(uint32_t seed)
{
    nat_table_init(seed);
    for (unsigned int i = NAT_FLOWS; i-- > 0;)
        nat_flow_free(&nat_flows[i]);
}

static uint16_t *waiting_chain(uint32_t identity)
{
    return &nat_table.waiting[identity % NAT_WAITING_CHAINS];
}

static bool is_sound(const struct nat_flow *flow)
{
    return flow->check != 0 && flow->check == nat_flow_check(flow);
}

/* A flow of the last start waits. Its port is kept for it from now on. */
static void flow_wait(struct nat_flow *flow)
{
    struct nat_inside inside = nat_flow_inside(flow);
    uint16_t *chain = waiting_chain(flow->identity);

    if (nat_state_phase(flow->state) >= NAT_PHASES)
        flow->state = NAT_RESET;
    if (nat_flow_is_mapped(flow) && !nat_mapping_use_port(&inside, flow->outside_port)) {
        nat_flow_free(flow);
        return;
    }
    flow->inside_next = *chain;
    *chain = nat_flow_index(flow);
    nat_table.nr_waiting++;
}

static int younger_first(const void *a, const void *b)
{
    uint64_t x = nat_flows[*(const uint16_t *)a].seen, y = nat_flows[*(const uint16_t *)b].seen;

    return x > y ? -1 : x < y;
}

/* Each chain is sorted, the oldest first, so that its guest's lists are made by appending. */
unsigned int nat_flow_resume(uint32_t seed)
{
    static uint16_t order[NAT_FLOWS];
    unsigned int nr = 0;

    nat_table_init(seed);
    for (unsigned int i = NAT_FLOWS; i-- > 0;) {
        if (is_sound(&nat_flows[i]))
            order[nr++] = (uint16_t)i;
        else
            nat_flow_free(&nat_flows[i]);
    }
    qsort(order, nr, sizeof(order[0]), younger_first);
    for (unsigned int i = 0; i < nr; i++)
        flow_wait(&nat_flows[order[i]]);
    return nat_table.nr_waiting;
}

/* Take a flow that waits out of its chain, for good. */
static void waiting_drop(uint16_t *link)
{
    struct nat_flow *flow = &nat_flows[*link];

    *link = flow->inside_next;
    nat_table.nr_waiting--;
    nat_flow_unmap(flow);
    nat_flow_free(flow);
}

/* Is it the guest's still, and of nobody else meanwhile? */
static bool may_return(const struct nat_flow *flow, uint8_t outside, rte_be32_t address)
{
    if (flow->key.outside != outside || nat_table_find(&flow->key))
        return false;
    if (flow->outside_address == 0)
        return true;
    return (address == 0 || flow->outside_address == address) && !nat_table_find_outside(flow);
}

void nat_flow_guest_add(uint8_t guest, uint32_t identity, uint8_t outside, rte_be32_t address)
{
    uint16_t *link = waiting_chain(identity);

    nat_table.guests[guest].identity = identity;
    nat_table.guests[guest].evicted = 0;
    while (*link != NAT_NO_FLOW_INDEX) {
        struct nat_flow *flow = &nat_flows[*link];

        if (flow->identity != identity) {
            link = &flow->inside_next;
            continue;
        }
        flow->key.guest = guest;
        if (!may_return(flow, outside, address)) {
            waiting_drop(link);
            continue;
        }
        *link = flow->inside_next;
        nat_table.nr_waiting--;
        nat_flow_link(flow);
    }
}

static void list_close(const struct nat_list *list)
{
    while (list->oldest != NAT_NO_FLOW_INDEX)
        nat_flow_close(&nat_flows[list->oldest]);
}

void nat_flow_guest_remove(uint8_t guest)
{
    for (unsigned int c = 0; c < NAT_CLASSES; c++)
        list_close(&nat_table.guests[guest].lists[c]);
}

static void list_outside_set(const struct nat_list *list, uint8_t outside, rte_be32_t address)
{
    uint16_t next;

    for (uint16_t i = list->oldest; i != NAT_NO_FLOW_INDEX; i = next) {
        struct nat_flow *flow = &nat_flows[i];

        next = flow->younger;
        if (flow->outside_address != 0 && flow->key.outside == outside &&
            flow->outside_address != address)
            nat_flow_close(flow);
    }
}

void nat_flow_outside_set(uint8_t outside, rte_be32_t address)
{
    for (unsigned int i = 0; i < NAT_GUESTS; i++)
        for (unsigned int c = 0; c < NAT_CLASSES; c++)
            list_outside_set(&nat_table.guests[i].lists[c], outside, address);
}

void nat_wait_evict(void)
{
    for (unsigned int i = 0; i < NAT_WAITING_CHAINS; i++) {
        if (nat_table.waiting[i] == NAT_NO_FLOW_INDEX)
            continue;
        waiting_drop(&nat_table.waiting[i]);
        return;
    }
}

uint64_t nat_wait_tick(uint64_t now)
{
    if (nat_table.nr_waiting == 0)
        return UINT64_MAX;
    if (nat_table.waiting_until == 0)
        nat_table.waiting_until = now + WAITING_LIFETIME;
    if (now < nat_table.waiting_until)
        return nat_table.waiting_until;
    while (nat_table.nr_waiting > 0)
        nat_wait_evict();
    return UINT64_MAX;
}
