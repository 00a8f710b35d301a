/* SPDX-License-Identifier: BSD-2-Clause */
/* Vifs with several queues: who is offered how many, which frame goes where, and restarts. */
#include "fixture_vif_queues.h"

static void every_queue_moves_frames(void **state)
{
    (void)state;
    assert_int_equal(back_state(queues), 4);
    assert_string_equal(back_read(queues, "multi-queue-max-queues"), "4");
    assert_int_equal(gnttab_nr_maps(), 2 * QUEUES);
    assert_int_equal(evtchn_nr_open(), 2 * QUEUES);
    assert_serves();
}

static void flow_stays_in_its_queue(void **state)
{
    (void)state;
    for (uint16_t flow = 100; flow < 140; flow++) {
        unsigned int first;

        all_post(3);
        flow_send(flow);
        loop_turn();
        first = queue_that_got_one();
        assert_true(first < QUEUES);
        for (unsigned int i = 0; i < 2; i++) {
            flow_send(flow);
            loop_turn();
            assert_int_equal(queue_that_got_one(), first);
        }
    }
}

/* Only the queue's own channel rings, once for what went in one turn. */
static void right_channel_is_rung(void **state)
{
    unsigned int queue;

    (void)state;
    all_post(8);
    loop_turn();
    for (unsigned int i = 0; i < QUEUES; i++)
        (void)fake_port_notified(7, guest_port(&queues[i], GUEST_RX_PORT));
    flow_send(5);
    flow_send(5);
    loop_turn();
    queue = queue_that_got_one();
    for (unsigned int i = 0; i < QUEUES; i++)
        assert_int_equal(fake_port_notified(7, guest_port(&queues[i], GUEST_RX_PORT)), i == queue);
}

static void queues_share_one_budget(void **state)
{
    unsigned int answered[QUEUES] = { 0 };

    (void)state;
    for (unsigned int i = 0; i < QUEUES; i++)
        for (unsigned int j = 0; j < 2 * PORT_BURST; j++)
            tx_send(&queues[i], bytes, 60, 4096, 0, 0);
    fake_xen_run();
    assert_int_equal(vif_receive_all(), PORT_BURST);
    for (unsigned int turn = 1; turn < QUEUES; turn++)
        (void)vif_receive_all();
    for (unsigned int i = 0; i < QUEUES; i++) {
        while (tx_response(&queues[i], NULL) == NETIF_RSP_OKAY)
            answered[i]++;
        assert_int_equal(answered[i], PORT_BURST); /* each was first once */
    }
}

static void queue_without_room_does_not_hold_the_others(void **state)
{
    unsigned int full;

    (void)state;
    all_post(1);
    flow_send(9);
    loop_turn();
    full = queue_that_got_one();
    flow_send(9); /* waits */
    for (uint16_t flow = 0; flow < 20; flow++)
        flow_send(flow);
    loop_turn();
    for (unsigned int i = 0; i < QUEUES - 1; i++) {
        unsigned int queue = queue_that_got_one();

        assert_true(queue < QUEUES && queue != full);
    }
    assert_int_equal(queue_that_got_one(), QUEUES);
    assert_true(vif_nr_queued_mbufs() > 0);
    rx_post(&queues[full], 1);
    loop_turn();
    assert_int_equal(queue_that_got_one(), full);
}

static void assert_closed(const char *why)
{
    loop_turn();
    loop_turn();
    fake_xen_sleep(100 * MS);
    assert_int_equal(back_state(queues), 5);
    assert_non_null(strstr(back_read(queues, "hotplug-error"), why));
    assert_int_equal(gnttab_nr_maps(), 0);
    assert_int_equal(evtchn_nr_open(), 0);
}

static void one_bad_index_closes_the_vif(void **state)
{
    (void)state;
    queues[2].tx.sring->req_prod += 1000;
    fake_port_ring(7, guest_port(&queues[2], GUEST_TX_PORT));
    assert_closed("tx ring's req_prod");
}

static void one_bad_rx_index_closes_the_vif(void **state)
{
    (void)state;
    all_post(4);
    queues[1].rx.sring->req_prod += 1000;
    for (uint16_t flow = 0; flow < 20; flow++)
        flow_send(flow);
    assert_closed("rx ring's req_prod");
}

/* A frontend that comes back finds as much as before, with fewer queues, too. */
static void frontend_reconnects_with_other_numbers(void **state)
{
    static const unsigned int numbers[] = { 1, 4, 2, QUEUES };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(numbers); i++) {
        guest_state(queues, "5");
        guest_state(queues, "6");
        guest_queues_free(queues, VIF_QUEUES_MAX);
        guest_state(queues, "1");
        assert_int_equal(back_state(queues), 2);
        front_write(queues, "queue-0", NULL);
        front_write(queues, "queue-1", NULL);
        queues[0].in_directory = false;
        guest_queues(queues, numbers[i]);
        guest_state(queues, "4");
        fake_xen_sleep(500 * MS);
        assert_int_equal(back_state(queues), 4);
        assert_int_equal(vif->nr_queues, numbers[i]);
    }
    assert_serves();
}

