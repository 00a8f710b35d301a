/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures: frames and counts that the kernel's code writes and dom0's reads, also by a reader that stood still. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A restart puts back what is not in capture_area: it is done to capture.c's own variables here. */
#include "main/capture.c"
#include "xen/capturering.h"

#define FRAME_LEN 1000
#define SECOND 1000000000ull

char capture_area[FERRY_CAPTURE_BYTES] __attribute__((aligned(4096)));
void (*egress_tap)(const struct port *port, struct rte_mbuf *const *frames, uint16_t nr);

static const struct port vif = { .name = "vif3.0" };
static uint64_t now_ns, cons;
static const char *node; /* NULL: there is none */
static struct capturering_counts counts;

uint64_t clock_now(void)
{
    return now_ns;
}

const char *bridge_name(const struct bridge *bridge)
{
    (void)bridge;
    return "";
}

void log_line(enum log_level level, const char *format, ...)
{
    (void)level;
    (void)format;
}

void log_clean_name(char *name, size_t size)
{
    name[size - 1] = '\0';
}

int xenstore_watch(const char *path, xenstore_watch_fn *fn, void *ctx, unsigned int *id_r)
{
    *id_r = 1;
    fn(ctx, path);
    return 0;
}

int xenstore_read(xenstore_tx tx, const char *path, xenstore_done_fn *done, void *ctx)
{
    (void)tx;
    assert_string_equal(path, FERRY_CAPTURE_NODE);
    done(ctx, node ? 0 : -ENOENT, node, node ? strlen(node) : 0);
    return 0;
}

/* The kernel starts, with what the last one left in the pages. */
static void kernel_start(void)
{
    memset(&request, 0, sizeof(request));
    capture_runs = false;
    egress_tap = NULL;
    beat = beat_ns = 0;
    assert_int_equal(capture_watch(), 0);
}

/* dom0 writes the node. */
static void ask(const char *text)
{
    node = text;
    changed(NULL, FERRY_CAPTURE_NODE);
}

static int start(void **state)
{
    (void)state;
    memset(capture_area, 0, sizeof(capture_area));
    memset(&counts, 0, sizeof(counts));
    now_ns = SECOND;
    cons = 0;
    node = NULL;
    kernel_start();
    return 0;
}

static void frames_pass(unsigned int nr)
{
    static uint8_t bytes[FRAME_LEN];
    struct rte_mbuf frame = { .buf_addr = bytes, .data_len = FRAME_LEN, .pkt_len = FRAME_LEN },
                    *list[] = { &frame };

    for (unsigned int i = 0; i < nr; i++)
        capture_input(&vif, list, 1);
}

/* Returns how many there are. */
static unsigned int frames_read(void)
{
    static struct capturering_frame frame;
    unsigned int nr = 0;
    int got;

    while ((got = capturering_take(capture_area, &cons, &frame)) > 0) {
        assert_int_equal(frame.record.len, FRAME_LEN);
        assert_string_equal(frame.record.port, "vif3.0");
        control->cons = cons;
        nr++;
    }
    assert_int_equal(got, 0);
    return nr;
}

static void counted(uint32_t id, unsigned int seen, unsigned int missed)
{
    capturering_count(capture_area, id, &counts);
    assert_int_equal(counts.seen + counts.now_seen, seen);
    assert_int_equal(counts.missed + counts.now_missed, missed);
}

static void what_passes_is_read_and_counted(void **state)
{
    (void)state;
    frames_pass(3);
    assert_false(capture_runs);
    ask("7 vif3.0 65535 -");
    assert_int_equal(control->id, 7);
    frames_pass(3);
    assert_int_equal(frames_read(), 3);
    counted(7, 3, 0);
    ask(NULL);
    assert_false(capture_runs);
    frames_pass(3);
    assert_int_equal(frames_read(), 0);
    counted(7, 3, 0);
}

