/* SPDX-License-Identifier: BSD-2-Clause */
/* What the metrics say of a domain that the journal describes, and of its heartbeat. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal/journal.h"
#include "recover/stats.h"
#include "supervise/beats.h"
#include "supervise/metrics_text.h"
#include "xen/domain.h"
#include "xen/guest.h"

static struct journal journal;
static int64_t now_ms;
static bool domain_runs, is_absent;
static int load_err, each_err;
static char *text;
static struct ferry_stats stats; /* version 0: there are none */

/* Fakes: one domain. */
int journal_load(const char *name, struct journal *journal_r)
{
    assert_string_equal(name, journal.name);
    if (!load_err)
        *journal_r = journal;
    return load_err;
}

int journal_each(void (*found)(void *ctx, const char *name), void *ctx)
{
    if (!each_err && !is_absent)
        found(ctx, journal.name);
    return each_err;
}

int domain_look(struct host *host, const struct journal *asked, struct domain_seen *seen_r)
{
    (void)host;
    (void)asked;
    *seen_r = (struct domain_seen){ .exists = domain_runs, .is_ours = domain_runs };
    return 0;
}

int stats_read(struct host *host, const struct journal *asked, struct ferry_stats *stats_r)
{
    (void)host;
    (void)asked;
    *stats_r = stats;
    return stats.version ? 0 : -ESRCH;
}

void guest_name(struct host *host, uint16_t domid, char name[GUEST_NAME_SIZE])
{
    (void)host;
    snprintf(name, GUEST_NAME_SIZE, "guest%u", domid);
}

int64_t host_ticks_ms(void)
{
    return now_ms;
}

static int start(void **state)
{
    (void)state;
    memset(&journal, 0, sizeof(journal));
    memset(&stats, 0, sizeof(stats));
    strcpy(journal.name, "domnet");
    strcpy(journal.uuid, "1");
    strcpy(journal.kernel, "/usr/lib/ferry/ferry-net");
    is_absent = false;
    load_err = each_err = 0;
    metrics_text_begin(NULL);
    domain_runs = true;
    now_ms = 100000;
    return beats_init();
}

