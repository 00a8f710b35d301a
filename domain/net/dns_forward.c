/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/dns_forward.h"

#include <string.h>

#include <rte_common.h>

#include "net/dns.h"
#include "net/random.h"

#define TRIES_MAX 3 /* at 0, DNS_TRY_NS and twice that */
#define NO_KEY 0 /* no port is 0 */

struct upstream {
    uint8_t nr;
    uint8_t first; /* who answered last is asked first */
    rte_be32_t servers[DNS_SERVERS_MAX];
};

struct query {
    bool is_used;
    struct dns_asker asker;
    uint8_t first, nr_tries; /* servers are asked in turn, beginning with this one */
    uint64_t begun, due; /* ns; due: another try, or the end */
    rte_be32_t servers[TRIES_MAX]; /* that were asked */
    uint16_t len, question_len;
    uint8_t data[DNS_QUERY_MAX]; /* as the guest sent it */
};

static struct {
    const struct dns_forward_ops *ops;
    struct random random;
    uint64_t due; /* ns: nothing is due before */
    unsigned int nr;
    uint8_t nr_of[DNS_GUESTS];
    struct upstream upstreams[DNS_UPSTREAMS];
    struct dns_stats stats;
    uint32_t keys[DNS_QUERIES * TRIES_MAX]; /* port and id of each try of each query */
    struct query queries[DNS_QUERIES];
} forward;

void dns_forward_init(const struct dns_forward_ops *ops, uint64_t seed)
{
    memset(&forward, 0, sizeof(forward));
    forward.ops = ops;
    forward.due = UINT64_MAX;
    random_init(&forward.random, seed, 0);
}

void dns_forward_servers_set(uint8_t upstream, const rte_be32_t *servers, unsigned int nr)
{
    struct upstream *up = &forward.upstreams[upstream];

    *up = (struct upstream){ .nr = (uint8_t)RTE_MIN(nr, (unsigned int)DNS_SERVERS_MAX) };
    if (up->nr)
        memcpy(up->servers, servers, up->nr * sizeof(servers[0]));
}

static uint32_t *keys_of(const struct query *q)
{
    return &forward.keys[(q - forward.queries) * TRIES_MAX];
}

static void query_free(struct query *q)
{
    q->is_used = false;
    for (unsigned int i = 0; i < TRIES_MAX; i++)
        keys_of(q)[i] = NO_KEY;
    forward.nr_of[q->asker.guest]--;
    forward.nr--;
}

/* Send an answer that has no records. */
static void refuse(const struct dns_asker *asker, const uint8_t *query, uint32_t len,
                   enum dns_rcode rcode, uint64_t now)
{
    uint8_t answer[DNS_HEADER_LEN + DNS_QUESTION_MAX];

    forward.ops->answer(asker, answer, dns_answer_make(query, len, rcode, answer), now);
}

static void query_fail(struct query *q, uint64_t now)
{
    forward.stats.failed++;
    refuse(&q->asker, q->data, q->len, DNS_SERVFAIL, now);
    query_free(q);
}

/* Bytes of payload that reach the guest in one packet. */
static uint16_t answer_max(const struct query *q)
{
    return RTE_MIN(q->asker.answer_max, (uint16_t)DNS_ANSWER_MAX);
}

/* Ask the next server, under another id and port than before. */
static void query_try(struct query *q, uint64_t now)
{
    static uint8_t data[DNS_QUERY_MAX];
    const struct upstream *up = &forward.upstreams[q->asker.upstream];
    uint64_t number = random_next(&forward.random, now);
    uint16_t id = (uint16_t)number;
    uint16_t port = DNS_OWN_PORT_FIRST +
                    (uint16_t)((number >> 16) % (DNS_OWN_PORT_LAST + 1 - DNS_OWN_PORT_FIRST));

    q->due = RTE_MIN(now + DNS_TRY_NS, q->begun + DNS_FAIL_NS);
    if (up->nr == 0)
        return;
    q->servers[q->nr_tries] = up->servers[(q->first + q->nr_tries) % up->nr];
    keys_of(q)[q->nr_tries] = (uint32_t)port << 16 | id;
    memcpy(data, q->data, q->len);
    dns_id_set(data, id);
    dns_query_size_limit(data, q->len, answer_max(q));
    q->nr_tries++;
    forward.ops->ask(q->asker.upstream, port, q->servers[q->nr_tries - 1], data, q->len, now);
}

