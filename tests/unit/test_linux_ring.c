/* SPDX-License-Identifier: BSD-2-Clause */
/* linux-block's ring: answers in order, whatever order the work ends in, and a successor that goes on where another died. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "block/ring.h"

#define IDENTITY 0x1122334455667788ull

static _Alignas(4096) char pages[RING_PAGE_SIZE << RING_ORDER_MAX];
static struct blkif_sring *const shared = (struct blkif_sring *)pages;
static const uint64_t identity = IDENTITY, other_identity = IDENTITY + 1;
static struct ring ring;
static const char *why;

static int fresh(void **state)
{
    (void)state;
    memset(pages, 0, sizeof(pages));
    shared->req_event = shared->rsp_event = 1;
    return 0;
}

static int attach(bool was_used, const uint64_t *what)
{
    why = NULL;
    return ring_attach(&ring, pages, 0, was_used, what, &why);
}

/* As a frontend does it, into the next slot. */
static void ask(uint32_t slots, uint64_t id, uint64_t sector)
{
    struct blkif_request *request = &shared->ring[shared->req_prod & (slots - 1)].req;

    *request = (struct blkif_request){
        .operation = BLKIF_OP_WRITE, .nr_segments = 1, .id = id, .sector_number = sector
    };
    request->seg[0].gref = (grant_ref_t)id + 100;
    shared->req_prod++;
}

static void take(uint64_t id, unsigned int *slot)
{
    struct blkif_request request;

    assert_int_equal(ring_take(&ring, &request, slot), 1);
    assert_int_equal(request.id, id);
    assert_int_equal(request.seg[0].gref, id + 100);
}

static void answered(uint32_t index, uint64_t id, int status)
{
    const struct blkif_response *response = &shared->ring[index & (ring.nr_slots - 1)].rsp;

    assert_true(index < shared->rsp_prod);
    assert_int_equal(response->id, id);
    assert_int_equal(response->operation, BLKIF_OP_WRITE);
    assert_int_equal(response->status, status);
}

static void rings_have_a_power_of_two_of_slots(void **state)
{
    static const uint32_t slots[] = { 32, 64, RING_SLOTS_MAX };

    (void)state;
    for (unsigned int order = 0; order <= RING_ORDER_MAX; order++) {
        fresh(NULL);
        assert_int_equal(ring_attach(&ring, pages, order, false, &identity, &why), 0);
        assert_int_equal(ring.nr_slots, slots[order]);
        assert_int_equal(ring.nr_slots, __RING_SIZE(shared, (size_t)RING_PAGE_SIZE << order));
    }
}

static void answers_come_in_order(void **state)
{
    unsigned int slots[3];

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    for (uint64_t id = 0; id < 3; id++)
        ask(32, id, id);
    for (uint64_t id = 0; id < 3; id++)
        take(id, &slots[id]);
    ring_done(&ring, slots[2], BLKIF_RSP_OKAY);
    assert_false(ring_answer(&ring));
    ring_done(&ring, slots[1], BLKIF_RSP_ERROR);
    assert_false(ring_answer(&ring));
    assert_int_equal(shared->rsp_prod, 0);
    /* Their slots are as the frontend wrote them: a successor can do all three again. */
    for (uint64_t id = 0; id < 3; id++) {
        assert_int_equal(shared->ring[id].req.id, id);
        assert_int_equal(shared->ring[id].req.nr_segments, 1);
    }
    ring_done(&ring, slots[0], BLKIF_RSP_OKAY);
    assert_true(ring_answer(&ring));
    assert_int_equal(shared->rsp_prod, 3);
    answered(0, 0, BLKIF_RSP_OKAY);
    answered(1, 1, BLKIF_RSP_ERROR);
    answered(2, 2, BLKIF_RSP_OKAY);
}

static void a_frontend_that_wants_no_event_gets_none(void **state)
{
    unsigned int slot;

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    shared->rsp_event = 2;
    ask(32, 7, 0);
    ask(32, 8, 0);
    take(7, &slot);
    ring_done(&ring, slot, BLKIF_RSP_OKAY);
    assert_false(ring_answer(&ring));
    take(8, &slot);
    ring_done(&ring, slot, BLKIF_RSP_OKAY);
    assert_true(ring_answer(&ring));
}

static void arming_sees_what_came_meanwhile(void **state)
{
    unsigned int slot;

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    assert_false(ring_arm(&ring));
    assert_int_equal(shared->req_event, 1);
    ask(32, 1, 0);
    assert_true(ring_arm(&ring));
    take(1, &slot);
    assert_false(ring_arm(&ring));
    assert_int_equal(shared->req_event, 2);
}

