/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "test_xenstore_fixture.h"
#include "xen/xenstore_wire.h"

#define HEADER sizeof(struct xsd_sockmsg)
#define NEAR_WRAP 0xffffff00u

static char message[XENSTORE_REQUEST_MAX];
static char long_payload[XENSTORE_PAYLOAD_MAX];

static void start_at(uint32_t index)
{
    fixture_reset(index);
    xenstore_wire_init(store_page, STORE_PORT);
}

static int start(void **state)
{
    (void)state;
    start_at(0);
    for (size_t i = 0; i < sizeof(long_payload); i++)
        long_payload[i] = (char)('a' + i % 23);
    return 0;
}

/* A message of size bytes in all whose id is number. */
static int send(uint32_t number, size_t size)
{
    struct xsd_sockmsg header = {
        .type = XS_WRITE,
        .req_id = number,
        .len = (uint32_t)(size - HEADER),
    };

    memset(message, (int)('A' + number % 26), sizeof(message));
    memcpy(message, &header, sizeof(header));
    return xenstore_wire_send(message, size);
}

static void expect_taken(uint32_t number, size_t size)
{
    static struct server_request request;

    assert_true(server_take(&request));
    assert_int_equal(request.header.req_id, number);
    assert_int_equal(request.header.len, size - HEADER);
    for (size_t i = 0; i < request.header.len; i++)
        assert_int_equal(request.payload[i], 'A' + number % 26);
}

static int receive(struct xsd_sockmsg *header)
{
    const char *payload = NULL;
    int rc = xenstore_wire_receive(header, &payload);

    if (rc == 0) {
        assert_int_equal(payload[header->len], '\0');
        assert_memory_equal(payload, long_payload, header->len);
    }
    return rc;
}

static void expect_cut(void)
{
    struct xsd_sockmsg header;

    assert_int_equal(receive(&header), -EIO);
    assert_int_equal(send(1, 20), -EIO);
    assert_non_null(xenstore_wire_cut_reason());
}

static void test_send_wraps_around_the_ring(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(send(i, 16 + i * 20), 0);
        expect_taken(i, 16 + i * 20);
    }
}

static void test_indices_wrap_around_32_bits(void **state)
{
    struct xsd_sockmsg header;

    (void)state;
    start_at(NEAR_WRAP);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(send(i, 100), 0);
        expect_taken(i, 100);
        server_message(XS_READ, i, long_payload, 300);
        assert_int_equal(receive(&header), 0);
        assert_int_equal(header.req_id, i);
    }
    assert_true(store_page->req_prod < NEAR_WRAP);
    assert_null(xenstore_wire_cut_reason());
}

static void test_message_as_long_as_the_ring_fits(void **state)
{
    (void)state;
    assert_int_equal(send(1, XENSTORE_REQUEST_MAX), 0);
    expect_taken(1, XENSTORE_REQUEST_MAX);
}

static void test_message_without_room_is_queued_whole(void **state)
{
    (void)state;
    assert_int_equal(send(1, 1000), 0);
    assert_int_equal(send(2, 100), 0);
    assert_int_equal(store_page->req_prod, 1000); /* not one byte of the second */
    xenstore_wire_flush();
    assert_int_equal(store_page->req_prod, 1000);
    expect_taken(1, 1000);
    xenstore_wire_flush();
    expect_taken(2, 100);
}

static void test_queue_is_not_overtaken(void **state)
{
    (void)state;
    assert_int_equal(send(1, 1000), 0);
    assert_int_equal(send(2, 500), 0);
    assert_int_equal(send(3, 17), 0); /* there would be room for this one */
    expect_taken(1, 1000);
    assert_int_equal(send(4, 16), 0);
    xenstore_wire_flush();
    expect_taken(2, 500);
    expect_taken(3, 17);
    expect_taken(4, 16);
}

static void test_full_queue_says_so_and_recovers(void **state)
{
    uint32_t sent = 0, taken = 0;

    (void)state;
    for (int round = 0; round < 5; round++) {
        while (send(sent, 700) == 0)
            assert_true(++sent - taken < 100);
        assert_int_equal(send(sent, 700), -ENOBUFS);
        assert_true(sent - taken >= 20);
        for (int i = 0; i < 7 + round; i++) {
            expect_taken(taken++, 700);
            xenstore_wire_flush();
        }
    }
    for (; taken < sent; taken++) {
        expect_taken(taken, 700);
        xenstore_wire_flush();
    }
}