/* What is in hand on every ring is answered once, with errors, and the others wait untouched. */
static void every_queue_goes_on_after_a_restart(void **state)
{
    (void)state;
    assert_serves();
    for (unsigned int i = 0; i < QUEUES; i++) {
        struct vif_queue *queue = vif_queue_of(vif, i);

        for (unsigned int j = 0; j < 5; j++)
            tx_send(&queues[i], bytes, 60, 4096, 0, 0);
        queue->marks.tx_mark = queue->tx.req_cons + 2 + i; /* it died with these in hand */
    }
    assert_int_equal(kernel_restart(), 1);
    assert_int_equal(vif->nr_queues, QUEUES);
    assert_int_equal(gnttab_nr_maps(), 2 * QUEUES);
    assert_int_equal(evtchn_nr_open(), 2 * QUEUES);
    loop_turn();
    for (unsigned int i = 0; i < QUEUES; i++) {
        for (unsigned int j = 0; j < 5; j++)
            assert_int_equal(tx_response(&queues[i], NULL),
                             j < 2 + i ? NETIF_RSP_ERROR : NETIF_RSP_OKAY);
        assert_int_equal(tx_response(&queues[i], NULL), -100);
    }
    assert_int_equal(vif_watch(), 0);
    fake_xen_sleep(1000 * MS);
    assert_int_equal(back_state(queues), 4);
    assert_serves();
    assert_int_equal(kernel_restart(), 1);
    assert_serves();
}

/* A ring or a port that is not there any more: the vif goes the long way, through xenstore. */
static void lost_port_of_one_queue_gives_all_back(void **state)
{
    (void)state;
    fake_port_gone(7, guest_port(&queues[2], GUEST_RX_PORT));
    assert_int_equal(kernel_restart(), 0);
    assert_int_equal(gnttab_nr_maps(), 0);
    assert_int_equal(evtchn_nr_open(), 0);
}

/* Two records name the same queue: their sums are right, and yet only one can be. */
static void queue_is_resumed_for_one_vif_only(void **state)
{
    struct fake_guest others[2] = { 0 };

    (void)state;
    guest_queues_up(others, 2, 8);
    assert_int_equal(vif_table[1].nr_queues, 2);
    vif_table[1].more[0] = vif->more[0];
    vif_record_seal(&vif_table[1]);
    assert_int_equal(kernel_restart(), 1);
    assert_ptr_equal(vif->more[0]->vif, vif);
    assert_int_equal(gnttab_nr_maps(), 2 * QUEUES);
    guest_queues_free(others, 2);
}

/* As after depth 3: the state node says Connected, and nothing is known but what xenstore has. */
static void every_queue_is_taken_over(void **state)
{
    unsigned int rsp[QUEUES];

    (void)state;
    assert_serves();
    for (unsigned int i = 0; i < QUEUES; i++) {
        rsp[i] = queues[i].rx.req_prod_pvt - queues[i].rx.rsp_cons;
        tx_send(&queues[i], bytes, 60, 4096, 0, 0);
    }
    vif_disconnect(vif);
    for (unsigned int i = 0; i < QUEUES; i++) {
        fake_port_offer(7, guest_port(&queues[i], GUEST_TX_PORT));
        fake_port_offer(7, guest_port(&queues[i], GUEST_RX_PORT));
    }
    memset(vif_table, 0, sizeof(vif_table));
    memset(vif_more_queues, 0, sizeof(vif_more_queues));
    fake_xen_restart();
    assert_int_equal(vif_init(&vif_host), 0);
    assert_int_equal(vif_watch(), 0);
    fake_xen_sleep(1000 * MS);
    assert_int_equal(vif->nr_queues, QUEUES);
    for (unsigned int i = 0; i < QUEUES; i++) {
        uint16_t flags, gso;

        assert_int_equal(tx_response(&queues[i], NULL), NETIF_RSP_ERROR);
        assert_int_equal(tx_response(&queues[i], NULL), -100);
        for (unsigned int j = 0; j < rsp[i]; j++)
            assert_int_equal(rx_take(&queues[i], got, &flags, &gso), -1);
    }
    assert_serves();
}