static void a_successor_does_what_was_not_answered(void **state)
{
    unsigned int slots[4];
    struct blkif_request request;

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    for (uint64_t id = 0; id < 4; id++)
        ask(32, id, id);
    for (uint64_t id = 0; id < 4; id++)
        take(id, &slots[id]);
    ring_done(&ring, slots[0], BLKIF_RSP_OKAY);
    ring_done(&ring, slots[2], BLKIF_RSP_OKAY);
    ring_answer(&ring);
    ask(32, 4, 4); /* nobody has seen this one */
    assert_int_equal(attach(true, &identity), 0);
    assert_int_equal(ring.nr_found, 4);
    assert_int_equal(ring.nr_finished, 0);
    for (uint64_t id = 1; id < 5; id++)
        take(id, &slots[id % 4]);
    assert_int_equal(ring_take(&ring, &request, slots), 0);
}

/* The page as it was when the domain died, after the first so many bytes' worth of stores. */
static void a_response_that_was_not_published_is(void **state)
{
    unsigned int slots[3];

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    for (uint64_t id = 0; id < 3; id++)
        ask(32, id, id);
    for (uint64_t id = 0; id < 3; id++)
        take(id, &slots[id]);
    ring_done(&ring, slots[0], BLKIF_RSP_OKAY);
    ring_done(&ring, slots[1], BLKIF_RSP_ERROR);
    ring_answer(&ring);
    shared->rsp_prod = 0; /* it died before it wrote this */
    assert_int_equal(attach(true, &identity), 0);
    assert_int_equal(ring.nr_finished, 2);
    assert_int_equal(ring.nr_found, 1);
    assert_int_equal(shared->rsp_prod, 2);
    answered(0, 0, BLKIF_RSP_OKAY);
    answered(1, 1, BLKIF_RSP_ERROR);
    take(2, slots);
}

/* A slot's mark is of its last use: the frontend's next request is over it. */
static void old_marks_are_not_believed(void **state)
{
    unsigned int slot;

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    for (uint64_t id = 0; id < 40; id++) {
        ask(32, id, id);
        take(id, &slot);
        ring_done(&ring, slot, BLKIF_RSP_OKAY);
        ring_answer(&ring);
    }
    ask(32, 40, 40);
    assert_int_equal(attach(true, &identity), 0);
    assert_int_equal(ring.nr_finished, 0);
    assert_int_equal(ring.nr_found, 1);
    take(40, &slot);
}

static void indices_wrap(void **state)
{
    unsigned int slot;

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    shared->req_prod = shared->rsp_prod = 0xfffffffe;
    shared->rsp_event = 0xffffffff;
    assert_int_equal(attach(true, &identity), 0);
    for (uint64_t id = 0; id < 4; id++)
        ask(32, id, id);
    for (uint64_t id = 0; id < 4; id++) {
        take(id, &slot);
        ring_done(&ring, slot, BLKIF_RSP_OKAY);
    }
    assert_true(ring_answer(&ring));
    assert_int_equal(shared->rsp_prod, 2);
    assert_int_equal(ring.nr_taken, 0);
}

static void another_ones_ring_is_refused(void **state)
{
    char before[sizeof(pages)];

    (void)state;
    ask(32, 1, 1);
    memcpy(before, pages, sizeof(pages));
    assert_int_equal(attach(true, &identity), -ENOTRECOVERABLE);
    assert_non_null(why);
    shared->rsp_prod = 1;
    assert_int_equal(attach(false, &identity), -ENOTRECOVERABLE);
    shared->rsp_prod = 0;
    assert_memory_equal(before, pages, sizeof(pages));
}

static void another_disk_is_refused(void **state)
{
    char before[sizeof(pages)];

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    ask(32, 1, 1);
    memcpy(before, pages, sizeof(pages));
    assert_int_equal(attach(true, &other_identity), -EMEDIUMTYPE);
    assert_non_null(why);
    assert_memory_equal(before, pages, sizeof(pages));
    /* Its requests can still be refused, each by itself. */
    assert_int_equal(attach(true, NULL), 0);
    assert_int_equal(ring.nr_found, 1);
}

static void too_many_requests_are_an_error(void **state)
{
    struct blkif_request request;
    unsigned int slot;

    (void)state;
    assert_int_equal(attach(false, &identity), 0);
    shared->req_prod = 33;
    assert_int_equal(ring_take(&ring, &request, &slot), -EPROTO);
    assert_int_equal(attach(true, &identity), -EPROTO);
    shared->req_prod = 32;
    assert_int_equal(ring_take(&ring, &request, &slot), 1);
    shared->req_prod = 0; /* back */
    assert_int_equal(ring_take(&ring, &request, &slot), -EPROTO);
    shared->req_prod = 0x80000000;
    assert_int_equal(ring_take(&ring, &request, &slot), -EPROTO);
}

