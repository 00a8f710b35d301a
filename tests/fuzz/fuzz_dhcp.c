/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP messages: what is read can be written and read again; the server answers with nothing but the vif's address. */
#include <errno.h>

#include "fuzz.h"
#include "net/dhcp_server.h"

#define AT_CHADDR 28

static void same_check(const struct dhcp_message *a, const struct dhcp_message *b)
{
    FUZZ_CHECK(a->op == b->op && a->type == b->type && a->xid == b->xid && a->secs == b->secs);
    FUZZ_CHECK(a->ciaddr == b->ciaddr && a->yiaddr == b->yiaddr && a->giaddr == b->giaddr);
    FUZZ_CHECK(a->is_broadcast == b->is_broadcast && a->has == b->has && a->mask == b->mask);
    FUZZ_CHECK(rte_is_same_ether_addr(&a->chaddr, &b->chaddr) && a->router == b->router);
    FUZZ_CHECK(a->requested == b->requested && a->server == b->server && a->lease == b->lease);
    FUZZ_CHECK(a->t1 == b->t1 && a->t2 == b->t2 && a->mtu == b->mtu && a->nr_dns == b->nr_dns);
    FUZZ_CHECK(memcmp(a->dns, b->dns, a->nr_dns * sizeof(a->dns[0])) == 0);
    FUZZ_CHECK(b->client_id_len == a->client_id_len || b->client_id_len == 0);
    FUZZ_CHECK(memcmp(a->client_id, b->client_id, b->client_id_len) == 0);
}

static void codec_check(const uint8_t *data, size_t size)
{
    uint8_t written[DHCP_MESSAGE_MAX];
    struct dhcp_message m, again;
    uint16_t len;

    if (dhcp_parse(data, (uint32_t)size, &m))
        return;
    FUZZ_CHECK(m.nr_dns <= DHCP_DNS_MAX);
    len = dhcp_build(&m, written);
    FUZZ_CHECK(len <= sizeof(written));
    FUZZ_CHECK(dhcp_parse(written, len, &again) == 0);
    same_check(&m, &again);
}

/* Half of the servers are there for the sender's MAC. */
static void server_check(const uint8_t *data, size_t size)
{
    struct dhcp_server_config config = { .mac = { { 2, 0, 0, 0, 0, 1 } },
                                         .addr = RTE_BE32(0x0a000501),
                                         .len = 24,
                                         .router = RTE_BE32(0x0a000580),
                                         .has_dns = true };
    struct dhcp_server_answer answer;
    struct dhcp_message m;
    int type;

    if (size >= AT_CHADDR + 6 && (data[0] & 1))
        memcpy(&config.mac, data + AT_CHADDR, 6);
    type = dhcp_server_input(&config, data, (uint32_t)size, &answer);
    if (type <= 0) {
        FUZZ_CHECK(type == 0 || type == -EINVAL || type == -EPERM || type == -EADDRINUSE);
        return;
    }
    FUZZ_CHECK(answer.dst == config.addr || answer.dst == UINT32_MAX);
    FUZZ_CHECK(answer.len <= sizeof(answer.data));
    FUZZ_CHECK(dhcp_parse(answer.data, answer.len, &m) == 0);
    FUZZ_CHECK((int)m.type == type && m.server == config.router);
    FUZZ_CHECK(m.yiaddr == config.addr || m.yiaddr == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);

    codec_check(copy, size);
    server_check(copy, size);
    free(copy);
    return 0;
}
