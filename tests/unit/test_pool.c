/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "eal/eal.h"
#include "eal/owner.h"
#include "eal/pool.h"
#include "eal/seal.h"
#include "xen/log.h"
#include "xen/status.h"

#define HEAP_SIZE (2u << 20)
#define RING 32 /* mbufs in the ring of a NIC that only receives */
#define ROUNDS 300

static struct ferry_status status;
struct ferry_status *const status_page = &status;

static struct rte_mbuf *ring[RING];

void eal_heap_usage(size_t *size_r, size_t *used_r)
{
    *size_r = HEAP_SIZE;
    *used_r = 0;
}

void seal_add(const char *what, const void *from, size_t size)
{
    (void)what;
    (void)from;
    (void)size;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

void panic(const char *fmt, ...)
{
    (void)fmt;
    mock_assert(0, "panic", __FILE__, __LINE__);
    abort();
}

static struct rte_mbuf *alloc(void)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(mbuf_pool());

    assert_non_null(mbuf);
    return mbuf;
}

static struct rte_mbuf *alloc_in_driver(void)
{
    struct rte_mbuf *mbuf;

    status_nic_enter();
    mbuf = rte_mbuf_raw_alloc(mbuf_pool());
    status_nic_leave();
    assert_non_null(mbuf);
    return mbuf;
}

static unsigned int nr_free(void)
{
    return rte_mempool_avail_count(mbuf_pool());
}

static int start(void **state)
{
    char *argv[] = {
        "test",     "--no-huge", "--no-pci",      "--no-shconf",    "-m", "64", "--no-telemetry",
        "--lcores", "0",         "--log-level=4", "--iova-mode=va", NULL
    };

    (void)state;
    if (rte_eal_init(sizeof(argv) / sizeof(argv[0]) - 1, argv) < 0)
        return -1;
    return pool_init();
}

static int fill_ring(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RING; i++)
        ring[i] = alloc_in_driver();
    return 0;
}

static int empty_ring(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < RING; i++)
        rte_pktmbuf_free(ring[i]);
    return nr_free() == mbuf_pool()->size ? 0 : -1;
}

static void assert_reclaimed(unsigned int nr_driver)
{
    const char *why = pool_reclaim(RING, RING + 64);

    if (why)
        fail_msg("refused: %s", why);
    assert_int_equal(nr_free(), mbuf_pool()->size - nr_driver);
}

static void assert_refused(const char *part)
{
    const char *why = pool_reclaim(RING, RING + 64);

    assert_non_null(why);
    assert_non_null(strstr(why, part));
}

/* All that are free can be taken, each once, each as good as new. */
static void assert_all_usable(void)
{
    static struct rte_mbuf *all[8192];
    unsigned int nr = nr_free();

    for (unsigned int i = 0; i < nr; i++) {
        all[i] = alloc();
        assert_int_equal(owner_of(all[i]), OWNER_FERRY);
        assert_int_equal(rte_mbuf_refcnt_read(all[i]), 1);
        assert_true(RTE_MBUF_DIRECT(all[i]));
        assert_ptr_equal(all[i]->buf_addr, all[i] + 1);
        assert_int_equal(rte_pktmbuf_tailroom(all[i]), POOL_MBUF_ROOM);
        rte_mbuf_refcnt_set(all[i], 7);
    }
    assert_null(rte_pktmbuf_alloc(mbuf_pool()));
    for (unsigned int i = 0; i < nr; i++) {
        assert_int_equal(rte_mbuf_refcnt_read(all[i]), 7);
        rte_mbuf_refcnt_set(all[i], 1);
        rte_pktmbuf_free(all[i]);
    }
    assert_int_equal(nr_free(), nr);
}

static void an_mbuf_belongs_to_who_took_it(void **state)
{
    struct rte_mbuf *mbuf = alloc();

    (void)state;
    assert_int_equal(owner_of(mbuf), OWNER_FERRY);
    assert_int_equal(owner_of(ring[0]), OWNER_DRIVER);
    rte_pktmbuf_free(mbuf);
    assert_int_equal(owner_of(mbuf), OWNER_FREE);
}

static void the_one_freed_last_is_used_first(void **state)
{
    struct rte_mbuf *mbufs[2] = { alloc(), alloc() };

    (void)state;
    rte_pktmbuf_free(mbufs[0]);
    rte_pktmbuf_free(mbufs[1]);
    assert_ptr_equal(alloc(), mbufs[1]);
    assert_ptr_equal(alloc(), mbufs[0]);
    rte_pktmbuf_free_bulk(mbufs, 2);
}

