/* SPDX-License-Identifier: BSD-2-Clause */
/* When a domain hangs, how deep a recovery goes, and what is made of a status page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "recover/depth.h"
#include "util/log.h"
#include "xen/heartbeat.h"
#include "xen/statuspage.h"

#define MS 1000000ull
#define LOOK_MS 20

/* Look until it hangs, at most so many times. Returns the time that took, or -1. */
static int64_t hangs_after(struct heartbeat *beat, struct heartbeat_look look, int64_t step_ms,
                           uint64_t cpu_step_ns, unsigned int looks)
{
    for (unsigned int i = 0; i < looks; i++) {
        if (heartbeat_hangs(beat, &look))
            return look.now_ms;
        look.now_ms += step_ms;
        look.cpu_ns += cpu_step_ns;
    }
    return -1;
}

static void an_endless_loop_is_found_in_time(void **state)
{
    struct heartbeat beat = { 0 };

    (void)state;
    assert_int_equal(
        hangs_after(&beat, (struct heartbeat_look){ .beat = 5 }, LOOK_MS, LOOK_MS * MS, 100),
        BEAT_CPU_LIMIT_MS);
}

static void a_beat_is_no_hang(void **state)
{
    struct heartbeat beat = { 0 };
    struct heartbeat_look look = { 0 };

    (void)state;
    for (unsigned int i = 0; i < 1000; i++) {
        look.now_ms += LOOK_MS;
        look.cpu_ns += LOOK_MS * MS;
        look.beat += i % 3 == 0;
        assert_false(heartbeat_hangs(&beat, &look));
    }
}

static void a_starved_domain_does_not_hang(void **state)
{
    struct heartbeat beat = { 0 };

    (void)state;
    assert_int_equal(hangs_after(&beat, (struct heartbeat_look){ .beat = 5 }, LOOK_MS, 0, 10000),
                     -1);
}

static void a_paused_domain_does_not_hang(void **state)
{
    struct heartbeat beat = { 0 };
    struct heartbeat_look look = { .paused = true, .asleep = true };

    (void)state;
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, 0, 10000), -1);
    /* Nor does one that was let go just now. */
    look.paused = false;
    look.cpu_ns = 1000 * MS;
    look.now_ms = 200000;
    assert_false(heartbeat_hangs(&beat, &look));
}

static void sleep_may_last_as_long_as_it_may(void **state)
{
    struct heartbeat beat = { 0 };
    struct heartbeat_look look = { .asleep = true };

    (void)state;
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, 0, 2200 / LOOK_MS), -1);
    look.beat++;
    heartbeat_reset(&beat);
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, 0, 10000), BEAT_SLEEP_LIMIT_MS);
}

/* A ferryd that got no processor for seconds saw nothing in them. */
static void who_looks_late_learns_little(void **state)
{
    struct heartbeat beat = { 0 };
    struct heartbeat_look look = { .asleep = true };

    (void)state;
    assert_int_equal(hangs_after(&beat, look, 5000, 5000 * MS, 2), -1);
}

static void a_slow_phase_has_more_time(void **state)
{
    struct heartbeat beat = { 0 };
    struct heartbeat_look look = { .slow = true };

    (void)state;
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, LOOK_MS * MS, 1000), BEAT_CPU_LIMIT_SLOW_MS);
}

/* A kernel that is started again beats for the first time in its loop. */
static void what_a_start_took_does_not_count_in_the_loop(void **state)
{
    struct heartbeat beat = { 0 };
    struct heartbeat_look look = { .slow = true };

    (void)state;
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, LOOK_MS * MS, 60), -1);
    look.slow = false;
    look.now_ms = 60 * LOOK_MS;
    look.cpu_ns = 60 * LOOK_MS * MS;
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, LOOK_MS * MS, 100),
                     60 * LOOK_MS + BEAT_CPU_LIMIT_MS);
}

/* One that stood for 60 ms of processor time, and went on. */
static struct heartbeat stood_for_60_ms(struct heartbeat_look *look)
{
    struct heartbeat beat = { 0 };

    for (unsigned int i = 0; i < 5; i++) {
        assert_false(heartbeat_hangs(&beat, look));
        look->now_ms += LOOK_MS;
        look->cpu_ns += LOOK_MS * MS;
        look->beat += i == 3;
    }
    return beat;
}

static void who_stood_and_went_on_may_stand_longer(void **state)
{
    struct heartbeat_look look = { 0 };
    struct heartbeat beat = stood_for_60_ms(&look);
    int64_t start_ms = look.now_ms - LOOK_MS;

    (void)state;
    heartbeat_reset(&beat); /* a reload: the machine is the same */
    look.beat++;
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, LOOK_MS * MS, 100) - start_ms - LOOK_MS,
                     60 * BEAT_STOOD_FACTOR);
}