static void a_stopped_readers_misses_are_told(void **state)
{
    unsigned int nr;

    (void)state;
    ask("7 vif3.0 65535 -");
    frames_pass(10);
    assert_int_equal(frames_read(), 10);
    counted(7, 10, 0);
    frames_pass(1000); /* nobody reads, and nobody beats */
    capture_tick(now_ns + 3 * SECOND + 1);
    assert_false(capture_runs);
    assert_int_equal(control->id, 0);
    frames_pass(1000);
    nr = frames_read();
    assert_true(nr > 200 && nr < 300);
    counted(7, 1010, 1000 - nr);
    ask("9 vif3.0 65535 -"); /* it asks again: the domain's counters begin at 0 */
    assert_int_equal(control->nr_missed, 0);
    capturering_count_end(&counts);
    counted(9, 1010, 1000 - nr);
    frames_pass(5);
    assert_int_equal(frames_read(), 5);
    counted(9, 1015, 1000 - nr);
}

static void a_reader_that_beats_is_waited_for(void **state)
{
    (void)state;
    ask("7 vif3.0 65535 -");
    for (unsigned int i = 0; i < 10; i++) {
        control->beat++;
        now_ns += 2 * SECOND;
        capture_tick(now_ns);
    }
    assert_true(capture_runs);
    assert_int_equal(control->id, 7);
}

static void a_restarted_kernel_goes_on(void **state)
{
    (void)state;
    ask("7 vif3.0 65535 -");
    frames_pass(1000);
    counted(7, 1000, (unsigned int)control->nr_missed);
    assert_true(control->nr_missed > 0);
    kernel_start();
    assert_true(capture_runs);
    assert_int_equal(control->id, 7);
    assert_int_equal(frames_read(), 1000 - control->nr_missed);
    frames_pass(5);
    assert_int_equal(frames_read(), 5);
    counted(7, 1005, (unsigned int)control->nr_missed);
}

static void a_watch_that_fires_for_nothing_loses_nothing(void **state)
{
    (void)state;
    ask("7 vif3.0 65535 -");
    frames_pass(2);
    ask("7 vif3.0 65535 -");
    frames_pass(1);
    assert_int_equal(frames_read(), 3);
    counted(7, 3, 0);
}

static void what_is_damaged_begins_anew(void **state)
{
    (void)state;
    ask("7 vif3.0 65535 -");
    frames_pass(2);
    assert_int_equal(frames_read(), 2);
    control->prod++;
    kernel_start();
    assert_int_equal(control->prod, control->cons);
    assert_int_equal(control->nr_seen, 0);
    frames_pass(1);
    assert_int_equal(frames_read(), 1);
    control->magic++;
    kernel_start();
    assert_int_equal(control->magic, FERRY_CAPTURE_MAGIC);
    assert_int_equal(control->nr_seen, 0);
}

static void another_request_begins_anew(void **state)
{
    (void)state;
    ask("7 vif3.0 65535 -");
    frames_pass(4);
    ask("8 nic0 65535 -");
    assert_int_equal(control->id, 8);
    frames_pass(4);
    counted(7, 0, 0); /* the first one's reader takes nothing of it for its own */
    counted(8, 0, 0);
    assert_int_equal(control->nr_seen, 0);
}

static void a_request_that_makes_no_sense_ends_the_one_that_runs(void **state)
{
    (void)state;
    ask("7 vif3.0 65535 -");
    frames_pass(4);
    ask("8 vif3.0 many -");
    assert_false(capture_runs);
    assert_int_equal(control->id, 0);
    assert_string_not_equal(control->why, "");
    counted(7, 4, 0);
}

static void counters_that_went_back_are_added_up(void **state)
{
    (void)state;
    ask("7 vif3.0 65535 -");
    control->nr_seen = 50;
    control->nr_missed = 20;
    counted(7, 50, 20);
    control->nr_seen = 10; /* as of a kernel that does not go on with them */
    control->nr_missed = 1;
    counted(7, 60, 21);
    control->id = 3;
    control->nr_seen = 1000000;
    counted(7, 60, 21);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(what_passes_is_read_and_counted),
        TEST(a_stopped_readers_misses_are_told),
        TEST(a_reader_that_beats_is_waited_for),
        TEST(a_restarted_kernel_goes_on),
        TEST(a_watch_that_fires_for_nothing_loses_nothing),
        TEST(what_is_damaged_begins_anew),
        TEST(another_request_begins_anew),
        TEST(a_request_that_makes_no_sense_ends_the_one_that_runs),
        TEST(counters_that_went_back_are_added_up),
    };

    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
