/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/dhcp_lease.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_jhash.h>

#include "net/address.h"

#define NS_PER_SECOND 1000000000ull
#define LEN_MIN 8

/* What a link of IPv4 can have (RFC 2132, 5.1, says 68; less than 576 no host needs to take), and what is sane. */
#define MTU_MIN 576
#define MTU_MAX 9000

/* Memory that a restart leaves alone; zero at the first start. */
#define OUTLIVE __attribute__((section(".outlive")))

struct kept {
    uint32_t check; /* over all that follows; 0: void */
    uint32_t identity;
    struct dhcp_lease lease;
};

static struct kept kept[DHCP_LEASES_MAX] OUTLIVE;

/* Of the classes of old (RFC 791, 2.3), for want of a mask. */
static uint8_t class_len(rte_be32_t addr)
{
    uint32_t top = rte_be_to_cpu_32(addr) >> 24;

    return top < 128 ? 8 : top < 192 ? 16 : 24;
}

static uint32_t mask_of(uint8_t len)
{
    return len == 0 ? 0 : UINT32_MAX << (32 - len);
}

/* Returns the length of a mask without holes, or -EINVAL. */
static int mask_len(rte_be32_t mask)
{
    for (uint8_t len = LEN_MIN; len <= 32; len++)
        if (rte_be_to_cpu_32(mask) == mask_of(len))
            return len;
    return -EINVAL;
}

/* A host's address, which in its network is neither the first nor the last. */
static bool is_host_in(rte_be32_t addr, uint8_t len)
{
    uint32_t rest = rte_be_to_cpu_32(addr) & ~mask_of(len);

    return ip4_is_host(addr) && (len > 30 || (rest != 0 && rest != ~mask_of(len)));
}

/* On the link, then; with a prefix of one address everybody is (net/router.h). */
static bool is_gateway(const struct dhcp_lease *lease, rte_be32_t gateway)
{
    uint32_t differs = rte_be_to_cpu_32(gateway ^ lease->addr);

    return differs != 0 && is_host_in(gateway, lease->len) &&
           (lease->len == 32 || (differs & mask_of(lease->len)) == 0);
}

static void times_set(const struct dhcp_message *m, uint64_t asked, struct dhcp_lease *lease)
{
    uint64_t s = RTE_MAX(m->lease, (uint32_t)DHCP_LEASE_MIN_S);
    uint64_t length = s * NS_PER_SECOND, t1 = length / 2, t2 = length / 8 * 7;
    uint64_t said1 = m->t1 * NS_PER_SECOND, said2 = m->t2 * NS_PER_SECOND;

    lease->begins = asked;
    if (m->lease == DHCP_FOREVER) {
        lease->t1 = lease->t2 = lease->ends = UINT64_MAX;
        return;
    }
    if ((m->has & DHCP_HAS_T2) && said2 >= length / 4 && said2 < length)
        t2 = said2;
    if ((m->has & DHCP_HAS_T1) && said1 >= length / 8)
        t1 = said1;
    lease->t2 = asked + t2;
    lease->t1 = asked + (t1 < t2 ? t1 : t2 / 2);
    lease->ends = asked + length;
}

int dhcp_lease_read(const struct dhcp_message *m, uint64_t asked, struct dhcp_lease *lease_r)
{
    int len = m->has & DHCP_HAS_MASK ? mask_len(m->mask) : class_len(m->yiaddr);
    struct dhcp_lease lease;

    if (!(m->has & DHCP_HAS_SERVER) || !ip4_is_host(m->server) || !(m->has & DHCP_HAS_LEASE) ||
        len < 0 || !is_host_in(m->yiaddr, (uint8_t)len))
        return -EINVAL;
    memset(&lease, 0, sizeof(lease));
    lease.addr = m->yiaddr;
    lease.len = (uint8_t)len;
    lease.server = m->server;
    lease.mac = m->chaddr;
    if ((m->has & DHCP_HAS_ROUTER) && is_gateway(&lease, m->router))
        lease.gateway = m->router;
    for (unsigned int i = 0; i < m->nr_dns; i++)
        if (ip4_is_host(m->dns[i]))
            lease.dns[lease.nr_dns++] = m->dns[i];
    if (m->mtu >= MTU_MIN && m->mtu <= MTU_MAX)
        lease.mtu = m->mtu;
    times_set(m, asked, &lease);
    *lease_r = lease;
    return 0;
}

static uint32_t check_of(const struct kept *k)
{
    const size_t skip = offsetof(struct kept, identity);
    uint32_t sum = rte_jhash((const char *)k + skip, sizeof(*k) - skip, sizeof(*k));

    return sum ? sum : 1;
}

void dhcp_lease_keep(unsigned int slot, uint32_t identity, const struct dhcp_lease *lease)
{
    struct kept *k = &kept[slot];

    k->check = 0;
    if (!lease)
        return;
    memset(k, 0, sizeof(*k));
    k->identity = identity;
    memcpy(&k->lease, lease, sizeof(*lease));
    k->check = check_of(k);
}

bool dhcp_lease_recall(unsigned int slot, uint32_t identity, uint64_t now,
                       struct dhcp_lease *lease_r)
{
    const struct kept *k = &kept[slot];

    if (k->check == 0 || k->check != check_of(k) || k->identity != identity ||
        k->lease.begins > now || k->lease.ends <= now)
        return false;
    memcpy(lease_r, &k->lease, sizeof(*lease_r));
    return true;
}
