/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/nat_rewrite.h"

#include <netinet/in.h>
#include <string.h>

/* Where fields lie. */
#define IPV4_ID 4
#define IPV4_PROTOCOL 9
#define IPV4_CHECKSUM 10
#define IPV4_SRC 12
#define IPV4_DST 16
#define TCP_CHECKSUM 16
#define UDP_CHECKSUM 6
#define ICMP_CHECKSUM 2
#define ICMP_ID 4

/*
 * Changes are sums of ~old + new over 16-bit words as they lie in memory: ones' complement does not mind
 * the byte order (RFC 1071). A few dozen of them fit into 32 bits.
 */
static uint32_t put(uint8_t *at, uint16_t word)
{
    uint16_t old;

    memcpy(&old, at, sizeof(old));
    memcpy(at, &word, sizeof(word));
    return (uint16_t)~old + (uint32_t)word;
}

static uint32_t put_address(uint8_t *at, rte_be32_t address)
{
    uint16_t words[2];

    memcpy(words, &address, sizeof(address));
    return put(at, words[0]) + put(at + 2, words[1]);
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Returns by how much the checksum field itself has changed. */
static uint32_t adjust(uint8_t *checksum, uint32_t change, bool is_complement)
{
    uint16_t old, flip = is_complement ? 0xffff : 0;

    memcpy(&old, checksum, sizeof(old));
    old ^= flip;
    return put(checksum, fold(old + change) ^ flip);
}

void nat_checksum_adjust(uint8_t *checksum, uint32_t change)
{
    adjust(checksum, fold(change), true);
}

void nat_rewrite_id(uint8_t *ip, uint16_t id)
{
    adjust(ip + IPV4_CHECKSUM, put(ip + IPV4_ID, rte_cpu_to_be_16(id)), true);
}

static uint32_t udp_adjust(uint8_t *checksum, uint32_t change)
{
    uint16_t word;
    uint32_t field;

    memcpy(&word, checksum, sizeof(word));
    if (word == 0)
        return 0;
    field = adjust(checksum, change, true);
    memcpy(&word, checksum, sizeof(word));
    return word == 0 ? field + put(checksum, 0xffff) : field;
}

/* A checksum of TCP or UDP covers the addresses too; an unfinished one nothing else. */
static uint32_t ports_rewrite(const struct nat_bytes *packet, uint8_t *l4, bool is_source,
                              uint16_t port, uint32_t addresses)
{
    bool is_tcp = packet->ip[IPV4_PROTOCOL] == IPPROTO_TCP;
    uint8_t *checksum = l4 + (is_tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
    uint32_t ports = put(l4 + (is_source ? 0 : 2), rte_cpu_to_be_16(port));

    if (checksum + 2 > packet->ip + packet->have)
        return ports;
    if (packet->is_unfinished)
        return ports + adjust(checksum, addresses, false);
    return ports + (is_tcp ? adjust(checksum, addresses + ports, true)
                           : udp_adjust(checksum, addresses + ports));
}

static uint32_t icmp_rewrite(uint8_t *l4, uint16_t id)
{
    uint32_t change = put(l4 + ICMP_ID, rte_cpu_to_be_16(id));

    return change + adjust(l4 + ICMP_CHECKSUM, change, true);
}

uint32_t nat_rewrite(const struct nat_bytes *packet, bool is_source,
                     const struct nat_endpoint *endpoint)
{
    uint8_t *ip = packet->ip, *l4 = ip + (ip[0] & 15) * 4;
    uint32_t addresses = put_address(ip + (is_source ? IPV4_SRC : IPV4_DST), endpoint->address);
    uint32_t change = addresses + adjust(ip + IPV4_CHECKSUM, addresses, true);

    if (packet->is_later)
        return change;
    if (ip[IPV4_PROTOCOL] == IPPROTO_ICMP)
        return change + icmp_rewrite(l4, endpoint->port);
    return change + ports_rewrite(packet, l4, is_source, endpoint->port, addresses);
}
