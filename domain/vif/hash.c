/* SPDX-License-Identifier: BSD-2-Clause */
#define XEN_NETIF_DEFINE_TOEPLITZ /* the hash itself is in the public header */
#include "vif/hash.h"

#include <string.h>

#include "net/frame.h"

/* The default where the frontend sets none. Any key with few repetitions would do. */
static const uint8_t own_key[HASH_KEY_MAX] = {
    0x6b, 0x21, 0xd4, 0x9e, 0x35, 0xf0, 0x8a, 0x57, 0xc3, 0x1c, 0xe9, 0x72, 0x46, 0xbd,
    0x0f, 0x93, 0x5a, 0xee, 0x28, 0x81, 0xb6, 0x4d, 0x13, 0xf7, 0x7c, 0x60, 0xa9, 0x34,
    0xdb, 0x02, 0x95, 0x4f, 0xe8, 0x3b, 0xc6, 0x71, 0x1e, 0xad, 0x58, 0xf3,
};

/* Source, destination, and with_ports the first four bytes behind the IP header. Returns the length. */
static unsigned int input_take(const struct rte_mbuf *frame, bool with_ports, uint8_t *input)
{
    const uint8_t *l3 = frame_l3_at(frame);
    unsigned int len = frame_is_ipv4(frame) ? 8 : 32;

    memcpy(input, l3 + (frame_is_ipv4(frame) ? 12 : 8), len);
    if (!with_ports)
        return len;
    memcpy(input + len, frame_l4_at(frame), 4);
    return len + 4;
}

void hash_reset(struct vif_hash *hash)
{
    memset(hash, 0, sizeof(*hash));
}

uint32_t hash_frame_type(const struct vif_hash *hash, struct rte_mbuf *frame)
{
    uint32_t wanted;
    bool tcp;

    if (hash->algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
        return 0;
    (void)frame_parse(frame);
    tcp = frame_l4(frame) == RTE_PTYPE_L4_TCP;
    if (frame_is_ipv4(frame))
        wanted = tcp && hash->flags & XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP
                     ? XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP
                     : XEN_NETIF_CTRL_HASH_TYPE_IPV4;
    else if (frame_is_ipv6(frame))
        wanted = tcp && hash->flags & XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP
                     ? XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP
                     : XEN_NETIF_CTRL_HASH_TYPE_IPV6;
    else
        return 0;
    return hash->flags & wanted;
}

uint32_t hash_frame(const struct vif_hash *hash, struct rte_mbuf *frame, uint32_t *value_r)
{
    uint32_t type = hash_frame_type(hash, frame);
    uint8_t input[HASH_INPUT_MAX];
    bool tcp = type & (XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP | XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP);

    if (type)
        *value_r =
            xen_netif_toeplitz_hash(hash->key, HASH_KEY_MAX, input, input_take(frame, tcp, input));
    return type;
}

/* Fragments have no ports, but for the first: all of a packet go by their addresses alone. */
static uint32_t own_hash(struct rte_mbuf *frame)
{
    uint8_t input[HASH_INPUT_MAX];
    uint32_t l4;

    (void)frame_parse(frame);
    if (!frame_is_ipv4(frame) && !frame_is_ipv6(frame))
        return 0;
    l4 = frame_l4(frame);
    return xen_netif_toeplitz_hash(
        own_key, HASH_KEY_MAX, input,
        input_take(frame, l4 == RTE_PTYPE_L4_TCP || l4 == RTE_PTYPE_L4_UDP, input));
}

unsigned int hash_queue(const struct vif_hash *hash, struct rte_mbuf *frame, unsigned int nr)
{
    uint32_t value = 0;

    if (hash->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE || !hash->flags)
        return own_hash(frame) % nr;
    (void)hash_frame(hash, frame, &value);
    if (hash->nr_mapping)
        value = hash->mapping[value % hash->nr_mapping];
    return value % nr;
}

uint32_t hash_algorithm_set(struct vif_hash *hash, uint32_t algorithm)
{
    if (algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_NONE &&
        algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    hash->algorithm = algorithm;
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

uint32_t hash_flags_get(const struct vif_hash *hash, uint32_t *flags_r)
{
    if (hash->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE)
        return XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
    *flags_r = HASH_FLAGS_ALL;
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

uint32_t hash_flags_set(struct vif_hash *hash, uint32_t flags)
{
    if (flags & ~(uint32_t)HASH_FLAGS_ALL || hash->algorithm == XEN_NETIF_CTRL_HASH_ALGORITHM_NONE)
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    hash->flags = flags;
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

uint32_t hash_key_check(uint32_t len)
{
    return len > HASH_KEY_MAX ? XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW
                              : XEN_NETIF_CTRL_STATUS_SUCCESS;
}

void hash_key_set(struct vif_hash *hash, const uint8_t *key, uint32_t len)
{
    memset(hash->key, 0, sizeof(hash->key));
    memcpy(hash->key, key, len);
}

uint32_t hash_mapping_size_set(struct vif_hash *hash, uint32_t nr)
{
    if (nr > HASH_MAPPING_MAX)
        return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    hash->nr_mapping = nr;
    memset(hash->mapping, 0, sizeof(hash->mapping));
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}

uint32_t hash_mapping_check(const struct vif_hash *hash, uint32_t nr, uint32_t offset)
{
    if (nr > HASH_MAPPING_MAX)
        return XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW;
    return offset > hash->nr_mapping || nr > hash->nr_mapping - offset
               ? XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER
               : XEN_NETIF_CTRL_STATUS_SUCCESS;
}

uint32_t hash_mapping_set(struct vif_hash *hash, const uint32_t *queues, uint32_t nr,
                          uint32_t offset, unsigned int nr_queues)
{
    for (uint32_t i = 0; i < nr; i++)
        if (queues[i] >= nr_queues)
            return XEN_NETIF_CTRL_STATUS_INVALID_PARAMETER;
    for (uint32_t i = 0; i < nr; i++)
        hash->mapping[offset + i] = (uint8_t)queues[i];
    return XEN_NETIF_CTRL_STATUS_SUCCESS;
}