static void bad_nodes_close_the_vif(void **state)
{
    static const char *const rows[][3] = {
        { "multi-queue-num-queues", "4", "queue-3: node tx-ring-ref is missing" },
        { "queue-1", NULL, "queue-1: node tx-ring-ref is missing" },
        { "queue-2/tx-ring-ref", "8", "rx-ring-ref is the page of another queue" },
        { "queue-1/rx-ring-ref", "4009", "rx-ring-ref is the page of another queue" },
        { "queue-1/tx-ring-ref", "2009", "tx-ring-ref and rx-ring-ref are the same page" },
        { "queue-1/rx-ring-ref", "x", "queue-1: node rx-ring-ref makes no sense" },
        { "queue-2/event-channel-tx", "12", "event-channel is that of another queue" },
        { "queue-2/event-channel-rx", NULL, "queue-2: node event-channel-rx is missing" },
        { "queue-2/event-channel-rx", "99", "queue-2/event-channel-rx cannot be used" },
        { "queue-1/rx-ring-ref", "99", "queue-1/rx-ring-ref cannot be used" },
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
        guest_state(queues, "5");
        guest_state(queues, "6");
        guest_queues_free(queues, QUEUES);
        guest_state(queues, "1");
        guest_queues(queues, QUEUES);
        front_write(queues, rows[i][0], rows[i][1]);
        guest_state(queues, "4");
        fake_xen_sleep(500 * MS);
        if (back_state(queues) != 5 || !strstr(back_read(queues, "hotplug-error"), rows[i][2]))
            fail_msg("row %u: state %d, %s", i, back_state(queues),
                     back_read(queues, "hotplug-error"));
        assert_int_equal(gnttab_nr_maps(), 0);
        assert_int_equal(evtchn_nr_open(), 0);
    }
}

/* No more than was offered, and a place in the full table has its one queue whatever others have. */
static void full_table_serves_all(void **state)
{
    static struct fake_guest guests[VIF_MAX][VIF_QUEUES_MAX];
    unsigned int nr_queues = 0, nr_four = 0;

    (void)state;
    memset(guests, 0, sizeof(guests));
    for (unsigned int i = 1; i < VIF_MAX; i++) {
        struct fake_guest *guest = guests[i];
        unsigned int nr;

        guest_create(guest, (domid_t)(100 + i), 0);
        fake_xen_sleep(500 * MS);
        nr = (unsigned int)atoi(back_read(guest, "multi-queue-max-queues"));
        nr_four += nr == 4;
        guest->no_data = true;
        guest->split = !strcmp(back_read(guest, "feature-split-event-channels"), "1");
        guest_queues(guest, nr);
        guest_state(guest, "4");
        fake_xen_sleep(500 * MS);
        assert_int_equal(back_state(guest), 4);
        assert_int_equal(vif_table[i].nr_queues, nr);
        nr_queues += nr;
    }
    assert_int_equal(vif_nr_connected(), VIF_MAX);
    assert_int_equal(nr_four, 6); /* besides the three queues of the first: 128 channels */
    assert_true(evtchn_nr_open() <= EVTCHN_MAX - BUDGET_OTHER_PORTS);
    assert_int_equal(gnttab_nr_maps(), 2 * (nr_queues + QUEUES));
    assert_serves();
    assert_int_equal(kernel_restart(), VIF_MAX);
    assert_serves();
    for (unsigned int i = 1; i < VIF_MAX; i++) {
        vif_disconnect(&vif_table[i]);
        guest_queues_free(guests[i], VIF_QUEUES_MAX);
    }
}

static void more_than_was_offered_is_refused(void **state)
{
    static struct fake_guest guests[8][VIF_QUEUES_MAX];
    struct fake_guest *last = guests[7];

    (void)state;
    memset(guests, 0, sizeof(guests));
    for (unsigned int i = 0; i < 7; i++) {
        guest_create(guests[i], (domid_t)(100 + i), 0);
        fake_xen_sleep(500 * MS); /* offered, and not used */
    }
    guest_queues_up(last, VIF_QUEUES_MAX, 200);
    assert_int_equal(back_state(last), 5);
    assert_non_null(strstr(back_read(last, "hotplug-error"), "were offered"));
    guest_queues_free(last, VIF_QUEUES_MAX);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_queue_moves_frames),
        TEST(flow_stays_in_its_queue),
        TEST(right_channel_is_rung),
        TEST(queues_share_one_budget),
        TEST(queue_without_room_does_not_hold_the_others),
        TEST(one_bad_index_closes_the_vif),
        TEST(one_bad_rx_index_closes_the_vif),
        TEST(frontend_reconnects_with_other_numbers),
        TEST(every_queue_goes_on_after_a_restart),
        TEST(lost_port_of_one_queue_gives_all_back),
        TEST(queue_is_resumed_for_one_vif_only),
        TEST(every_queue_is_taken_over),
        TEST(bad_nodes_close_the_vif),
        TEST(full_table_serves_all),
        TEST(more_than_was_offered_is_refused),
    };

    return cmocka_run_group_tests(tests, vif_test_group, NULL);
}