static void what_is_not_there_is_not_given(void **state)
{
    static void *all[8192];
    unsigned int nr = nr_free();

    (void)state;
    assert_int_not_equal(rte_mempool_get_bulk(mbuf_pool(), all, nr + 1), 0);
    assert_int_equal(nr_free(), nr);
    assert_int_equal(rte_mempool_get_bulk(mbuf_pool(), all, nr), 0);
    assert_int_equal(nr_free(), 0);
    rte_mempool_put_bulk(mbuf_pool(), all, nr);
}

static void an_mbuf_freed_twice_ends_the_kernel(void **state)
{
    struct rte_mbuf *mbuf = alloc();

    (void)state;
    rte_pktmbuf_free(mbuf);
    expect_assert_failure(rte_mempool_put(mbuf_pool(), mbuf));
}

static void what_was_ours_is_free_after_a_restart(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 50; i++)
        alloc();
    assert_reclaimed(RING);
    assert_all_usable();
}

static void whatever_state_it_was_in(void **state)
{
    struct rte_mbuf *frame = alloc(), *shared = alloc(), *indirect = alloc();

    (void)state;
    rte_pktmbuf_append(frame, 100);
    frame->next = (struct rte_mbuf *)8;
    frame->nb_segs = 9;
    rte_mbuf_refcnt_update(shared, 3);
    rte_pktmbuf_attach(indirect, shared);
    alloc()->buf_addr = NULL;
    alloc()->pool = NULL;
    assert_reclaimed(RING);
    assert_all_usable();
}

static void the_drivers_stay_as_they_are(void **state)
{
    struct rte_mbuf before[RING];

    (void)state;
    for (unsigned int i = 0; i < RING; i++)
        before[i] = *ring[i];
    assert_reclaimed(RING);
    for (unsigned int i = 0; i < RING; i++)
        assert_memory_equal(&before[i], ring[i], sizeof(before[i]));
}

/* A frame cut by reference, as net/segment.c does: the driver has headers and pointers. */
static struct rte_mbuf *piece_given_to_driver(struct rte_mbuf *parent)
{
    struct rte_mbuf *head = alloc(), *payload = alloc();

    rte_pktmbuf_attach(payload, parent);
    head->next = payload;
    head->nb_segs = 2;
    owner_set_frame(head, OWNER_DRIVER);
    return head;
}

static void ours_stay_while_the_driver_points_into_them(void **state)
{
    struct rte_mbuf *parent = alloc(), *other = alloc();
    struct rte_mbuf *pieces[2] = { piece_given_to_driver(parent), piece_given_to_driver(parent) };

    (void)state;
    rte_mbuf_refcnt_update(parent, 5); /* a queue of a vif's has it as well */
    (void)other;
    assert_reclaimed(RING + 4 + 1);
    assert_int_equal(owner_of(parent), OWNER_FERRY);
    assert_int_equal(rte_mbuf_refcnt_read(parent), 2);
    assert_reclaimed(RING + 4 + 1);

    status_nic_enter();
    rte_pktmbuf_free(pieces[0]);
    assert_int_equal(owner_of(parent), OWNER_FERRY);
    rte_pktmbuf_free(pieces[1]);
    status_nic_leave();
    assert_int_equal(owner_of(parent), OWNER_FREE);
    assert_int_equal(nr_free(), mbuf_pool()->size - RING);
    assert_all_usable();
}

static void nothing_leaks_over_many_restarts(void **state)
{
    (void)state;
    for (unsigned int round = 0; round < ROUNDS; round++) {
        unsigned int slot = round % RING;
        struct rte_mbuf *piece = piece_given_to_driver(alloc());

        for (unsigned int i = 0; i < round % 100; i++)
            rte_mbuf_refcnt_update(alloc(), (int16_t)(i % 3));
        status_nic_enter();
        rte_pktmbuf_free(ring[slot]);
        ring[slot] = rte_mbuf_raw_alloc(mbuf_pool());
        status_nic_leave();
        assert_reclaimed(RING + 3);
        rte_pktmbuf_free(piece);
        assert_int_equal(nr_free(), mbuf_pool()->size - RING);
    }
    assert_all_usable();
}

/* A change that must be found, and is taken back. */
#define ASSERT_FOUND(field, value, part)                                                           \
    do {                                                                                           \
        __typeof__(field) was = (field);                                                           \
        (field) = (value);                                                                         \
        assert_refused(part);                                                                      \
        (field) = was;                                                                             \
    } while (0)

static struct rte_mempool_objhdr *header_of(struct rte_mbuf *mbuf)
{
    return (struct rte_mempool_objhdr *)mbuf - 1;
}