static bool is_same_asker(const struct dns_asker *a, const struct dns_asker *b)
{
    return a->guest == b->guest && a->port == b->port && a->addr == b->addr &&
           a->server == b->server;
}

/* Is an answer to this very query waited for? */
static bool is_repeated(const struct dns_asker *asker, const uint8_t *data, uint32_t len)
{
    for (unsigned int i = 0; i < DNS_QUERIES && forward.nr_of[asker->guest]; i++) {
        const struct query *q = &forward.queries[i];

        if (q->is_used && is_same_asker(&q->asker, asker) && q->len == len &&
            memcmp(q->data, data, len) == 0)
            return true;
    }
    return false;
}

static struct query *oldest_of(uint8_t guest)
{
    struct query *oldest = NULL;

    for (unsigned int i = 0; i < DNS_QUERIES; i++) {
        struct query *q = &forward.queries[i];

        if (q->is_used && q->asker.guest == guest && (!oldest || q->begun < oldest->begun))
            oldest = q;
    }
    return oldest;
}

/* When all places are taken, the guest that has most of them gives one up to one that has fewer. */
static bool room_make(uint8_t guest)
{
    uint8_t most = 0;

    if (forward.nr_of[guest] >= DNS_QUERIES_GUEST)
        return false;
    if (forward.nr < DNS_QUERIES)
        return true;
    for (uint8_t i = 1; i < DNS_GUESTS; i++)
        if (forward.nr_of[i] > forward.nr_of[most])
            most = i;
    if (forward.nr_of[most] <= forward.nr_of[guest] + 1)
        return false;
    query_free(oldest_of(most));
    return true;
}

static struct query *query_alloc(const struct dns_asker *asker, const uint8_t *data, uint32_t len,
                                 uint64_t now)
{
    struct query *q = forward.queries;

    while (q->is_used)
        q++;
    q->is_used = true;
    q->asker = *asker;
    q->first = forward.upstreams[asker->upstream].first;
    q->nr_tries = 0;
    q->begun = now;
    q->len = (uint16_t)len;
    q->question_len = dns_question_len(data, len);
    memcpy(q->data, data, len);
    forward.nr_of[asker->guest]++;
    forward.nr++;
    return q;
}

/* Of what is no query: false, and it was refused if it can be, but for what claims to be an answer. */
static bool query_check(const struct dns_asker *asker, const uint8_t *data, uint32_t len,
                        uint64_t now)
{
    enum dns_rcode rcode = dns_query_check(data, len);

    if (rcode == DNS_NOERROR && len > DNS_QUERY_MAX)
        rcode = DNS_FORMERR;
    if (len >= DNS_HEADER_LEN && !dns_is_answer(data) && rcode == DNS_NOERROR)
        return true;
    forward.stats.malformed++;
    if (len >= DNS_HEADER_LEN && !dns_is_answer(data))
        refuse(asker, data, len, rcode, now);
    return false;
}

void dns_forward_query(const struct dns_asker *asker, const uint8_t *payload, uint32_t len,
                       uint64_t now)
{
    struct query *q;

    forward.stats.queries++;
    if (!query_check(asker, payload, len, now))
        return;
    if (forward.upstreams[asker->upstream].nr == 0) {
        forward.stats.failed++;
        refuse(asker, payload, len, DNS_SERVFAIL, now);
    } else if (is_repeated(asker, payload, len)) {
        forward.stats.repeated++;
    } else if (!room_make(asker->guest)) {
        forward.stats.over_quota++;
    } else {
        q = query_alloc(asker, payload, len, now);
        query_try(q, now);
        forward.due = RTE_MIN(forward.due, q->due);
    }
}