static void test_kick_only_after_something_was_sent(void **state)
{
    (void)state;
    xenstore_wire_kick();
    assert_int_equal(fake_notified, 0);
    assert_int_equal(send(1, 20), 0);
    assert_int_equal(fake_notified, 0);
    xenstore_wire_kick();
    xenstore_wire_kick();
    assert_int_equal(fake_notified, 1);
}

static void test_kick_after_taking_from_a_full_ring(void **state)
{
    struct xsd_sockmsg header;

    (void)state;
    server_message(XS_READ, 1, long_payload, 100);
    assert_int_equal(receive(&header), 0);
    xenstore_wire_kick();
    assert_int_equal(fake_notified, 0);
    server_message(XS_READ, 2, long_payload, XENSTORE_RING_SIZE - HEADER);
    assert_int_equal(receive(&header), 0);
    xenstore_wire_kick();
    assert_int_equal(fake_notified, 1);
}

static void test_message_arriving_byte_by_byte(void **state)
{
    struct xsd_sockmsg header = { .type = XS_READ, .req_id = 5, .len = 50 };
    char bytes[66];

    (void)state;
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), long_payload, 50);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        assert_int_equal(receive(&header), -EAGAIN);
        assert_int_equal(store_page->rsp_cons, 0); /* a short one stays until it is whole */
        server_put(bytes + i, 1);
    }
    assert_int_equal(receive(&header), 0);
    assert_int_equal(header.req_id, 5);
    assert_int_equal(receive(&header), -EAGAIN);
}

static void test_empty_payload(void **state)
{
    struct xsd_sockmsg header;

    (void)state;
    server_message(XS_READ, 3, NULL, 0);
    server_message(XS_READ, 4, NULL, 0);
    assert_int_equal(receive(&header), 0);
    assert_int_equal(header.req_id, 3);
    assert_int_equal(receive(&header), 0);
    assert_int_equal(header.req_id, 4);
}

/* The server writes len bytes of payload as room comes; returns how often it had to wait. */
static unsigned int receive_long(uint32_t len, uint32_t step)
{
    struct xsd_sockmsg header = { .type = XS_READ, .req_id = len, .len = len };
    unsigned int waits = 0;
    uint32_t done = 0;

    server_put(&header, sizeof(header));
    for (;;) {
        int rc = receive(&header);

        if (rc == 0)
            break;
        assert_int_equal(rc, -EAGAIN);
        waits++;
        uint32_t room = XENSTORE_RING_SIZE - (store_page->rsp_prod - store_page->rsp_cons);
        uint32_t take = len - done < step ? len - done : step;

        take = take < room ? take : room;
        assert_true(take > 0);
        server_put(long_payload + done, take);
        done += take;
    }
    assert_int_equal(header.len, len);
    assert_int_equal(done, len);
    return waits;
}

static void test_message_longer_than_the_ring(void **state)
{
    struct xsd_sockmsg header;

    (void)state;
    assert_true(receive_long(XENSTORE_PAYLOAD_MAX, XENSTORE_RING_SIZE) >= 4);
    receive_long(XENSTORE_RING_SIZE - HEADER, XENSTORE_RING_SIZE);
    receive_long(XENSTORE_RING_SIZE - HEADER + 1, XENSTORE_RING_SIZE);
    receive_long(3000, 7);
    server_message(XS_READ, 9, long_payload, 10);
    assert_int_equal(receive(&header), 0);
    assert_int_equal(header.req_id, 9);
}

static void test_announcing_more_than_the_protocol_allows_cuts(void **state)
{
    struct xsd_sockmsg header = { .type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1 };

    (void)state;
    server_put(&header, sizeof(header));
    expect_cut();
    start_at(0);
    header.len = UINT32_MAX;
    server_put(&header, sizeof(header));
    expect_cut();
}

static void test_damaged_indices_cut(void **state)
{
    (void)state;
    store_page->rsp_prod = XENSTORE_RING_SIZE + 1;
    expect_cut();
    start_at(100);
    store_page->rsp_prod = 99; /* backwards */
    expect_cut();
    start_at(100);
    store_page->rsp_cons = 0; /* our own, written over */
    expect_cut();
    start_at(100);
    store_page->rsp_prod = store_page->rsp_cons = 0x5a5a5a5a;
    expect_cut();
}

