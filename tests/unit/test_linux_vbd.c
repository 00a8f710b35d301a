/* SPDX-License-Identifier: BSD-2-Clause */
/* linux-block's vbds: their states with a frontend's and the toolstack's, what they take over, and what they give up aloud. */
#include "fixture_vbd.h"

static void a_disk_is_offered_and_served(void **state)
{
    (void)state;
    vbd_look(vbd);
    back_is("2");
    assert_string_equal(fake_xs_get(store, BACK "/feature-flush-cache"), "1");
    assert_string_equal(fake_xs_get(store, BACK "/hotplug-status"), "connected");
    front_says("3");
    back_is("4");
    assert_string_equal(fake_xs_get(store, BACK "/sectors"), "1000");
    assert_string_equal(fake_xs_get(store, BACK "/sector-size"), "512");
    assert_string_equal(fake_xs_get(store, BACK "/physical-sector-size"), "4096");
    assert_string_equal(fake_xs_get(store, BACK "/info"), "0");
    front_says("4");
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    assert_int_equal(nr_submitted, 1);
    answers_are(0);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(1);
    assert_int_equal(nr_notified, 2); /* of the connection, and of the answer */
}

static void a_disk_may_come_late(void **state)
{
    (void)state;
    disk_err = -ENOENT;
    vbd_look(vbd);
    back_is("1");
    now_ms += 29000;
    vbd_look(vbd);
    back_is("1");
    disk_err = 0;
    vbd_look(vbd);
    back_is("2");
}

static void one_that_does_not_come_is_given_up(void **state)
{
    (void)state;
    disk_err = -ENOENT;
    vbd_look(vbd);
    now_ms += 30000;
    vbd_look(vbd);
    back_is("5");
    assert_string_equal(fake_xs_get(store, BACK "/error"), "/dev/vda: why");
    front_says("6");
    back_is("6");
}

static void what_is_not_served_is_named(void **state)
{
    static const struct {
        const char *node, *value, *named;
    } rows[] = {
        { BACK "/script", "/etc/xen/scripts/block-iscsi", "block-iscsi" },
        { BACK "/type", "qdisk", "qdisk" },
        { BACK "/mode", "x", "'x'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        teardown(NULL);
        setup(NULL);
        fake_xs_put(store, rows[i].node, rows[i].value);
        vbd_look(vbd);
        back_is("5");
        assert_non_null(strstr(fake_xs_get(store, BACK "/error"), rows[i].named));
    }
}

static void one_that_another_guest_has_is_refused(void **state)
{
    (void)state;
    others_have_it = true;
    vbd_look(vbd);
    back_is("5");
    assert_string_equal(fake_xs_get(store, BACK "/error"), "/dev/vda: another guest has it");
    assert_int_equal(nr_disks, 0);
}

static void requests_that_make_no_sense_are_answered_at_once(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, SECTORS);
    ask(BLKIF_OP_DISCARD, 2);
    vbd_run(vbd);
    assert_int_equal(nr_submitted, 0);
    answers_are(2);
    assert_int_equal(shared->ring[0].rsp.status, BLKIF_RSP_ERROR);
    assert_int_equal(shared->ring[1].rsp.status, BLKIF_RSP_EOPNOTSUPP);
}

static void a_flush_has_nothing_beside_it(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    ask(BLKIF_OP_FLUSH_DISKCACHE, 2);
    ask(BLKIF_OP_WRITE, 3);
    vbd_run(vbd);
    assert_int_equal(nr_submitted, 1);
    finish(0, BLKIF_RSP_OKAY);
    assert_int_equal(nr_submitted, 2);
    assert_true(submitted[1]->request.is_flush);
    vbd_run(vbd);
    assert_int_equal(nr_submitted, 2);
    finish(1, BLKIF_RSP_OKAY);
    assert_int_equal(nr_submitted, 3);
    finish(2, BLKIF_RSP_OKAY);
    answers_are(3);
}

/* What another process, or the domain before, left behind. */
static void dies_with_three(void)
{
    connect_it();
    for (uint64_t id = 1; id <= 4; id++)
        ask(BLKIF_OP_WRITE, id);
    vbd_run(vbd);
    assert_int_equal(nr_submitted, 4);
    finish(0, BLKIF_RSP_OKAY);
    finish(2, BLKIF_RSP_OKAY);
    answers_are(1);
    vbd_free(vbd);
    nr_submitted = nr_notified = 0;
    fake_xs_put(store, BACK "/state", "1");
    vbd = vbd_make(&host, 7, 51712);
}

static void a_live_ring_is_taken_over(void **state)
{
    (void)state;
    dies_with_three();
    vbd_look(vbd);
    back_is("4");
    assert_int_equal(nr_submitted, 3);
    assert_int_equal(nr_notified, 1); /* what was answered may not have been told */
    assert_int_equal(submitted[0]->request.offset, 2 * 512);
    finish(2, BLKIF_RSP_OKAY);
    finish(1, BLKIF_RSP_OKAY);
    answers_are(1);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(4);
    assert_int_equal(shared->ring[1].rsp.id, 2);
}

