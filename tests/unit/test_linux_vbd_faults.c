/* SPDX-License-Identifier: BSD-2-Clause */
/* linux-block's vbds: a xenstore that fails, frontends that come and go in other ways than they should, and ends under load. */
#include "fixture_vbd.h"

static void an_unreadable_store_ends_nothing(void **state)
{
    static const char *const nodes[] = { FRONT "/state", BACK "/state" };

    (void)state;
    connect_it();
    for (unsigned int i = 0; i < 2; i++) {
        fake_xs_fail_reads(store, nodes[i], EIO);
        vbd_look(vbd);
        assert_int_equal(vbd->phase, VBD_SERVES);
        assert_int_equal(nr_links, 1);
        back_is("4");
    }
    fake_xs_fail_reads(store, NULL, 0);
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    assert_int_equal(nr_submitted, 1);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(1);
}

/* So xenstored answers for a node that is gone, if nothing above it may be read; or the guest has forbidden it. */
static void a_forbidden_frontend_is_gone(void **state)
{
    (void)state;
    connect_it();
    fake_xs_fail_reads(store, FRONT "/state", EACCES);
    vbd_look(vbd);
    back_is("6");
    assert_int_equal(nr_links, 0);
}

static void an_unreadable_line_is_read_again(void **state)
{
    (void)state;
    fake_xs_fail_reads(store, BACK "/params", EIO);
    vbd_look(vbd);
    back_is("1");
    assert_null(fake_xs_get(store, BACK "/error"));
    fake_xs_fail_reads(store, NULL, 0);
    vbd_look(vbd);
    back_is("2");
}

static void an_unreadable_state_makes_no_vbd(void **state)
{
    (void)state;
    fake_xs_fail_reads(store, BACK "/state", EIO);
    assert_null(vbd_make(&host, 7, 51712));
    assert_int_equal(errno, EIO);
    fake_xs_fail_reads(store, BACK "/frontend", EIO);
    assert_null(vbd_make(&host, 7, 51712));
    assert_int_equal(errno, EIO);
}

static void an_unreadable_online_removes_nothing(void **state)
{
    (void)state;
    connect_it();
    front_says("6");
    vbd_look(vbd);
    back_is("6");
    now_ms += 10000;
    fake_xs_fail_reads(store, BACK "/online", EIO);
    vbd_look(vbd);
    back_is("6");
    fake_xs_fail_reads(store, NULL, 0);
    vbd_look(vbd);
    back_is("6");
    fake_xs_put(store, BACK "/online", "x");
    vbd_look(vbd);
    back_is("6");
    xs_rm(store, XBT_NULL, BACK "/online");
    vbd_look(vbd);
    assert_int_equal(vbd->phase, VBD_GONE);
}

static void a_state_that_could_not_be_written_is_written_again(void **state)
{
    (void)state;
    vbd_look(vbd);
    fake_xs_allow_changes(store, 4); /* the geometry, but not the state */
    front_says("3");
    back_is("2");
    assert_int_equal(vbd->phase, VBD_SERVES);
    vbd_look(vbd);
    back_is("2");
    fake_xs_allow_changes(store, -1);
    vbd_look(vbd);
    back_is("4");
    fake_xs_allow_changes(store, 0);
    front_says("6");
    back_is("4");
    fake_xs_allow_changes(store, -1);
    vbd_look(vbd);
    back_is("6");
}

/* A toolstack's Closing is not written over. */
static void an_old_state_is_not_written_over_a_detach(void **state)
{
    (void)state;
    vbd_look(vbd);
    fake_xs_allow_changes(store, 4);
    front_says("3");
    fake_xs_allow_changes(store, -1);
    fake_xs_put(store, BACK "/state", "5");
    vbd_look(vbd);
    back_is("5");
}

static void one_that_ends_is_not_busy(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    vbd->has_more = true; /* as after a long turn */
    front_says("6");
    assert_int_equal(vbd->phase, VBD_ENDS);
    assert_false(vbd->has_more);
    finish(0, BLKIF_RSP_OKAY);
    assert_int_equal(vbd->phase, VBD_CLOSED);
    assert_false(vbd->has_more);
}

/* What an older blkfront says where a mounted disk is detached. */
static void a_disk_in_use_is_served_after_closing(void **state)
{
    (void)state;
    connect_it();
    fake_xs_put(store, BACK "/online", "0");
    fake_xs_put(store, BACK "/state", "5");
    front_says("5");
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(1);
    fake_xs_put(store, BACK "/state", "4");
    vbd_look(vbd);
    back_is("5");
    fake_xs_allow_changes(store, 0);
    vbd_look(vbd); /* it has been written already */
    fake_xs_allow_changes(store, -1);
    assert_int_equal(vbd->unwritten, 0);
    ask(BLKIF_OP_WRITE, 2);
    vbd_run(vbd);
    finish(1, BLKIF_RSP_OKAY);
    answers_are(2);
    front_says("6"); /* it was unmounted */
    back_is("6");
    assert_int_equal(nr_disks, 0);
}