static void damage_to_a_free_one_is_found(void **state)
{
    struct rte_mbuf *mbuf = alloc();

    (void)state;
    rte_pktmbuf_free(mbuf);
    ASSERT_FOUND(mbuf->buf_addr, NULL, "free, and damaged");
    ASSERT_FOUND(mbuf->buf_iova, 0, "free, and damaged");
    ASSERT_FOUND(mbuf->refcnt, 2, "free, and damaged");
    ASSERT_FOUND(mbuf->next, ring[0], "free, and damaged");
    ASSERT_FOUND(mbuf->pool, NULL, "free, and damaged");
    ASSERT_FOUND(mbuf->ol_flags, RTE_MBUF_F_INDIRECT, "free, and damaged");
    ASSERT_FOUND(mbuf->dynfield1[OWNER_FIELD], 1, "nobody's");
    assert_reclaimed(RING);
}

static void damage_to_one_of_the_drivers_is_found(void **state)
{
    (void)state;
    ASSERT_FOUND(ring[5]->buf_addr, NULL, "driver's, and damaged");
    ASSERT_FOUND(ring[5]->buf_iova, ring[6]->buf_iova, "driver's, and damaged");
    ASSERT_FOUND(ring[5]->buf_len, 65535, "driver's, and damaged");
    ASSERT_FOUND(ring[5]->refcnt, 2, "driver's, and damaged");
    ASSERT_FOUND(ring[5]->next, (struct rte_mbuf *)64, "leads nowhere");
    ASSERT_FOUND(ring[5]->ol_flags, RTE_MBUF_F_INDIRECT, "points nowhere");
    ASSERT_FOUND(ring[5]->ol_flags, RTE_MBUF_F_EXTERNAL, "driver's, and damaged");
    assert_reclaimed(RING);
}

static void an_indirect_one_must_point_to_one_of_ours(void **state)
{
    struct rte_mbuf *parent = alloc(), *piece = piece_given_to_driver(parent);

    (void)state;
    ASSERT_FOUND(piece->next->buf_iova, 0, "points nowhere");
    ASSERT_FOUND(piece->next->buf_addr, (char *)parent->buf_addr + 64, "points nowhere");
    ASSERT_FOUND(parent->dynfield1[OWNER_FIELD], OWNER_FREE, "");
    owner_set(parent, OWNER_FERRY);
    assert_reclaimed(RING + 3);
    rte_pktmbuf_free(piece);
}

static void damage_to_the_list_is_found(void **state)
{
    struct rte_mempool_objhdr *first = header_of(ring[3]);

    (void)state;
    ASSERT_FOUND(STAILQ_NEXT(first, next), NULL, "not where it was");
    ASSERT_FOUND(STAILQ_NEXT(first, next), STAILQ_FIRST(&mbuf_pool()->elt_list), "one too many");
    ASSERT_FOUND(STAILQ_NEXT(first, next), (void *)ring[0]->buf_addr, "not where it was");
    ASSERT_FOUND(first->mp, NULL, "not where it was");
    ASSERT_FOUND(first->iova, 4096, "not where it was");
    assert_reclaimed(RING);
}

static void a_driver_with_too_few_or_too_many_is_found(void **state)
{
    (void)state;
    assert_non_null(pool_reclaim(RING + 1, RING + 64));
    assert_non_null(pool_reclaim(0, RING - 1));
    assert_reclaimed(RING);
}

static void rooms_are_known_by_machine_address(void **state)
{
    struct rte_mbuf *mbuf = alloc();

    (void)state;
    for (unsigned int i = 0; i < RING; i++)
        assert_true(pool_is_room_of_driver(rte_mbuf_data_iova_default(ring[i])));
    assert_false(pool_is_room_of_driver(rte_mbuf_data_iova_default(mbuf)));
    assert_false(pool_is_room_of_driver(rte_mbuf_data_iova_default(ring[0]) + 64));
    assert_false(pool_is_room_of_driver(0));
    assert_false(pool_is_room_of_driver(UINT64_MAX));
    rte_pktmbuf_free(mbuf);
    assert_false(pool_is_room_of_driver(rte_mbuf_data_iova_default(mbuf)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fill_ring, empty_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_mbuf_belongs_to_who_took_it),
        TEST(the_one_freed_last_is_used_first),
        TEST(what_is_not_there_is_not_given),
        TEST(an_mbuf_freed_twice_ends_the_kernel),
        TEST(what_was_ours_is_free_after_a_restart),
        TEST(whatever_state_it_was_in),
        TEST(the_drivers_stay_as_they_are),
        TEST(ours_stay_while_the_driver_points_into_them),
        TEST(nothing_leaks_over_many_restarts),
        TEST(damage_to_a_free_one_is_found),
        TEST(damage_to_one_of_the_drivers_is_found),
        TEST(an_indirect_one_must_point_to_one_of_ours),
        TEST(damage_to_the_list_is_found),
        TEST(a_driver_with_too_few_or_too_many_is_found),
        TEST(rooms_are_known_by_machine_address),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