static void a_response_found_in_a_new_ring_is_told(void **state)
{
    (void)state;
    dies_with_three();
    shared->rsp_prod =
        0; /* it died before it wrote this, and before the frontend said that it is connected */
    shared->rsp_event = 2;
    fake_xs_put(store, FRONT "/state", "3");
    vbd_look(vbd);
    back_is("4");
    answers_are(1);
    assert_int_equal(nr_notified, 1);
}

static void a_successor_waits_for_its_disk(void **state)
{
    (void)state;
    dies_with_three();
    disk_err = -ENOENT;
    vbd_look(vbd);
    back_is("1");
    disk_err = 0;
    now_ms += 5000;
    vbd_look(vbd);
    back_is("4");
    assert_int_equal(nr_submitted, 3);
}

static void another_disk_is_not_written_to(void **state)
{
    (void)state;
    dies_with_three();
    disk_identity++;
    vbd_look(vbd);
    assert_int_equal(nr_submitted, 0);
    back_is("5");
    answers_are(4);
    for (unsigned int i = 1; i < 4; i++)
        assert_int_equal(shared->ring[i].rsp.status, BLKIF_RSP_ERROR);
    front_says("6");
    back_is("6");
}

static void a_ring_of_another_backend_is_left_alone(void **state)
{
    char before[sizeof(page)];

    (void)state;
    fake_xs_put(store, FRONT "/state", "4");
    ask(BLKIF_OP_WRITE, 1);
    memcpy(before, page, sizeof(page));
    vbd_look(vbd);
    back_is("5");
    assert_non_null(strstr(fake_xs_get(store, BACK "/error"), "does not answer in order"));
    assert_memory_equal(before, page, sizeof(page));
}

static void a_ring_that_cannot_be_mapped_is_given_up(void **state)
{
    (void)state;
    vbd_look(vbd);
    link_err = -EINVAL;
    front_says("3");
    back_is("5");
    assert_string_equal(fake_xs_get(store, BACK "/error"), "its ring cannot be mapped");
}

static void a_mad_index_ends_it_when_its_jobs_have(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    shared->req_prod = 1000;
    vbd_run(vbd);
    back_is("5");
    answers_are(0);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(1);
    assert_int_equal(nr_disks, 0);
    front_says("6");
    back_is("6");
}

static void closing_waits_for_what_runs(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    front_says("6");
    back_is("4");
    ask(BLKIF_OP_WRITE, 2);
    finish(0, BLKIF_RSP_OKAY);
    back_is("6");
    answers_are(1);
    assert_int_equal(nr_submitted, 1);
    assert_int_equal(nr_disks, 0);
    front_says("1"); /* its driver is loaded again */
    back_is("2");
}

static void a_detached_one_goes(void **state)
{
    (void)state;
    connect_it();
    fake_xs_put(store, BACK "/online", "0");
    fake_xs_put(store, BACK "/state", "5");
    vbd_look(vbd);
    assert_int_equal(nr_disks, 1);
    front_says("6");
    back_is("6");
    vbd_look(vbd);
    back_is("6");
    now_ms += 2000;
    vbd_look(vbd);
    assert_int_equal(vbd->phase, VBD_GONE);
    assert_null(fake_xs_get(store, BACK "/state"));
    assert_null(fake_xs_get(store, VBD_DIR "/7"));
    assert_non_null(fake_xs_get(store, VBD_DIR));
}

static void a_dead_guests_one_is_closed(void **state)
{
    (void)state;
    connect_it();
    xs_rm(store, XBT_NULL, "/local/domain/7");
    vbd_look(vbd);
    back_is("6");
    assert_int_equal(nr_links, 0);
}

static void one_whose_directory_vanishes_waits_for_what_runs(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    xs_rm(store, XBT_NULL, BACK);
    vbd_look(vbd);
    assert_int_not_equal(vbd->phase, VBD_GONE);
    finish(0, BLKIF_RSP_OKAY);
    assert_int_equal(vbd->phase, VBD_GONE);
    assert_null(fake_xs_get(store, BACK "/state"));
}

static void a_full_ring_is_answered(void **state)
{
    (void)state;
    connect_it();
    for (unsigned int i = 0; i < 32; i++)
        ask(BLKIF_OP_DISCARD, i);
    vbd_run(vbd);
    answers_are(32);
    assert_false(vbd->has_more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_disk_is_offered_and_served),
        TEST(a_disk_may_come_late),
        TEST(one_that_does_not_come_is_given_up),
        TEST(what_is_not_served_is_named),
        TEST(one_that_another_guest_has_is_refused),
        TEST(requests_that_make_no_sense_are_answered_at_once),
        TEST(a_flush_has_nothing_beside_it),
        TEST(a_live_ring_is_taken_over),
        TEST(a_response_found_in_a_new_ring_is_told),
        TEST(a_successor_waits_for_its_disk),
        TEST(another_disk_is_not_written_to),
        TEST(a_ring_of_another_backend_is_left_alone),
        TEST(a_ring_that_cannot_be_mapped_is_given_up),
        TEST(a_mad_index_ends_it_when_its_jobs_have),
        TEST(closing_waits_for_what_runs),
        TEST(a_detached_one_goes),
        TEST(a_dead_guests_one_is_closed),
        TEST(one_whose_directory_vanishes_waits_for_what_runs),
        TEST(a_full_ring_is_answered),
    };

    return cmocka_run_group_tests_name("linux_vbd", tests, NULL, NULL);
}