static void that_is_forgotten_in_time(void **state)
{
    struct heartbeat_look look = { 0 };
    struct heartbeat beat = stood_for_60_ms(&look);

    (void)state;
    for (unsigned int i = 0; i < 2 * BEAT_STOOD_MS / LOOK_MS; i++) {
        look.beat++;
        look.now_ms += LOOK_MS;
        assert_false(heartbeat_hangs(&beat, &look));
    }
    heartbeat_reset(&beat);
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, LOOK_MS * MS, 100) - look.now_ms,
                     BEAT_CPU_LIMIT_MS);
}

/* However it behaves: no domain talks itself out of being found. */
static void no_limit_grows_beyond_the_slow_one(void **state)
{
    struct heartbeat_look look = { 0 };
    struct heartbeat beat = { .stood_ns = INT64_MAX / 8, .stood_since_ms = 0 };

    (void)state;
    assert_int_equal(hangs_after(&beat, look, LOOK_MS, LOOK_MS * MS, 1000), BEAT_CPU_LIMIT_SLOW_MS);
}

/* Its processor may come to run it only after somebody has looked. */
static void the_words_of_a_kernel_that_hung_are_not_its_successors(void **state)
{
    struct ferry_status status = { .phase = FERRY_PHASE_READY, .generation = 4 };

    (void)state;
    assert_false(statuspage_is_ready(&status, 4));
    assert_false(statuspage_serves(&status, 4));
    status.generation = 5;
    assert_true(statuspage_is_ready(&status, 4));
    assert_true(statuspage_serves(&status, 4));
    status.phase = FERRY_PHASE_SERVING;
    assert_false(statuspage_is_ready(&status, 4));
    assert_true(statuspage_serves(&status, 4));
    status.phase = FERRY_PHASE_BOOTING;
    assert_false(statuspage_serves(&status, 4));
}

static struct journal died(const char *reason)
{
    struct journal journal = { .nr_deaths = 1 };

    journal.deaths[0] =
        (struct journal_death){ .ticks_ms = 100000, .back_ms = -1, .cause = "crash" };
    snprintf(journal.deaths[0].reason, sizeof(journal.deaths[0].reason), "%s", reason);
    return journal;
}

/* One more death, so many ms after the last one was over, which was recovered from in place. */
static void dies_again(struct journal *journal, int64_t later_ms, bool reset_nic,
                       const char *reason)
{
    struct journal_death *last = &journal->deaths[journal->nr_deaths - 1];

    last->depth = 2;
    last->reset_nic = reset_nic;
    last->back_ms = 20;
    journal->deaths[journal->nr_deaths] = (struct journal_death){
        .ticks_ms = last->ticks_ms + last->back_ms + later_ms, .back_ms = -1, .cause = "crash"
    };
    snprintf(journal->deaths[journal->nr_deaths].reason, JOURNAL_REASON_SIZE, "%s", reason);
    journal->nr_deaths++;
}

static const struct depth_seen well = { .can_reload = true };

static void the_same_death_soon_goes_deeper(void **state)
{
    struct journal journal = died("page fault: write of 0000 at x+0x12");

    (void)state;
    assert_int_equal(depth_choose(&journal, &well), DEPTH_RELOAD);
    dies_again(&journal, 500, false, "page fault: write of 0040 at x+0x12");
    assert_int_equal(depth_choose(&journal, &well), DEPTH_RELOAD_RESET);
    dies_again(&journal, 500, true, "page fault: write of 0080 at x+0x12");
    assert_int_equal(depth_choose(&journal, &well), DEPTH_REBUILD);
    dies_again(&journal, DEPTH_SOON_MS + 1, true, "page fault: write of 0080 at x+0x12");
    assert_int_equal(depth_choose(&journal, &well), DEPTH_RELOAD);
}

/* The clock may be set meanwhile, an hour back or forward; the machine may have been booted. */
static void what_is_soon_does_not_hang_on_the_clock(void **state)
{
    static const int64_t set_ms[] = { -3600000, 3600000 };

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        struct journal journal = died("invariant: fdb.c:12");

        journal.deaths[0].at_ms = 1795710000000;
        dies_again(&journal, 500, false, "invariant: fdb.c:12");
        journal.deaths[1].at_ms = journal.deaths[0].at_ms + set_ms[i];
        assert_int_equal(depth_choose(&journal, &well), DEPTH_RELOAD_RESET);
        dies_again(&journal, DEPTH_SOON_MS + 1, false, "invariant: fdb.c:12");
        journal.deaths[2].at_ms = journal.deaths[1].at_ms;
        assert_int_equal(depth_choose(&journal, &well), DEPTH_RELOAD);
        journal.nr_deaths--;
        journal.deaths[0].ticks_ms = -1;
        assert_int_equal(depth_choose(&journal, &well), DEPTH_RELOAD);
    }
}