static bool is_answer_to(const struct query *q, unsigned int try, rte_be32_t src,
                         const uint8_t *data, uint32_t len)
{
    return q->is_used && q->servers[try] == src && dns_question_len(data, len) == q->question_len &&
           dns_question_is_same(data + DNS_HEADER_LEN, q->data + DNS_HEADER_LEN, q->question_len);
}

/* The query that was sent from a port, and the try. */
static struct query *query_find(uint8_t upstream, rte_be32_t src, uint16_t port,
                                const uint8_t *data, uint32_t len, unsigned int *try_r)
{
    uint32_t key = (uint32_t)port << 16 | dns_id(data);

    for (unsigned int i = 0; i < DNS_QUERIES * TRIES_MAX; i++) {
        struct query *q = &forward.queries[i / TRIES_MAX];

        *try_r = i % TRIES_MAX;
        if (forward.keys[i] == key && q->asker.upstream == upstream &&
            is_answer_to(q, *try_r, src, data, len))
            return q;
    }
    return NULL;
}

static void answer_pass(const struct query *q, const uint8_t *payload, uint32_t len, uint64_t now)
{
    static uint8_t data[DNS_ANSWER_MAX];

    if (len > answer_max(q)) {
        len = dns_answer_make(q->data, q->len, dns_rcode(payload), data);
        dns_truncated_set(data);
        forward.stats.truncated++;
    } else {
        memcpy(data, payload, len);
        dns_id_set(data, dns_id(q->data));
    }
    forward.stats.answers++;
    forward.ops->answer(&q->asker, data, (uint16_t)len, now);
}

/* Does a server say that it cannot help, while another was not asked yet? */
static bool is_worth_another(const struct query *q, const uint8_t *data)
{
    return (dns_rcode(data) == DNS_SERVFAIL || dns_rcode(data) == DNS_REFUSED) &&
           q->nr_tries < forward.upstreams[q->asker.upstream].nr;
}

void dns_forward_answer(uint8_t upstream, rte_be32_t src, uint16_t sport, uint16_t dport,
                        const uint8_t *payload, uint32_t len, uint64_t now)
{
    struct upstream *up = &forward.upstreams[upstream];
    struct query *q = NULL;
    unsigned int try;

    if (len >= DNS_HEADER_LEN && sport == DNS_PORT && dns_is_answer(payload) &&
        dns_opcode(payload) == 0)
        q = query_find(upstream, src, dport, payload, len, &try);
    if (!q) {
        forward.stats.stray++;
        return;
    }
    if (is_worth_another(q, payload)) {
        forward.stats.retries++;
        query_try(q, now);
        return;
    }
    if (up->nr)
        up->first = (uint8_t)((q->first + try) % up->nr);
    answer_pass(q, payload, len, now);
    query_free(q);
}

void dns_forward_guest_remove(uint8_t guest)
{
    for (unsigned int i = 0; i < DNS_QUERIES && forward.nr_of[guest]; i++)
        if (forward.queries[i].is_used && forward.queries[i].asker.guest == guest)
            query_free(&forward.queries[i]);
}

static void query_tick(struct query *q, uint64_t now)
{
    if (now < q->due)
        return;
    if (now - q->begun >= DNS_FAIL_NS) {
        query_fail(q, now);
    } else if (q->nr_tries < TRIES_MAX) {
        forward.stats.retries++;
        query_try(q, now);
    } else {
        q->due = q->begun + DNS_FAIL_NS;
    }
}

uint64_t dns_forward_tick(uint64_t now)
{
    if (now < forward.due)
        return forward.due;
    forward.due = UINT64_MAX;
    for (unsigned int i = 0; i < DNS_QUERIES && forward.nr; i++) {
        struct query *q = &forward.queries[i];

        if (q->is_used)
            query_tick(q, now);
        if (q->is_used)
            forward.due = RTE_MIN(forward.due, q->due);
    }
    return forward.due;
}

unsigned int dns_forward_pending(void)
{
    return forward.nr;
}

const struct dns_stats *dns_forward_stats(void)
{
    return &forward.stats;
}