#define HEADER_END 64
#define INDICES 16 /* bytes: what is behind them in the header is as ring_attach() left it */

/* Any page at all: no slot beyond the ring is used, and never more than the ring has. */
static void arbitrary_pages_do_no_harm(void **state)
{
    unsigned int nr_attached = 0;

    (void)state;
    srandom(1);
    assert_int_equal(attach(false, &identity), 0);
    for (unsigned int round = 0; round < 20000; round++) {
        unsigned int order = (unsigned int)random() % (RING_ORDER_MAX + 1), slot, nr = 0;
        struct blkif_request request;

        for (size_t i = 0; i < sizeof(pages); i += 64)
            if (i >= HEADER_END)
                ((uint32_t *)pages)[i / 4 + (unsigned int)random() % 16] = (uint32_t)random();
        for (size_t i = 0; i < INDICES; i += 4)
            ((uint32_t *)pages)[i / 4] = (uint32_t)random();
        if (round % 2) {
            shared->rsp_prod = (uint32_t)random();
            shared->req_prod = shared->rsp_prod + (uint32_t)random() % 140;
        }
        if (ring_attach(&ring, pages, order, round % 3 == 0, round % 5 ? NULL : &identity, &why))
            continue;
        nr_attached++;
        while (ring_take(&ring, &request, &slot) > 0) {
            assert_true(slot < ring.nr_slots);
            assert_true(++nr <= ring.nr_slots);
            if (random() % 2)
                ring_done(&ring, slot, BLKIF_RSP_OKAY);
        }
        ring_answer(&ring);
        assert_true(ring.req_cons - ring.rsp_prod <= ring.nr_slots);
    }
    assert_true(nr_attached > 1000);
}

/*
 * Deaths at every point of a long run: work ends in any order, every store to the page may be the last. Each request is answered once, in
 * order, and none before it was done.
 */
static void deaths_lose_nothing(void **state)
{
    uint64_t next_id = 0;
    uint32_t seen = 0;
    bool done[4096] = { false };

    (void)state;
    srandom(2);
    assert_int_equal(attach(false, &identity), 0);
    while (seen < 4000) {
        unsigned int slots[64], nr = 0, slot;
        uint64_t ids[64];
        struct blkif_request request;
        uint32_t published = shared->rsp_prod;

        while (next_id < 4096 && shared->req_prod - seen < 32 && random() % 4) {
            ask(32, next_id, next_id);
            next_id++;
        }
        while (nr < 32 && ring_take(&ring, &request, &slot) > 0) {
            slots[nr] = slot;
            ids[nr++] = request.id;
        }
        for (unsigned int i = 0; i < nr; i++) {
            unsigned int j = i + (unsigned int)random() % (nr - i);
            unsigned int other = slots[j];
            uint64_t id = ids[j];

            slots[j] = slots[i];
            ids[j] = ids[i];
            if (random() % 8 == 0)
                break; /* it dies with these undone */
            done[id] = true;
            ring_done(&ring, other, BLKIF_RSP_OKAY);
        }
        ring_answer(&ring);
        if (random() % 2) /* the last store is missing */
            shared->rsp_prod = published;
        else if (shared->rsp_prod != published && random() % 2)
            shared->rsp_prod = published; /* a frontend has not looked yet */
        assert_int_equal(attach(true, &identity), 0);
        for (; seen != shared->rsp_prod; seen++) {
            const struct blkif_response *response = &shared->ring[seen % 32].rsp;

            assert_int_equal(response->id, seen);
            assert_true(done[seen]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rings_have_a_power_of_two_of_slots, fresh),
        cmocka_unit_test_setup(answers_come_in_order, fresh),
        cmocka_unit_test_setup(a_frontend_that_wants_no_event_gets_none, fresh),
        cmocka_unit_test_setup(arming_sees_what_came_meanwhile, fresh),
        cmocka_unit_test_setup(a_successor_does_what_was_not_answered, fresh),
        cmocka_unit_test_setup(a_response_that_was_not_published_is, fresh),
        cmocka_unit_test_setup(old_marks_are_not_believed, fresh),
        cmocka_unit_test_setup(indices_wrap, fresh),
        cmocka_unit_test_setup(another_ones_ring_is_refused, fresh),
        cmocka_unit_test_setup(another_disk_is_refused, fresh),
        cmocka_unit_test_setup(too_many_requests_are_an_error, fresh),
        cmocka_unit_test_setup(arbitrary_pages_do_no_harm, fresh),
        cmocka_unit_test_setup(deaths_lose_nothing, fresh),
    };

    return cmocka_run_group_tests_name("linux_ring", tests, NULL, NULL);
}