static void begins_anew(void)
{
    vbd_free(vbd);
    nr_submitted = 0;
    vbd = vbd_make(&host, 7, 51712);
    assert_non_null(vbd);
    vbd_look(vbd);
}

static void a_closing_frontends_ring_is_taken_over(void **state)
{
    (void)state;
    fake_xs_put(store, FRONT "/event-channel", "9");
    connect_it();
    front_says("5");
    back_is("5");
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    begins_anew();
    back_is("5");
    assert_int_equal(vbd->phase, VBD_SERVES);
    assert_int_equal(nr_submitted, 1);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(1);
    /* In a domain's successor: ferryd looks for Connected. */
    fake_xs_put(store, BACK "/state", "1");
    begins_anew();
    back_is("4");
    vbd_look(vbd);
    back_is("5");
    /* And where the toolstack alone has said so. */
    fake_xs_put(store, FRONT "/state", "4");
    begins_anew();
    back_is("5");
    assert_int_equal(vbd->phase, VBD_SERVES);
}

static void one_that_closes_without_a_ring_is_closed(void **state)
{
    (void)state;
    front_says("5");
    back_is("5");
    assert_int_equal(nr_disks, 0);
    front_says("6");
    back_is("6");
}

static void an_old_error_does_not_outlive_a_connection(void **state)
{
    (void)state;
    fake_xs_put(store, BACK "/error", "old");
    connect_it();
    assert_null(fake_xs_get(store, BACK "/error"));
}

/* A ring whose disk is another one: no write is done, and whatever the guest still asks for has an answer. */
static void comes_back_as_another(void)
{
    fake_xs_put(store, BACK "/state", "1");
    disk_identity++;
    begins_anew();
    assert_int_equal(nr_submitted, 0);
    back_is("5");
}

static void refused(unsigned int nr)
{
    answers_are(nr);
    for (unsigned int i = 0; i < nr; i++)
        assert_int_equal(shared->ring[i].rsp.status, BLKIF_RSP_ERROR);
}

static void a_failed_ones_requests_are_refused_until_it_is_closed(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    comes_back_as_another();
    refused(1);
    assert_int_equal(shared->req_event, 2);
    ask(BLKIF_OP_WRITE, 2);
    nr_notified = 0;
    shared->rsp_event = 2;
    vbd_run(vbd); /* its event */
    refused(2);
    assert_int_equal(nr_notified, 1);
    ask(BLKIF_OP_FLUSH_DISKCACHE, 3);
    front_says("5"); /* in use */
    refused(3);
    assert_int_equal(nr_links, 1);
    assert_int_equal(nr_disks + nr_queues + nr_submitted, 0);
    front_says("6");
    back_is("6");
    assert_int_equal(nr_links, 0);
}

static void the_last_requests_of_a_failed_one_are_refused(void **state)
{
    (void)state;
    connect_it();
    comes_back_as_another();
    ask(BLKIF_OP_WRITE, 1);
    front_says("6");
    refused(1);
    back_is("6");
}

static void a_mended_index_is_refused_still(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    shared->req_prod += 100;
    vbd_run(vbd);
    back_is("5");
    shared->req_prod -= 100;
    ask(BLKIF_OP_WRITE, 2);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(2);
    assert_int_equal(shared->ring[0].rsp.status, BLKIF_RSP_OKAY);
    assert_int_equal(shared->ring[1].rsp.status, BLKIF_RSP_ERROR);
    assert_int_equal(nr_submitted, 1);
}

static void a_failed_one_is_refused_by_a_successor(void **state)
{
    (void)state;
    connect_it();
    comes_back_as_another();
    ask(BLKIF_OP_WRITE, 1);
    begins_anew(); /* linux-block alone */
    back_is("5");
    refused(1);
    assert_int_equal(nr_submitted, 0);
    front_says("6");
    back_is("6");
}

static void a_frontend_that_vanishes_before_it_connects_lets_go_of_the_disk(void **state)
{
    (void)state;
    vbd_look(vbd);
    back_is("2");
    assert_int_equal(nr_disks, 1);
    xs_rm(store, XBT_NULL, FRONT);
    vbd_look(vbd);
    back_is("6");
    assert_int_equal(nr_disks, 0);
    front_says("1"); /* attached again */
    back_is("2");
}

static void one_that_waits_for_a_disk_ends_with_its_frontend(void **state)
{
    (void)state;
    disk_err = -ENOENT;
    vbd_look(vbd);
    back_is("1");
    xs_rm(store, XBT_NULL, FRONT);
    disk_err = 0;
    vbd_look(vbd);
    back_is("6");
    assert_int_equal(nr_disks, 0);
}

