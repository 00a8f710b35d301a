/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DNS forwarder between guests and servers that send anything: nothing is sent to a guest but what it has asked
 * for, tables do not overflow, and in the end nothing is left.
 */
#include "fuzz.h"
#include "net/dns.h"
#include "net/dns_forward.h"

#define SECOND 1000000000ull
#define STEPS_MAX 256
#define SERVER(n) RTE_BE32(0xc0000201u + (n))

static struct {
    uint8_t upstream;
    uint16_t port, len;
    rte_be32_t server;
    uint8_t data[DNS_QUERY_MAX];
} asked; /* last */
static uint64_t now;
static int outstanding[DNS_GUESTS]; /* queries of a guest that were not answered yet */

static void on_ask(uint8_t upstream, uint16_t port, rte_be32_t server, const void *payload,
                   uint16_t len, uint64_t at)
{
    FUZZ_CHECK(at == now && upstream < DNS_UPSTREAMS && server != 0);
    FUZZ_CHECK(port >= DNS_OWN_PORT_FIRST && port <= DNS_OWN_PORT_LAST);
    FUZZ_CHECK(len >= DNS_HEADER_LEN && len <= DNS_QUERY_MAX && dns_question_len(payload, len));
    asked.upstream = upstream;
    asked.port = port;
    asked.server = server;
    asked.len = len;
    memcpy(asked.data, payload, len);
}

static void on_answer(const struct dns_asker *asker, const void *payload, uint16_t len, uint64_t at)
{
    FUZZ_CHECK(at == now && asker->guest < DNS_GUESTS && dns_is_answer(payload));
    FUZZ_CHECK(len >= DNS_HEADER_LEN && len <= DNS_ANSWER_MAX);
    FUZZ_CHECK(len <= asker->answer_max || len <= DNS_HEADER_LEN + DNS_QUESTION_MAX);
    FUZZ_CHECK(outstanding[asker->guest]-- > 0);
}

static const struct dns_forward_ops ops = { on_ask, on_answer };

static void query_give(struct fuzz_input *input, uint8_t kind)
{
    struct dns_asker asker = { .guest = kind >> 3 & 3,
                               .upstream = kind >> 5 & 3,
                               .addr = SERVER(100),
                               .server = SERVER(200),
                               .port = fuzz_u8(input),
                               .answer_max = kind & 0x80 ? 100 : 1472 };
    const uint8_t *bytes;
    size_t len = fuzz_take(input, fuzz_u8(input) * 3, &bytes);
    uint8_t *copy = fuzz_copy(bytes, len);

    outstanding[asker.guest]++;
    dns_forward_query(&asker, copy, (uint32_t)len, now);
    free(copy);
}

/* What was asked last comes back, changed a little; or something else does. */
static void answer_give(struct fuzz_input *input, uint8_t kind)
{
    const uint8_t *bytes;
    size_t at = fuzz_u8(input), extra = fuzz_u8(input) * 8u;
    size_t len = fuzz_take(input, fuzz_u8(input), &bytes);
    size_t size = asked.len + extra;
    uint8_t *copy = calloc(1, size + 1);

    memcpy(copy, asked.data, asked.len);
    if (size > 2)
        copy[2] |= 0x80;
    if (at < size)
        memcpy(copy + at, bytes, len < size - at ? len : size - at);
    if (kind & 8)
        dns_forward_answer(kind >> 4 & 3, SERVER(kind >> 6), DNS_PORT, fuzz_u16(input), copy,
                           (uint32_t)size, now);
    else
        dns_forward_answer(asked.upstream, asked.server, DNS_PORT, asked.port, copy, (uint32_t)size,
                           now);
    free(copy);
}

static void servers_set(uint8_t kind)
{
    rte_be32_t servers[DNS_SERVERS_MAX] = { SERVER(0), SERVER(1), SERVER(2) };

    dns_forward_servers_set(kind >> 5 & 3, servers, kind >> 3 & 3);
}

static void step(struct fuzz_input *input)
{
    uint8_t kind = fuzz_u8(input);

    switch (kind & 7) {
    case 0:
        now += fuzz_u8(input) * (SECOND / 16);
        break;
    case 1:
        dns_forward_guest_remove(kind >> 3 & 3);
        break;
    case 2:
        servers_set(kind);
        break;
    case 3:
    case 4:
        answer_give(input, kind);
        break;
    default:
        query_give(input, kind);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    now = 1000 * SECOND;
    memset(&asked, 0, sizeof(asked));
    memset(outstanding, 0, sizeof(outstanding));
    dns_forward_init(&ops, 5);
    for (uint8_t i = 0; i < 3; i++)
        servers_set((uint8_t)(i << 5 | 2 << 3)); /* the last one has none */
    for (unsigned int i = 0; i < STEPS_MAX && input.left; i++) {
        step(&input);
        FUZZ_CHECK(dns_forward_tick(now) > now);
        FUZZ_CHECK(dns_forward_pending() <= DNS_QUERIES);
    }
    now += 10 * SECOND;
    FUZZ_CHECK(dns_forward_tick(now) == UINT64_MAX && dns_forward_pending() == 0);
    return 0;
}