static void test_damaged_request_indices_cut(void **state)
{
    (void)state;
    store_page->req_cons = 1; /* consumed what was never there */
    assert_int_equal(send(1, 20), -EIO);
    expect_cut();
    start_at(0);
    assert_int_equal(send(1, 20), 0);
    store_page->req_prod = 0;
    assert_int_equal(send(2, 20), -EIO);
    expect_cut();
    start_at(0);
    store_page->req_cons = 0x80000000;
    assert_int_equal(send(2, 20), -EIO);
    expect_cut();
}

static void test_damage_ends_flushing_too(void **state)
{
    (void)state;
    assert_int_equal(send(1, 1000), 0);
    assert_int_equal(send(2, 1000), 0);
    store_page->req_cons = 5000;
    xenstore_wire_flush();
    assert_int_equal(store_page->req_prod, 1000);
    expect_cut();
}

static void test_damage_from_the_start_cuts(void **state)
{
    (void)state;
    fixture_reset(0);
    store_page->rsp_prod = 2000;
    xenstore_wire_init(store_page, STORE_PORT);
    expect_cut();
    fixture_reset(0);
    store_page->req_prod = 2000;
    xenstore_wire_init(store_page, STORE_PORT);
    expect_cut();
}

static void test_first_reason_stays(void **state)
{
    (void)state;
    xenstore_wire_cut("first");
    xenstore_wire_cut("second");
    assert_string_equal(xenstore_wire_cut_reason(), "first");
    expect_cut();
}

static void test_restart_goes_on_at_the_next_message(void **state)
{
    struct xsd_sockmsg header;

    (void)state;
    server_message(XS_READ, 1, long_payload, 10);
    server_message(XS_READ, 2, long_payload, 10);
    assert_int_equal(receive(&header), 0);
    xenstore_wire_init(store_page, STORE_PORT);
    assert_int_equal(receive(&header), 0);
    assert_int_equal(header.req_id, 2);
}

static void test_restart_within_a_long_message_skips_its_rest(void **state)
{
    struct xsd_sockmsg header = { .type = XS_READ, .req_id = 1, .len = 3000 };

    (void)state;
    server_put(&header, sizeof(header));
    server_put(long_payload, 900);
    assert_int_equal(receive(&header), -EAGAIN);
    xenstore_wire_init(store_page, STORE_PORT);
    server_put(long_payload + 900, 1000);
    assert_int_equal(receive(&header), -EAGAIN);
    xenstore_wire_init(store_page, STORE_PORT); /* and once more */
    server_put(long_payload + 1900, 1000);
    assert_int_equal(receive(&header), -EAGAIN);
    server_put(long_payload + 2900, 100);
    server_message(XS_READ, 2, long_payload, 10);
    assert_int_equal(receive(&header), 0);
    assert_int_equal(header.req_id, 2);
    assert_null(xenstore_wire_cut_reason());
}

static void test_restart_after_a_long_message_skips_nothing(void **state)
{
    struct xsd_sockmsg header;

    (void)state;
    receive_long(2000, 500);
    xenstore_wire_init(store_page, STORE_PORT);
    server_message(XS_READ, 2, long_payload, 10);
    assert_int_equal(receive(&header), 0);
    assert_int_equal(header.req_id, 2);
}

#define WIRE_TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WIRE_TEST(test_send_wraps_around_the_ring),
        WIRE_TEST(test_indices_wrap_around_32_bits),
        WIRE_TEST(test_message_as_long_as_the_ring_fits),
        WIRE_TEST(test_message_without_room_is_queued_whole),
        WIRE_TEST(test_queue_is_not_overtaken),
        WIRE_TEST(test_full_queue_says_so_and_recovers),
        WIRE_TEST(test_kick_only_after_something_was_sent),
        WIRE_TEST(test_kick_after_taking_from_a_full_ring),
        WIRE_TEST(test_message_arriving_byte_by_byte),
        WIRE_TEST(test_empty_payload),
        WIRE_TEST(test_message_longer_than_the_ring),
        WIRE_TEST(test_announcing_more_than_the_protocol_allows_cuts),
        WIRE_TEST(test_damaged_indices_cut),
        WIRE_TEST(test_damaged_request_indices_cut),
        WIRE_TEST(test_damage_ends_flushing_too),
        WIRE_TEST(test_damage_from_the_start_cuts),
        WIRE_TEST(test_first_reason_stays),
        WIRE_TEST(test_restart_goes_on_at_the_next_message),
        WIRE_TEST(test_restart_within_a_long_message_skips_its_rest),
        WIRE_TEST(test_restart_after_a_long_message_skips_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