static int end(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static void expect_line(const char *line)
{
    char *at = strstr(text, line);

    if (!at || (at > text && at[-1] != '\n') || at[strlen(line)] != '\n')
        fail_msg("no line %s in:\n%s", line, text);
}

static void ask(bool openmetrics)
{
    size_t len;

    free(text);
    text = metrics_text(NULL, openmetrics, &len);
    assert_non_null(text);
    assert_int_equal(strlen(text), len);
}

static void the_version_and_the_image_are_told(void **state)
{
    (void)state;
    ask(false);
    expect_line("# TYPE ferry_domain_info gauge");
    expect_line("ferry_domain_info{domain=\"domnet\",version=\"1.2.3\","
                "image=\"/usr/lib/ferry/ferry-net\"} 1");
    ask(true);
    expect_line("# TYPE ferry_domain info");
    expect_line("ferry_domain_info{domain=\"domnet\",version=\"1.2.3\","
                "image=\"/usr/lib/ferry/ferry-net\"} 1");
}

static void a_path_may_hold_anything(void **state)
{
    (void)state;
    strcpy(journal.kernel, "/a\"b\377\033");
    ask(false);
    expect_line("ferry_domain_info{domain=\"domnet\",version=\"1.2.3\",image=\"/a\\\"b\?\?\"} 1");
}

#define DEGRADED(reason, value)                                                                    \
    expect_line("ferry_domain_degraded{domain=\"domnet\",reason=\"" reason "\"} " value)

static void a_domain_that_is_well_is_not_degraded(void **state)
{
    (void)state;
    journal.tries = 1; /* of a recovery that is over */
    ask(false);
    expect_line("ferry_domain_up{domain=\"domnet\"} 1");
    DEGRADED("given-up", "0");
    DEGRADED("recovering", "0");
    DEGRADED("recovery-failed", "0");
    DEGRADED("no-image", "0");
}

static void each_reason_is_told(void **state)
{
    (void)state;
    journal.recovering = true;
    ask(false);
    expect_line("ferry_domain_up{domain=\"domnet\"} 0");
    DEGRADED("recovering", "1");
    DEGRADED("recovery-failed", "0");
    journal.tries = 2;
    ask(false);
    DEGRADED("recovering", "1");
    DEGRADED("recovery-failed", "1");
    journal.recovering = false;
    journal.wish = JOURNAL_GIVEN_UP;
    domain_runs = false;
    ask(false);
    DEGRADED("given-up", "1");
    DEGRADED("recovering", "0");
    journal.wish = JOURNAL_STOP; /* that is nothing wrong */
    journal.kernel[0] = '\0';
    ask(false);
    DEGRADED("given-up", "0");
    DEGRADED("no-image", "1");
}

#define AGE "ferry_domain_heartbeat_age_seconds{domain=\"domnet\"} "

static void a_heartbeat_ages_until_it_goes_on(void **state)
{
    (void)state;
    ask(false);
    assert_null(strstr(text, AGE));
    beats_note("domnet", 7, now_ms);
    ask(false);
    expect_line(AGE "0");
    now_ms += 1500;
    beats_note("domnet", 7, now_ms);
    ask(false);
    expect_line(AGE "1.5");
    beats_note("domnet", 8, now_ms);
    ask(false);
    expect_line(AGE "0");
    now_ms += 60000; /* dead: nobody looks at its counter */
    domain_runs = false;
    ask(false);
    expect_line(AGE "60");
    beats_note("domnet", 1, now_ms); /* another start, which counts anew */
    ask(false);
    expect_line(AGE "0");
    beats_forget("domnet");
    ask(false);
    assert_null(strstr(text, AGE));
}

static void another_process_notes_it(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        beats_note("domnet", 7, now_ms - 250);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ask(false);
    expect_line(AGE "0.25");
}

static void domains_do_not_take_each_others_places(void **state)
{
    char name[16];

    (void)state;
    for (unsigned int i = 0; i < BEATS_MAX; i++) {
        snprintf(name, sizeof(name), "dom%u", i);
        beats_note(name, 1, now_ms - i);
    }
    beats_note("more", 1, now_ms);
    assert_int_equal(beats_age_ms("more", now_ms), -1);
    assert_int_equal(beats_age_ms("dom0", now_ms), 0);
    assert_int_equal(beats_age_ms("dom31", now_ms), 31);
    beats_forget("dom5");
    beats_note("more", 1, now_ms);
    assert_int_equal(beats_age_ms("more", now_ms), 0);
    assert_int_equal(beats_age_ms("dom5", now_ms), -1);
    assert_int_equal(beats_age_ms("dom6", now_ms), 6);
    assert_int_equal(beats_age_ms("dom6", 0), 0); /* a clock that went back */
}

/* A NIC and a vif with two queues, in a bridge. */
static void stats_make(void)
{
    stats.version = FERRY_STATS_VERSION;
    stats.nr_ports = 2;
    stats.ports[0] = (struct ferry_stats_port){ .name = "nic0", .kind = FERRY_PORT_NIC };
    stats.ports[1] = (struct ferry_stats_port){
        .name = "vif3.0", .bridge = "xenbr0", .kind = FERRY_PORT_VIF, .guest = 3
    };
    stats.more[1] =
        (struct ferry_stats_more){ .nr_copies = 21, .nr_notifications = 22, .nr_events = 23 };
    stats.more[0] = (struct ferry_stats_more){ .nr_missed = 31,
                                               .nr_no_buffers = 32,
                                               .nr_in_errors = 33,
                                               .nr_out_errors = 34,
                                               .in_filled = FERRY_STATS_UNKNOWN,
                                               .in_ring = 512,
                                               .out_used = 5,
                                               .out_ring = 256,
                                               .flags = FERRY_MORE_ERRORS };
    stats.nr_queues = 2;
    stats.queues[0] = (struct ferry_stats_queue){ .port = 1, .in_frames = 5 };
    stats.queues[1] = (struct ferry_stats_queue){ 1, 1, 0, 9, 1, 2, 3, 4 };
    stats.nr_bridges = 1;
    stats.bridges[0] = (struct ferry_stats_bridge){ "xenbr0", 2, 7, 100, 10, { 0 } };
    stats.bridges[0].drops[FERRY_BRIDGE_DROP_SAME_PORT] = 6;
    stats.queues_more[1] = (struct ferry_stats_queue_more){ 41, 42, 43, { 44, 45 } };
    stats.bridges_bytes[0] = (struct ferry_stats_bridge_bytes){ 6400, 640, { 0 } };
    stats.bridges_bytes[0].drops[FERRY_BRIDGE_DROP_SAME_PORT] = 384;
}

#define VIF "domain=\"domnet\",port=\"vif3.0\",guest=\"guest3\""
#define BRIDGE "domain=\"domnet\",bridge=\"xenbr0\""

static void queues_vifs_and_bridges_are_told(void **state)
{
    (void)state;
    stats_make();
    ask(true);
    expect_line("# TYPE ferry_queue_frames counter");
    expect_line("ferry_queue_frames_total{" VIF ",queue=\"0\",direction=\"in\"} 5");
    expect_line("ferry_queue_frames_total{" VIF ",queue=\"1\",direction=\"in\"} 1");
    expect_line("ferry_queue_frames_total{" VIF ",queue=\"1\",direction=\"out\"} 3");
    expect_line("ferry_queue_bytes_total{" VIF ",queue=\"1\",direction=\"in\"} 2");
    expect_line("ferry_queue_bytes_total{" VIF ",queue=\"1\",direction=\"out\"} 4");
    expect_line("ferry_queue_waiting_frames{" VIF ",queue=\"1\"} 9");
    expect_line("ferry_vif_grant_copies_total{" VIF ",bridge=\"xenbr0\"} 21");
    expect_line("ferry_vif_notifications_total{" VIF ",bridge=\"xenbr0\"} 22");
    expect_line("ferry_vif_events_total{" VIF ",bridge=\"xenbr0\"} 23");
    assert_null(strstr(text, "ferry_vif_events_total{domain=\"domnet\",port=\"nic0\""));
    expect_line("ferry_bridge_frames_total{" BRIDGE ",way=\"forwarded\"} 100");
    expect_line("ferry_bridge_frames_total{" BRIDGE ",way=\"flooded\"} 10");
    expect_line("ferry_bridge_drops_total{" BRIDGE ",reason=\"same-port\"} 6");
    expect_line("ferry_bridge_stations{" BRIDGE "} 7");
    expect_line("ferry_bridge_ports{" BRIDGE "} 2");
}

static void parts_of_queues_and_bridges_are_told(void **state)
{
    (void)state;
    stats_make();
    ask(true);
    expect_line("# TYPE ferry_queue_grant_copies counter");
    expect_line("ferry_queue_grant_copies_total{" VIF ",queue=\"0\"} 0");
    expect_line("ferry_queue_grant_copies_total{" VIF ",queue=\"1\"} 41");
    expect_line("ferry_queue_notifications_total{" VIF ",queue=\"1\"} 42");
    expect_line("ferry_queue_events_total{" VIF ",queue=\"1\"} 43");
    expect_line("ferry_queue_drops_total{" VIF ",queue=\"1\",reason=\"bad\"} 44");
    expect_line("ferry_queue_drops_total{" VIF ",queue=\"1\",reason=\"full\"} 45");
    assert_null(strstr(text, "ferry_queue_drops_total{" VIF ",queue=\"1\",reason=\"vlan\""));
    expect_line("# TYPE ferry_bridge_bytes counter");
    expect_line("ferry_bridge_bytes_total{" BRIDGE ",way=\"forwarded\"} 6400");
    expect_line("ferry_bridge_bytes_total{" BRIDGE ",way=\"flooded\"} 640");
    expect_line("ferry_bridge_dropped_bytes_total{" BRIDGE ",reason=\"same-port\"} 384");
    expect_line("ferry_bridge_dropped_bytes_total{" BRIDGE ",reason=\"nobody\"} 0");
    stats.version = 2; /* of an older kernel, that does not count them */
    ask(true);
    expect_line("ferry_queue_frames_total{" VIF ",queue=\"1\",direction=\"in\"} 1");
    expect_line("ferry_bridge_frames_total{" BRIDGE ",way=\"flooded\"} 10");
    assert_null(strstr(text, "ferry_queue_grant_copies_total{"));
    assert_null(strstr(text, "ferry_queue_notifications_total{"));
    assert_null(strstr(text, "ferry_queue_events_total{"));
    assert_null(strstr(text, "ferry_queue_drops_total{"));
    assert_null(strstr(text, "ferry_bridge_bytes_total{"));
    assert_null(strstr(text, "ferry_bridge_dropped_bytes_total{"));
}

static void what_nics_tell_is_told(void **state)
{
#define NIC "domain=\"domnet\",port=\"nic0\""
    (void)state;
    stats_make();
    ask(false);
    expect_line("# TYPE ferry_nic_missed_frames_total counter");
    expect_line("ferry_nic_missed_frames_total{" NIC "} 31");
    expect_line("ferry_nic_no_buffers_total{" NIC "} 32");
    expect_line("ferry_nic_errors_total{" NIC ",direction=\"in\"} 33");
    expect_line("ferry_nic_errors_total{" NIC ",direction=\"out\"} 34");
    expect_line("ferry_nic_ring_descriptors{" NIC ",ring=\"receive\"} 512");
    expect_line("ferry_nic_ring_descriptors{" NIC ",ring=\"transmit\"} 256");
    expect_line("ferry_nic_ring_used{" NIC ",ring=\"transmit\"} 5");
    assert_null(strstr(text, "ferry_nic_ring_used{" NIC ",ring=\"receive\""));
    stats.more[0].flags = 0; /* nobody tells */
    ask(false);
    assert_null(strstr(text, "ferry_nic_missed_frames_total{"));
    assert_null(strstr(text, "ferry_nic_errors_total{"));
}

static void latencies_are_histograms(void **state)
{
    (void)state;
    stats_make();
    stats.latencies[FERRY_LATENCY_QUEUED].nr = 3;
    stats.latencies[FERRY_LATENCY_QUEUED].sum_ns = 2000000000;
    stats.latencies[FERRY_LATENCY_QUEUED].buckets[0] = 1;
    stats.latencies[FERRY_LATENCY_QUEUED].buckets[FERRY_STATS_BUCKETS - 1] = 2;
    ask(true);
    expect_line("# TYPE ferry_vif_queue_seconds histogram");
    expect_line("ferry_vif_queue_seconds_bucket{domain=\"domnet\",le=\"2.56e-07\"} 1");
    expect_line("ferry_vif_queue_seconds_bucket{domain=\"domnet\",le=\"+Inf\"} 3");
    expect_line("ferry_vif_queue_seconds_sum{domain=\"domnet\"} 2");
    expect_line("ferry_vif_service_seconds_count{domain=\"domnet\"} 0");
}

static void an_older_kernel_is_told_without_them(void **state)
{
    (void)state;
    stats_make();
    stats.version = 1;
    ask(false);
    assert_non_null(strstr(text, "ferry_port_frames_total{" VIF));
    assert_null(strstr(text, "ferry_queue_frames_total{"));
    assert_null(strstr(text, "ferry_bridge_frames_total{"));
}

static void die(unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        struct journal_death *death;

        journal_death_add(&journal, 1, 500, "crash");
        death = journal_death_last(&journal);
        death->depth = 1;
        death->back_us = 2000;
        death->back_ms = 2;
    }
}

