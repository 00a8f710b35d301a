/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct ask asks[ASKS_MAX];
unsigned int nr_asks;
struct dns_asker told;
uint8_t told_data[DNS_ANSWER_MAX];
uint16_t told_len;
unsigned int nr_told;
uint64_t now;

static void on_ask(uint8_t upstream, uint16_t port, rte_be32_t server, const void *payload,
                   uint16_t len, uint64_t at)
{
    struct ask *a = &asks[nr_asks++];

    assert_int_equal(at, now);
    assert_true(nr_asks <= ASKS_MAX);
    assert_in_range(port, DNS_OWN_PORT_FIRST, DNS_OWN_PORT_LAST);
    *a = (struct ask){ .upstream = upstream, .port = port, .len = len, .server = server };
    memcpy(a->data, payload, len);
}

static void on_answer(const struct dns_asker *asker, const void *payload, uint16_t len, uint64_t at)
{
    assert_int_equal(at, now);
    told = *asker;
    told_len = len;
    memcpy(told_data, payload, len);
    nr_told++;
}

static const struct dns_forward_ops ops = { on_ask, on_answer };

int setup(void **state)
{
    static const rte_be32_t servers[] = { FIRST, SECOND_SERVER };

    (void)state;
    now = 1000 * SECOND;
    nr_asks = nr_told = told_len = 0;
    dns_forward_init(&ops, 42);
    dns_forward_servers_set(1, servers, 2);
    return 0;
}

struct dns_asker asker(uint8_t guest)
{
    struct dns_asker a = { .guest = guest,
                           .upstream = 1,
                           .addr = GUEST,
                           .server = ROUTER,
                           .port = 33333,
                           .answer_max = 1472 };

    return a;
}

uint16_t query_make(uint8_t *data, uint16_t id)
{
    static const uint8_t rest[] = { 1,   0,   0,   1,   0,   0,   0,   0,   0,   0,   3,
                                    'w', 'w', 'w', 7,   'e', 'x', 'a', 'm', 'p', 'l', 'e',
                                    3,   'o', 'r', 'g', 0,   0,   1,   0,   1 };

    data[0] = (uint8_t)(id >> 8);
    data[1] = (uint8_t)id;
    memcpy(data + 2, rest, sizeof(rest));
    return 2 + sizeof(rest);
}

void ask_as(const struct dns_asker *a, uint16_t id)
{
    uint8_t data[DNS_QUERY_MAX];
    uint16_t len = query_make(data, id);

    dns_forward_query(a, data, len, now);
}

void ask_by(uint8_t guest, uint16_t id)
{
    struct dns_asker a = asker(guest);

    ask_as(&a, id);
}

void ask_raw(const uint8_t *data, uint32_t len)
{
    struct dns_asker a = asker(0);
    uint8_t *copy = malloc(len ? len : 1);

    memcpy(copy, data, len);
    dns_forward_query(&a, copy, len, now);
    free(copy);
}

uint16_t answer_make(const struct ask *a, uint8_t *data, uint16_t records)
{
    memcpy(data, a->data, a->len);
    data[2] |= 0x80;
    data[3] |= 0x80;
    memset(data + a->len, 0x5a, records);
    return a->len + records;
}

void give(const struct ask *a, const uint8_t *data, uint32_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    memcpy(copy, data, len);
    dns_forward_answer(a->upstream, a->server, DNS_PORT, a->port, copy, len, now);
    free(copy);
}

void answer(const struct ask *a)
{
    uint8_t data[DNS_ANSWER_MAX];

    give(a, data, answer_make(a, data, 16));
}

void answer_with(const struct ask *a, enum dns_rcode rcode)
{
    uint8_t data[DNS_ANSWER_MAX];
    uint16_t len = answer_make(a, data, 0);

    data[3] |= (uint8_t)rcode;
    give(a, data, len);
}
