/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/dhcp_server.h"

#include <errno.h>
#include <string.h>

#define BROADCAST RTE_BE32(0xffffffff)
#define PREFIX_LEN_MIN 16

static rte_be32_t mask_of(uint8_t len)
{
    return len == 0 ? 0 : rte_cpu_to_be_32(UINT32_MAX << (32 - len));
}

uint8_t dhcp_server_prefix_len(rte_be32_t addr, rte_be32_t router, uint8_t len)
{
    uint8_t shorter = len;

    while (shorter > PREFIX_LEN_MIN && ((addr ^ router) & mask_of(shorter)) != 0)
        shorter--;
    return ((addr ^ router) & mask_of(shorter)) == 0 ? shorter : len;
}

/* What a guest asks for by a REQUEST, in its several forms (RFC 2131, 4.3.2). Returns the answer, or 0. */
static int request_judge(const struct dhcp_server_config *config, const struct dhcp_message *m)
{
    rte_be32_t wanted = m->has & DHCP_HAS_REQUESTED ? m->requested : m->ciaddr;

    if ((m->has & DHCP_HAS_SERVER) && m->server != config->router)
        return 0;
    if (wanted == 0)
        return -EINVAL;
    return wanted == config->addr ? DHCP_ACK : DHCP_NAK;
}

static int judge(const struct dhcp_server_config *config, const struct dhcp_message *m)
{
    switch (m->type) {
    case DHCP_DISCOVER:
        return DHCP_OFFER;
    case DHCP_REQUEST:
        return request_judge(config, m);
    case DHCP_INFORM:
        return m->ciaddr == config->addr ? DHCP_ACK : -EINVAL;
    case DHCP_DECLINE:
        return -EADDRINUSE;
    case DHCP_RELEASE:
        return 0;
    default:
        return -EINVAL;
    }
}

static void options_fill(const struct dhcp_server_config *config, struct dhcp_message *answer)
{
    answer->has |= DHCP_HAS_MASK | DHCP_HAS_ROUTER;
    answer->mask = mask_of(config->len);
    answer->router = config->router;
    if (config->has_dns) {
        answer->nr_dns = 1;
        answer->dns[0] = config->router;
    }
    if (config->mtu) {
        answer->has |= DHCP_HAS_MTU;
        answer->mtu = config->mtu;
    }
}

static void lease_fill(const struct dhcp_server_config *config, struct dhcp_message *answer)
{
    answer->yiaddr = config->addr;
    answer->has |= DHCP_HAS_LEASE | DHCP_HAS_T1 | DHCP_HAS_T2;
    answer->lease = DHCP_SERVER_LEASE_S;
    answer->t1 = DHCP_SERVER_LEASE_S / 2;
    answer->t2 = DHCP_SERVER_LEASE_S / 8 * 7;
}

/* Where an answer goes (RFC 2131, 4.1): a NAK always to everybody. */
static rte_be32_t destination_of(const struct dhcp_server_config *config,
                                 const struct dhcp_message *m, int type)
{
    if (type == DHCP_NAK)
        return BROADCAST;
    if (m->ciaddr == config->addr)
        return m->ciaddr;
    return m->is_broadcast ? BROADCAST : config->addr;
}

int dhcp_server_input(const struct dhcp_server_config *config, const uint8_t *payload, uint32_t len,
                      struct dhcp_server_answer *answer_r)
{
    struct dhcp_message m, answer = { .op = DHCP_TO_CLIENT, .has = DHCP_HAS_SERVER };
    int type;

    if (dhcp_parse(payload, len, &m) || m.op != DHCP_TO_SERVER || m.giaddr != 0)
        return -EINVAL;
    if (!rte_is_same_ether_addr(&m.chaddr, &config->mac))
        return -EPERM;
    type = judge(config, &m);
    if (type <= 0)
        return type;
    answer.type = type;
    answer.xid = m.xid;
    answer.is_broadcast = m.is_broadcast;
    answer.chaddr = m.chaddr;
    answer.server = config->router;
    answer.client_id_len = m.client_id_len;
    memcpy(answer.client_id, m.client_id, m.client_id_len);
    if (type == DHCP_ACK)
        answer.ciaddr = m.ciaddr;
    if (type != DHCP_NAK)
        options_fill(config, &answer);
    if (type != DHCP_NAK && m.type != DHCP_INFORM)
        lease_fill(config, &answer);
    answer_r->dst = destination_of(config, &m, type);
    answer_r->len = dhcp_build(&answer, answer_r->data);
    return type;
}