#define CRASHES "ferry_recoveries_total{domain=\"domnet\",depth=\"1\",cause=\"crash\"} "

/* Where a series begins with its first death nobody sees it grow. */
static void recoveries_begin_with_zeros(void **state)
{
    (void)state;
    ask(false);
    expect_line(CRASHES "0");
    expect_line("ferry_recoveries_total{domain=\"domnet\",depth=\"none\",cause=\"other\"} 0");
    expect_line("ferry_recovery_seconds_count{domain=\"domnet\",depth=\"3\"} 0");
    die(1);
    ask(false);
    expect_line(CRASHES "1");
    expect_line("ferry_recovery_seconds_count{domain=\"domnet\",depth=\"1\"} 1");
}

/* ferryd, or its process for metrics, begins anew. */
static void old_deaths_are_not_counted_again(void **state)
{
    (void)state;
    die(40);
    metrics_text_begin(NULL);
    ask(false);
    expect_line(CRASHES "0");
    expect_line("ferry_domain_deaths_total{domain=\"domnet\"} 40");
    die(1);
    ask(false);
    expect_line(CRASHES "1");
}

static void one_that_is_started_later_is_counted_from_its_first_death_on(void **state)
{
    (void)state;
    is_absent = true;
    metrics_text_begin(NULL);
    is_absent = false;
    die(2); /* before anybody asked */
    ask(false);
    expect_line(CRASHES "2");
}

