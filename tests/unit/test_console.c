/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>

/* Built around the console: each test starts with a fresh one. */
#include "xen/console.c"

#define CONSOLE_PORT 3
#define OUT_SIZE 2048

static struct xencons_interface page;
static struct start_info info;
const struct start_info *start_info;

static unsigned int notified, delayed_us;
static evtchn_fn *handler;
static size_t drain_per_delay; /* bytes that dom0 takes while we wait */
static char drained[8 * OUT_SIZE];
static size_t drained_len;

struct xencons_interface *console_ring(void)
{
    return &page;
}

int evtchn_adopt(evtchn_port_t adopted, evtchn_fn *fn, void *ctx)
{
    (void)ctx;
    assert_int_equal(adopted, CONSOLE_PORT);
    handler = fn;
    return 0;
}

void evtchn_notify(evtchn_port_t notified_port)
{
    assert_int_equal(notified_port, CONSOLE_PORT);
    notified++;
}

/* dom0 takes at most max bytes. */
static void drain(size_t max)
{
    assert_true(page.out_prod - page.out_cons <= OUT_SIZE);
    while (max-- && page.out_cons != page.out_prod) {
        assert_true(drained_len < sizeof(drained) - 1);
        drained[drained_len++] = page.out[page.out_cons++ % OUT_SIZE];
    }
    drained[drained_len] = '\0';
}

static const char *drain_all(void)
{
    drained_len = 0;
    drain(SIZE_MAX);
    return drained;
}

void clock_delay_us(unsigned int us)
{
    delayed_us += us;
    drain(drain_per_delay);
}

static void start_at(XENCONS_RING_IDX index)
{
    memset(&page, 0x5a, sizeof(page));
    page.out_cons = page.out_prod = index;
    page.in_cons = page.in_prod = index;
    info.console.domU.mfn = 1;
    info.console.domU.evtchn = CONSOLE_PORT;
    start_info = &info;
    ring = NULL;
    ready = false;
    lost_total = lost_unsaid = 0;
    flush_left_us = CONSOLE_EMERGENCY_US;
    notified = delayed_us = 0;
    drain_per_delay = drained_len = 0;
}

static int start(void **state)
{
    (void)state;
    start_at(0);
    console_init();
    return 0;
}

static void put(const char *text)
{
    console_write(text, strlen(text));
}

static void fill(size_t left)
{
    char byte = '.';

    while (OUT_SIZE - (page.out_prod - page.out_cons) > left)
        console_write(&byte, 1);
}

static void test_newline_becomes_cr_lf(void **state)
{
    (void)state;
    assert_true(console_ready());
    put("one\ntwo\n");
    assert_int_equal(notified, 1);
    assert_string_equal(drain_all(), "one\r\ntwo\r\n");
    put("");
    assert_int_equal(notified, 1);
}

static void test_output_wraps_around_the_ring(void **state)
{
    char line[101];

    (void)state;
    start_at(0xfffffff0); /* the indices wrap, too */
    console_init();
    for (int i = 0; i < 100; i++) {
        memset(line, 'a' + i % 26, 100);
        line[100] = '\0';
        put(line);
        assert_string_equal(drain_all(), line);
    }
    assert_int_equal(console_lost(), 0);
}

static void test_what_finds_no_room_is_dropped_whole_and_said_later(void **state)
{
    const char *all;

    (void)state;
    fill(10);
    notified = 0;
    put("a line too long\n");
    put("another\n\n\n");
    assert_int_equal(notified, 0);
    assert_int_equal(console_lost(), 26);
    drain_all();
    put("and on\n");
    all = drain_all();
    assert_string_equal(all, "\r\n[console: 26 bytes lost]\r\nand on\r\n");
    put("once\n");
    assert_string_equal(drain_all(), "once\r\n");
    assert_int_equal(console_lost(), 26);
}

