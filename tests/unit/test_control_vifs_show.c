/* SPDX-License-Identifier: BSD-2-Clause */
/* What `ferry vifs` shows of queues and bridges, of kernels of each version of the statistics pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/command.h"
#include "cli/observe.h"
#include "util/log.h"
#include "xen/statspages.h"

static struct ferry_stats stats;
static struct journal journal;
static char shown[16384]; /* what was written to standard output, then what to standard error */
static bool failed;

/* Fakes: one domain. */
int observe_all(const char *only, bool as_json,
                void (*show)(struct observe *observe, const struct journal *journal,
                             const struct ferry_stats *stats))
{
    struct observe observe = { .show = show, .only = only };
    struct json json;

    if (as_json) {
        json_begin(&json);
        observe.json = &json;
    }
    show(&observe, &journal, &stats);
    if (as_json)
        json_print(&json);
    failed = observe.failed;
    return 0;
}

void observe_kernel_tell(const struct journal *journal, const char *lacks)
{
    log_line("%s: its kernel %s: `ferry upgrade %s --kernel IMAGE`", journal->name, lacks,
             journal->name);
}

void observe_mac(const uint8_t mac[6], char text[OBSERVE_MAC_SIZE])
{
    snprintf(text, OBSERVE_MAC_SIZE, "mac%u", mac[5]);
}

void guest_name(struct host *host, uint16_t domid, char name[GUEST_NAME_SIZE])
{
    (void)host;
    snprintf(name, GUEST_NAME_SIZE, "guest%u", domid);
}

int command_help(void)
{
    return EXIT_OK;
}

int command_usage(void)
{
    return EXIT_USAGE;
}

static int start(void **state)
{
    (void)state;
    memset(&stats, 0, sizeof(stats));
    strcpy(journal.name, "domnet");
    stats.version = FERRY_STATS_VERSION;
    stats.nr_ports = 1;
    stats.ports[0] = (struct ferry_stats_port){
        .name = "vif3.0", .bridge = "xenbr0", .kind = FERRY_PORT_VIF, .guest = 3
    };
    stats.nr_queues = 2;
    stats.queues[1] = (struct ferry_stats_queue){ 0, 1, 0, 9, 11, 12, 13, 14 };
    stats.queues_more[1] = (struct ferry_stats_queue_more){ 15, 16, 17, { 18, 1900 } };
    stats.nr_bridges = 1;
    stats.bridges[0] = (struct ferry_stats_bridge){ "xenbr0", 2, 7, 21, 22, { 0 } };
    stats.bridges[0].drops[FERRY_BRIDGE_DROP_STORM] = 23;
    stats.bridges_bytes[0] = (struct ferry_stats_bridge_bytes){ 2400, 2500, { 0 } };
    stats.bridges_bytes[0].drops[FERRY_BRIDGE_DROP_STORM] = 2600;
    stats.bridges_bytes[0].drops[FERRY_BRIDGE_DROP_BAD] = 27;
    return 0;
}

static void run(const char *option)
{
    char *words[] = { "vifs", (char *)option, NULL };
    FILE *files[2] = { tmpfile(), tmpfile() };
    int kept[2];
    size_t len = 0;

    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        assert_non_null(files[i]);
        kept[i] = dup(i + 1);
        assert_true(kept[i] >= 0 && dup2(fileno(files[i]), i + 1) >= 0);
    }
    optind = 1;
    (void)command_vifs(2, words);
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], i + 1);
        close(kept[i]);
        rewind(files[i]);
        len += fread(shown + len, 1, sizeof(shown) - 1 - len, files[i]);
        fclose(files[i]);
    }
    shown[len] = '\0';
}

/* The words of a line, whatever is between them. */
static void expect_line(const char *wanted)
{
    char copy[sizeof(shown)], *rest, *line;

    strcpy(copy, shown);
    for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char joined[512] = "", *words;

        for (char *word = strtok_r(line, " ", &words); word; word = strtok_r(NULL, " ", &words))
            snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s%s",
                     *joined ? " " : "", word);
        if (strcmp(joined, wanted) == 0)
            return;
    }
    fail_msg("no line \"%s\" in:\n%s", wanted, shown);
}

static void expect(const char *wanted)
{
    if (!strstr(shown, wanted))
        fail_msg("no %s in:\n%s", wanted, shown);
}

static void expect_none(const char *unwanted)
{
    if (strstr(shown, unwanted))
        fail_msg("%s in:\n%s", unwanted, shown);
}

static void queues_have_all_that_is_theirs(void **state)
{
    (void)state;
    run("--queues");
    expect_line("port guest queue waiting in bytes out bytes copies notified events dropped why");
    expect_line("vif3.0 guest3 0 0 0 0 0 0 0 0 0 0");
    expect_line("vif3.0 guest3 1 9 11 12 13 14 15 16 17 1918 bad 18, full 1900");
    expect_none("older");
}

static void bridges_have_bytes(void **state)
{
    (void)state;
    run("--bridges");
    expect_line("bridge ports stations forwarded bytes flooded bytes dropped bytes why");
    expect_line("xenbr0 2 7 21 2400 22 2500 23 2627 storm 23");
    expect_none("older");
}

static void json_has_them_too(void **state)
{
    (void)state;
    run("--json");
    expect("\"copies\": 15");
    expect("\"notifications\": 16");
    expect("\"events\": 17");
    expect("\"bad\": 18");
    expect("\"full\": 1900");
    expect("\"forwarded_bytes\": 2400");
    expect("\"flooded_bytes\": 2500");
    expect("\"drop_bytes\": {");
    expect("\"storm\": 2600");
    expect("\"storm\": 23");
}

static void a_kernel_of_version_2_shows_the_rest_and_says_what_it_lacks(void **state)
{
    (void)state;
    stats.version = 2;
    memset(stats.queues_more, 0, sizeof(stats.queues_more));
    memset(stats.bridges_bytes, 0, sizeof(stats.bridges_bytes));
    run("--queues");
    expect_line("vif3.0 guest3 1 9 11 12 13 14 - - - -");
    expect("older than these tools and counts no copies, notifications and drops of a queue");
    expect("`ferry upgrade domnet --kernel IMAGE`");
    assert_false(failed);
    run("--bridges");
    expect_line("xenbr0 2 7 21 - 22 - 23 - storm 23");
    expect("older than these tools and counts no bytes of a bridge: `ferry upgrade domnet --kernel "
           "IMAGE`");
    assert_false(failed);
    run("--json");
    expect("\"each_queue\"");
    expect("\"forwarded\": 21");
    expect_none("forwarded_bytes");
    expect_none("drop_bytes");
}

static void a_kernel_of_version_1_shows_neither_and_says_so(void **state)
{
    (void)state;
    stats.version = 1;
    run("--queues");
    expect("counts no queues and no bridges");
    assert_true(failed);
    run("--bridges");
    expect("counts no queues and no bridges");
    assert_true(failed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(queues_have_all_that_is_theirs),
        TEST(bridges_have_bytes),
        TEST(json_has_them_too),
        TEST(a_kernel_of_version_2_shows_the_rest_and_says_what_it_lacks),
        TEST(a_kernel_of_version_1_shows_neither_and_says_so),
    };

    return cmocka_run_group_tests_name("control_vifs_show", tests, NULL, NULL);
}
