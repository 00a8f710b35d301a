/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat.h"

#include <errno.h>
#include <string.h>

#include "net/nat_flow.h"
#include "net/nat_internal.h"
#include "net/nat_mapping.h"

struct nat nat;

static void init(uint32_t seed)
{
    memset(&nat, 0, sizeof(nat));
    nat_mapping_init(seed);
    nat_fragment_init(seed);
}

void nat_init(uint32_t seed)
{
    init(seed);
    nat_flow_init(seed);
}

unsigned int nat_resume(uint32_t seed)
{
    init(seed);
    return nat_flow_resume(seed);
}

int nat_guest_add(uint8_t guest, uint32_t identity, uint8_t outside)
{
    if (guest >= NAT_GUESTS || (outside >= NAT_OUTSIDES && outside != NAT_NO_OUTSIDE))
        return -EINVAL;
    if (nat.guests[guest].is_there)
        return -EBUSY;
    nat.guests[guest] = (struct nat_guest){ .is_there = true, .outside = outside };
    nat_flow_guest_add(guest, identity, outside,
                       outside == NAT_NO_OUTSIDE ? 0 : nat.outsides[outside].address);
    return 0;
}

void nat_guest_address_set(uint8_t guest, rte_be32_t address)
{
    if (guest < NAT_GUESTS && nat.guests[guest].is_there)
        nat.guests[guest].address = address;
}

void nat_guest_remove(uint8_t guest)
{
    if (guest >= NAT_GUESTS || !nat.guests[guest].is_there)
        return;
    nat_flow_guest_remove(guest);
    nat_note_forget(guest);
    nat_held_forget(NAT_PATH_OUT, guest);
    nat_held_forget(NAT_PATH_FROM, guest);
    nat_held_forget(NAT_PATH_TO, guest);
    nat.guests[guest].is_there = false;
}

void nat_outside_set(uint8_t outside, rte_be32_t address, uint64_t now)
{
    (void)now;
    if (outside >= NAT_OUTSIDES || nat.outsides[outside].address == address)
        return;
    nat.outsides[outside].address = address;
    if (address == 0)
        return;
    nat_flow_outside_set(outside, address);
    /* Notes say which address to put in. */
    nat_held_forget(NAT_PATH_IN, outside);
    for (uint8_t i = 0; i < NAT_GUESTS; i++)
        if (nat.guests[i].outside == outside)
            nat_note_forget(i);
}

int nat_forward_add(uint8_t outside, uint8_t protocol, uint16_t outside_port, rte_be32_t address,
                    uint16_t port)
{
    struct nat_forward forward = { .address = address,
                                   .port = port,
                                   .outside_port = outside_port,
                                   .protocol = protocol,
                                   .outside = outside };

    return nat_mapping_forward_add(&forward);
}

void nat_held_count(const struct nat_fragment_key *key)
{
    struct nat_stats *stats =
        key->path == NAT_PATH_IN ? &nat.outsides[key->owner].stats : &nat.guests[key->owner].stats;

    nat_count_drop(stats, -NAT_UNHELD);
}

uint64_t nat_tick(uint64_t now)
{
    uint64_t fragments = nat_fragment_tick(now, nat_held_count), flows = nat_flow_tick(now);

    return fragments < flows ? fragments : flows;
}

const struct nat_stats *nat_guest_stats(uint8_t guest)
{
    nat.guests[guest].stats.evicted = nat_flow_evicted(guest);
    return &nat.guests[guest].stats;
}

const struct nat_stats *nat_outside_stats(uint8_t outside)
{
    return &nat.outsides[outside].stats;
}

unsigned int nat_guest_flows(uint8_t guest)
{
    return nat_flow_count(guest);
}