static void what_could_not_be_read_is_not_new_when_it_can(void **state)
{
    (void)state;
    die(5);
    load_err = -EIO;
    metrics_text_begin(NULL);
    ask(false);
    load_err = 0;
    ask(false);
    expect_line(CRASHES "0");
    each_err = -EIO; /* none is seen */
    metrics_text_begin(NULL);
    each_err = 0;
    ask(false);
    expect_line(CRASHES "0");
    die(1);
    ask(false);
    load_err = -EIO; /* what was counted is kept */
    ask(false);
    assert_null(strstr(text, CRASHES));
    load_err = 0;
    each_err = -EIO;
    ask(false);
    each_err = 0;
    die(1);
    ask(false);
    expect_line(CRASHES "2");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(the_version_and_the_image_are_told),
        TEST(a_path_may_hold_anything),
        TEST(a_domain_that_is_well_is_not_degraded),
        TEST(each_reason_is_told),
        TEST(a_heartbeat_ages_until_it_goes_on),
        TEST(another_process_notes_it),
        TEST(domains_do_not_take_each_others_places),
        TEST(queues_vifs_and_bridges_are_told),
        TEST(parts_of_queues_and_bridges_are_told),
        TEST(what_nics_tell_is_told),
        TEST(latencies_are_histograms),
        TEST(an_older_kernel_is_told_without_them),
        TEST(recoveries_begin_with_zeros),
        TEST(old_deaths_are_not_counted_again),
        TEST(one_that_is_started_later_is_counted_from_its_first_death_on),
        TEST(what_could_not_be_read_is_not_new_when_it_can),
    };

    return cmocka_run_group_tests_name("control_metrics_text", tests, NULL, NULL);
}