static void test_loss_is_said_when_dom0_has_taken_something(void **state)
{
    (void)state;
    fill(0);
    put("x");
    handler(NULL); /* still full */
    drain_all();
    handler(NULL);
    assert_string_equal(drain_all(), "\r\n[console: 1 bytes lost]\r\n");
    notified = 0;
    handler(NULL);
    assert_int_equal(notified, 0);
}

static void test_ring_can_be_filled_to_the_last_byte(void **state)
{
    (void)state;
    fill(3);
    put("a\n");
    assert_int_equal(console_lost(), 0);
    assert_int_equal(page.out_prod - page.out_cons, OUT_SIZE);
    put("b");
    assert_int_equal(console_lost(), 1);
}

static void test_long_output_goes_in_pieces(void **state)
{
    static char text[5000];

    (void)state;
    memset(text, 't', sizeof(text));
    console_write(text, sizeof(text));
    assert_int_equal(console_lost(), sizeof(text) - OUT_SIZE);
    assert_int_equal(strlen(drain_all()), OUT_SIZE);
}

static void test_input_is_dropped(void **state)
{
    (void)state;
    page.in_prod += 700;
    handler(NULL);
    assert_int_equal(page.in_cons, page.in_prod);
    assert_int_equal(notified, 1);
    page.in_prod += 0x12345678; /* nonsense is no more than that */
    handler(NULL);
    assert_int_equal(page.in_cons, page.in_prod);
}

static void test_damaged_indices_are_overcome(void **state)
{
    (void)state;
    put("gone\n");
    page.out_cons = 0x77777777;
    put("first\n");
    assert_string_equal(drain_all(), "first\r\n");
    page.out_prod = 5; /* our own, written over */
    put("second\n");
    assert_string_equal(drain_all(), "second\r\n");
}

static void test_crash_report_works_before_init(void **state)
{
    (void)state;
    start_at(0);
    put("early\n");
    assert_string_equal(drain_all(), "early\r\n");
    assert_false(console_ready());
    start_info = NULL;
    ring = NULL;
    put("earlier\n");
    console_flush_emergency();
    assert_string_equal(drain_all(), "");
}

static void test_domain_without_console_drops_its_output(void **state)
{
    (void)state;
    start_at(0);
    info.console.domU.mfn = 0;
    console_init();
    put("nobody reads this\n");
    console_flush_emergency();
    assert_true(console_ready());
    assert_int_equal(notified, 0);
}

static void test_emergency_waits_for_room_only(void **state)
{
    (void)state;
    put("short\n");
    console_flush_emergency();
    assert_int_equal(delayed_us, 0);
    fill(0);
    drain_per_delay = 100;
    console_flush_emergency();
    assert_true(delayed_us > 0 && delayed_us < 1000);
    put("out it goes\n");
    assert_int_equal(console_lost(), 0);
}

static void test_emergency_ends_when_dom0_takes_nothing(void **state)
{
    (void)state;
    fill(0);
    notified = 0;
    for (int i = 0; i < 50; i++)
        console_flush_emergency();
    assert_int_equal(delayed_us, CONSOLE_EMERGENCY_US); /* all together */
    assert_true(notified >= 5 && notified <= 30);
}

#define CONSOLE_TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONSOLE_TEST(test_newline_becomes_cr_lf),
        CONSOLE_TEST(test_output_wraps_around_the_ring),
        CONSOLE_TEST(test_what_finds_no_room_is_dropped_whole_and_said_later),
        CONSOLE_TEST(test_loss_is_said_when_dom0_has_taken_something),
        CONSOLE_TEST(test_ring_can_be_filled_to_the_last_byte),
        CONSOLE_TEST(test_long_output_goes_in_pieces),
        CONSOLE_TEST(test_input_is_dropped),
        CONSOLE_TEST(test_damaged_indices_are_overcome),
        CONSOLE_TEST(test_crash_report_works_before_init),
        CONSOLE_TEST(test_domain_without_console_drops_its_output),
        CONSOLE_TEST(test_emergency_waits_for_room_only),
        CONSOLE_TEST(test_emergency_ends_when_dom0_takes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
