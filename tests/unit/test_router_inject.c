/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router at work while there is no buffer: at each place where one is asked for, once there alone, once from there on. No
 * buffer is lost, and when there are buffers again everybody is served.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture_net.h"
#include "fixture_router.h"

#define S 1000000000ull

static struct {
    bool counts;
    unsigned int nr, at, from;
} inject;
static char what[48];
static rte_mempool_dequeue_t dequeue_real;

static int dequeue(struct rte_mempool *pool, void **objects, unsigned int nr)
{
    if (inject.counts) {
        inject.nr++;
        if (inject.nr == inject.at || (inject.from && inject.nr >= inject.from))
            return -ENOBUFS;
    }
    return dequeue_real(pool, objects, nr);
}

static int group(void **state)
{
    struct rte_mempool_ops *ops;

    if (fixture_start(state))
        return -1;
    ops = rte_mempool_get_ops(fixture_pool()->ops_index);
    dequeue_real = ops->dequeue;
    ops->dequeue = dequeue;
    return 0;
}

/* Frames themselves are always there; what the router needs for them may not be. */
static void guest_hands(unsigned int guest, const struct packet_spec *spec)
{
    struct rte_mbuf *frame = packet_make(ROUTER_GUEST_MAC, GUEST_MAC(guest), spec);

    inject.counts = true;
    guest_sends(guest, frame);
    inject.counts = false;
}

static void wire_hands(const struct packet_spec *spec)
{
    struct rte_mbuf *frame = packet_make(ROUTER_WIRE_MAC, HOST_MAC, spec);

    inject.counts = true;
    wire_sends(frame);
    inject.counts = false;
}

static void time_passes(uint64_t ns)
{
    inject.counts = true;
    pass(ns);
    inject.counts = false;
}

/* What makes a router ask for buffers: neighbours that it looks for, errors that it sends, answers of its own. */
static void work(void)
{
    const struct packet_spec specs[] = {
        { .src = "192.0.2.10", .dst = "192.0.2.5", .payload = 100 },
        { .src = "192.0.2.10", .dst = "203.0.113.7", .payload = 100 },
        { .src = "192.0.2.10", .dst = "192.0.2.5", .ttl = 1 },
        { .src = "192.0.2.10", .dst = "198.51.100.1", .payload = 1000 },
        { .src = "2001:db8::10", .dst = "2001:db8::5", .payload = 100 },
        { .src = "2001:db8::10", .dst = "2001:db8::5", .ttl = 1 },
        { .src = "2001:db8::10", .dst = "2001:db8:ffff::5" },
    };
    const struct packet_spec nat = {
        .src = "10.0.1.1", .dst = "192.0.2.5", .sport = 5, .dport = 7
    };
    const struct packet_spec in = { .src = "192.0.2.5", .dst = "192.0.2.10", .ttl = 1 };
    const struct packet_spec strange = { .src = "192.0.2.5", .dst = "192.0.2.1", .dport = 9 };

    for (unsigned int round = 0; round < 2; round++) {
        for (unsigned int i = 0; i < RTE_DIM(specs); i++)
            guest_hands(0, &specs[i]);
        guest_hands(2, &nat);
        wire_hands(&in);
        wire_hands(&strange);
        time_passes(S);
    }
}

/* knows: where the stations on the wire are; else it looks for them. */
static unsigned int worked(bool knows, unsigned int at, unsigned int from)
{
    const struct packet_spec spec = { .src = "192.0.2.10", .dst = "192.0.2.5", .payload = 100 };
    void *state = NULL;

    snprintf(what, sizeof(what), "at %u, from %u", at, from);
    assert_int_equal(lab_start(&state), 0);
    if (knows)
        neighbours_answer();
    inject = (typeof(inject)){ .at = at, .from = from };
    work();
    forget_sent();
    for (unsigned int i = 0; i < 10; i++)
        pass(S); /* nobody waits for so long */
    forget_sent();
    if (fixture_in_use())
        fail_msg("%s: %u buffers are lost", what, fixture_in_use());
    if (!knows)
        neighbours_answer();
    guest_sends_packet(0, &spec);
    if (lab.wire.nr_kept != 1)
        fail_msg("%s: nobody is served any more", what);
    assert_int_equal(lab_end(&state), 0);
    return inject.nr;
}

static void a_router_with_each_buffer_missing(void **state)
{
    (void)state;
    for (unsigned int knows = 0; knows < 2; knows++) {
        unsigned int nr = worked(knows, 0, 0);

        assert_in_range(nr, 8, 1000);
        for (unsigned int i = 1; i <= nr; i++) {
            (void)worked(knows, i, 0);
            (void)worked(knows, 0, i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_router_with_each_buffer_missing) };

    return cmocka_run_group_tests(tests, group, NULL);
}