static void a_frontend_that_begins_anew_is_offered_the_disk_anew(void **state)
{
    static const char *const states[] = { "1", "2" };

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        connect_it();
        ask(BLKIF_OP_WRITE, 1);
        vbd_run(vbd);
        fake_xs_put(store, FRONT "/state", states[i]);
        vbd_look(vbd);
        back_is("4"); /* never Closing: it would close again */
        assert_int_equal(nr_links, 1);
        finish(0, BLKIF_RSP_OKAY);
        back_is("2");
        assert_int_equal(nr_links, 0);
        ring_is_fresh();
        front_says("3");
        back_is("4");
        ask(BLKIF_OP_WRITE, 7);
        vbd_run(vbd);
        finish(0, BLKIF_RSP_OKAY);
        answers_are(1);
        ring_is_fresh();
        fake_xs_put(store, FRONT "/state", "1");
        vbd_look(vbd);
        back_is("2");
    }
}

/* It was seen Closed, waits for a write, and sees Connected still. */
static void one_that_begins_anew_while_a_job_runs_is_served(void **state)
{
    struct queue_job *job;

    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    front_says("6");
    back_is("4");
    job = submitted[0];
    front_says("4");
    ring_is_fresh();
    ask(BLKIF_OP_WRITE, 2);
    job->status = BLKIF_RSP_OKAY;
    done = job;
    vbd_run(vbd);
    back_is("4");
    assert_int_equal(nr_submitted, 1);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(1);
    assert_int_equal(shared->ring[0].rsp.id, 2);
    assert_null(fake_xs_get(store, BACK "/error"));
    assert_int_equal(vbd->phase, VBD_SERVES);
}

static void one_that_is_detached_does_not_begin_anew(void **state)
{
    (void)state;
    connect_it();
    fake_xs_put(store, BACK "/online", "0");
    fake_xs_put(store, BACK "/state", "5");
    front_says("1");
    back_is("5");
    assert_int_equal(nr_disks, 0);
    front_says("6");
    back_is("6");
}

static void a_new_ring_of_one_that_is_connected_again_is_served(void **state)
{
    (void)state;
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    finish(0, BLKIF_RSP_OKAY);
    ring_is_fresh();
    ask(BLKIF_OP_WRITE, 2);
    vbd_look(vbd);
    back_is("4");
    assert_int_equal(nr_links, 1);
    assert_int_equal(nr_submitted, 1);
    finish(0, BLKIF_RSP_OKAY);
    answers_are(1);
    assert_int_equal(shared->ring[0].rsp.id, 2);
}

static void an_unreadable_frontend_is_not_passed_over(void **state)
{
    (void)state;
    fake_xs_fail_reads(store, FRONT "/state", EIO);
    vbd_look(vbd);
    back_is("1");
    assert_int_equal(nr_disks, 0);
    fake_xs_fail_reads(store, NULL, 0);
    connect_it();
    ask(BLKIF_OP_WRITE, 1);
    vbd_run(vbd);
    front_says("6");
    fake_xs_fail_reads(store, FRONT "/state", EIO);
    finish(0, BLKIF_RSP_OKAY);
    back_is("4"); /* neither Closing nor Closed */
    fake_xs_fail_reads(store, NULL, 0);
    vbd_look(vbd);
    back_is("6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unreadable_store_ends_nothing),
        TEST(a_forbidden_frontend_is_gone),
        TEST(an_unreadable_line_is_read_again),
        TEST(an_unreadable_state_makes_no_vbd),
        TEST(an_unreadable_online_removes_nothing),
        TEST(a_state_that_could_not_be_written_is_written_again),
        TEST(an_old_state_is_not_written_over_a_detach),
        TEST(one_that_ends_is_not_busy),
        TEST(a_disk_in_use_is_served_after_closing),
        TEST(a_closing_frontends_ring_is_taken_over),
        TEST(one_that_closes_without_a_ring_is_closed),
        TEST(an_old_error_does_not_outlive_a_connection),
        TEST(a_failed_ones_requests_are_refused_until_it_is_closed),
        TEST(the_last_requests_of_a_failed_one_are_refused),
        TEST(a_mended_index_is_refused_still),
        TEST(a_failed_one_is_refused_by_a_successor),
        TEST(a_frontend_that_vanishes_before_it_connects_lets_go_of_the_disk),
        TEST(one_that_waits_for_a_disk_ends_with_its_frontend),
        TEST(a_frontend_that_begins_anew_is_offered_the_disk_anew),
        TEST(one_that_begins_anew_while_a_job_runs_is_served),
        TEST(one_that_is_detached_does_not_begin_anew),
        TEST(a_new_ring_of_one_that_is_connected_again_is_served),
        TEST(an_unreadable_frontend_is_not_passed_over),
    };

    return cmocka_run_group_tests_name("linux_vbd_faults", tests, NULL, NULL);
}