static void another_death_does_not(void **state)
{
    struct journal journal = died("page fault: write of 0000");

    (void)state;
    dies_again(&journal, 500, false, "invariant: fdb.c:12");
    assert_int_equal(depth_choose(&journal, &well), DEPTH_RELOAD);
    snprintf(journal.deaths[1].cause, JOURNAL_WORD_SIZE, "hang");
    snprintf(journal.deaths[1].reason, JOURNAL_REASON_SIZE, "%s", journal.deaths[0].reason);
    assert_int_equal(depth_choose(&journal, &well), DEPTH_RELOAD);
}

static void what_failed_is_not_tried_again(void **state)
{
    struct journal journal = died("");
    struct depth_seen seen = well;

    (void)state;
    seen.tries = 1;
    assert_int_equal(depth_choose(&journal, &seen), DEPTH_RELOAD_RESET);
    seen.tries = 2;
    assert_int_equal(depth_choose(&journal, &seen), DEPTH_REBUILD);
    seen.tries = 1000;
    assert_int_equal(depth_choose(&journal, &seen), DEPTH_REBUILD);
}

static void without_the_means_it_is_rebuilt(void **state)
{
    struct journal journal = died("");
    struct depth_seen seen = { 0 };

    (void)state;
    assert_int_equal(depth_choose(&journal, &seen), DEPTH_REBUILD);
    seen = well;
    seen.ask_depth = 3;
    assert_int_equal(depth_choose(&journal, &seen), DEPTH_REBUILD);
    seen.ask_depth = 2;
    assert_int_equal(depth_choose(&journal, &seen), DEPTH_RELOAD);
    seen.ask_depth = 12345;
    assert_int_equal(depth_choose(&journal, &seen), DEPTH_RELOAD);
}

static void a_status_page_is_made_harmless(void **state)
{
    static union {
        struct ferry_status status;
        uint8_t bytes[4096];
    } page;
    struct ferry_status status;

    (void)state;
    memset(page.bytes, 0x1b, sizeof(page.bytes));
    assert_false(statuspage_copy(&page, &status));
    page.status.magic = FERRY_STATUS_MAGIC;
    page.status.version = FERRY_STATUS_VERSION;
    assert_true(statuspage_copy(&page, &status));
    assert_int_equal(strlen(status.reason), FERRY_STATUS_REASON_SIZE - 1);
    assert_int_equal(strspn(status.report, "?"), FERRY_STATUS_REPORT_SIZE - 1);
    strcpy(page.status.reason, "two\nlines\tand \xc3\xa4 tab");
    strcpy(page.status.report, "two\nlines");
    assert_true(statuspage_copy(&page, &status));
    assert_string_equal(status.reason, "two lines and ?? tab");
    assert_string_equal(status.report, "two\nlines");
    page.status.version = 99;
    assert_false(statuspage_copy(&page, &status));
}

static void words_exist_for_any_number(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        assert_non_null(statuspage_phase_word(i));
        assert_non_null(statuspage_nic_word(i));
        assert_non_null(statuspage_step_word(i));
    }
    assert_string_equal(statuspage_phase_word(0xffffffffu), "unknown");
    assert_string_equal(statuspage_nic_word(FERRY_NIC_KEPT), "kept");
    assert_string_equal(statuspage_step_word(FERRY_STEP_LINK), "link");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endless_loop_is_found_in_time),
        cmocka_unit_test(a_beat_is_no_hang),
        cmocka_unit_test(a_starved_domain_does_not_hang),
        cmocka_unit_test(a_paused_domain_does_not_hang),
        cmocka_unit_test(sleep_may_last_as_long_as_it_may),
        cmocka_unit_test(who_looks_late_learns_little),
        cmocka_unit_test(a_slow_phase_has_more_time),
        cmocka_unit_test(what_a_start_took_does_not_count_in_the_loop),
        cmocka_unit_test(who_stood_and_went_on_may_stand_longer),
        cmocka_unit_test(that_is_forgotten_in_time),
        cmocka_unit_test(no_limit_grows_beyond_the_slow_one),
        cmocka_unit_test(the_words_of_a_kernel_that_hung_are_not_its_successors),
        cmocka_unit_test(the_same_death_soon_goes_deeper),
        cmocka_unit_test(what_is_soon_does_not_hang_on_the_clock),
        cmocka_unit_test(another_death_does_not),
        cmocka_unit_test(what_failed_is_not_tried_again),
        cmocka_unit_test(without_the_means_it_is_rebuilt),
        cmocka_unit_test(a_status_page_is_made_harmless),
        cmocka_unit_test(words_exist_for_any_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
