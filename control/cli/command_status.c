/* SPDX-License-Identifier: BSD-2-Clause */
/* status. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/dom0_record.h"
#include "cli/journal_read.h"
#include "cli/kernel_status.h"
#include "cli/links.h"
#include "cli/observe.h"
#include "cli/status_ports.h"
#include "cli/top_rows.h"
#include "config/policies.h"
#include "config/policystore.h"
#include "journal/journal.h"
#include "journal/journal_json.h"
#include "journal/unfinished.h"
#include "recover/stats.h"
#include "util/json.h"
#include "util/log.h"
#include "util/socket.h"
#include "xen/domain.h"
#include "xen/guest.h"
#include "xen/statuspage.h"
#include "xen/vbds.h"
#include "xen/vifs.h"

/* Longer than a domain that is at work takes to write its pages again; one that does not is idle. */
#define RATE_MS (FERRY_STATS_INTERVAL_NS / 1000000 + 50)
#define READINGS_MAX 32
#define DEATHS_SHOWN 3

/* What a domain's counters were at first. */
static struct reading {
    char name[FILES_NAME_MAX + 1];
    struct ferry_stats stats;
} readings[READINGS_MAX];
static unsigned int nr_readings;

struct report {
    struct host host;
    struct json *json; /* NULL: as text */
    const char *only; /* a name, or NULL */
    bool supervised;
    bool all_deaths; /* as text: not only the last ones */
    unsigned int nr;
    bool failed; /* something is not shown, or not whole */
};

static unsigned int nr_serving(struct report *report, const struct journal *journal,
                               unsigned int *nr_r)
{
    unsigned int nr = 0;
    struct vifs vifs = { 0 };

    if (journal->domid != JOURNAL_NO_DOMID && vifs_find(&report->host, journal->domid, &vifs)) {
        log_line("%s: xenstore does not say which vifs it serves", journal->name);
        report->failed = true;
    }
    for (unsigned int i = 0; i < vifs.nr; i++)
        nr += vifs_serves(&report->host, journal->domid, &vifs.refs[i]);
    *nr_r = vifs.nr;
    return nr;
}

static unsigned int nr_disks_serving(struct report *report, const struct journal *journal,
                                     unsigned int *nr_r)
{
    unsigned int nr = 0;
    struct vbds vbds = { 0 };

    if (journal->domid != JOURNAL_NO_DOMID && vbds_find(&report->host, journal->domid, &vbds)) {
        log_line("%s: xenstore does not say which disks it serves", journal->name);
        report->failed = true;
    }
    for (unsigned int i = 0; i < vbds.nr; i++)
        nr += vbds_serves(&report->host, journal->domid, &vbds.refs[i]);
    *nr_r = vbds.nr;
    return nr;
}

static void kernel_json(struct report *report, const struct journal *journal)
{
    struct json *json = report->json;
    struct ferry_status status;

    bool is_there = kernel_status_read(&report->host, journal, &status);

    if (journal->is_linux)
        json_bool(json, "heartbeat", is_there);
    if (!is_there)
        return;
    json_string(json, "phase", statuspage_phase_word(status.phase));
    if (journal->is_linux)
        return;
    json_integer(json, "generation", status.generation);
    json_integer(json, "self_restarts", status.self_restarts);
    json_integer(json, "nic_resets", status.nic_resets);
    json_string(json, "nic", statuspage_nic_word(status.nic_fate));
    json_string(json, "nic_why", status.nic_why);
    json_string(json, "reason", status.reason);
    json_string(json, "last_port", status.last_port);
}

static void deaths_json(struct json *json, const struct journal *journal)
{
    json_array_open(json, "deaths");
    for (unsigned int i = 0; i < journal->nr_deaths; i++)
        journal_death_put(json, &journal->deaths[i]);
    json_array_close(json);
}

/* What it goes by now. Returns whether that is known. */
static bool policy_get(struct host *host, const struct journal *journal,
                       struct policyfile *policy_r)
{
    return !journal->is_linux && domain_is_there(host, journal) &&
           policystore_get(host->xs, journal->domid, policy_r) == 0;
}

static void policy_json(struct report *report, const struct journal *journal)
{
    struct policyfile policy;
    bool has_default;

    if (!policy_get(&report->host, journal, &policy))
        return;
    json_integer(report->json, "policy_vifs", policyfile_vifs(&policy, &has_default));
    json_bool(report->json, "policy_default", has_default);
    policyfile_dispose(&policy);
}

static void policy_text(struct report *report, const struct journal *journal)
{
    char words[POLICIES_WORDS_SIZE];
    struct policyfile policy;

    if (!policy_get(&report->host, journal, &policy))
        return;
    policies_words(&policy, words);
    printf("  policy: %s\n", words);
    policyfile_dispose(&policy);
}

/* Of a domain that runs, and whose kernel shows them. */
static void ports_json(struct report *report, const struct journal *journal)
{
    static struct ferry_stats stats;

    if (stats_read(&report->host, journal, &stats) == 0)
        links_json(report->json, &stats);
}

/* What a `ferry` has begun with dom0's network and not ended. Returns NULL if there is nothing, "unknown" if that cannot be read. */
static const char *unfinished_word(const char *name)
{
    enum dom0_record_what what;
    int err = dom0_record_peek(name, &what);

    if (!err)
        return dom0_record_word(what);
    return err == -ENOENT || err == -ESTALE ? NULL : "unknown";
}

static void unfinished_json(struct json *json, const char *name)
{
    if (!unfinished_word(name))
        return;
    json_string(json, "unfinished", unfinished_word(name));
    json_bool(json, "unfinished_abandoned", unfinished_is_abandoned(name));
}

static void unfinished_text(const struct report *report, const char *name)
{
    const char *word = unfinished_word(name);

    if (!word)
        return;
    if (strcmp(word, "unknown") == 0)
        printf(
            "  what dom0's network was before a `ferry` moved it cannot be read: `ferry stop %s` "
            "says more\n",
            name);
    else if (!unfinished_is_abandoned(name))
        printf("  a `ferry %s` is at work on it\n", word);
    else
        printf("  a `ferry %s` was cut short: %s, and dom0's network goes back to its card: %s "
               "`ferry stop %s`\n",
               word, strcmp(word, "stop") == 0 ? "it is done to its end" : "all of it is undone",
               report->supervised ? "by ferryd, or" : "by", name);
}

static void one_json(struct report *report, const struct journal *journal)
{
    unsigned int nr_vifs, serving = nr_serving(report, journal, &nr_vifs);
    unsigned int nr_disks, disks_serving = nr_disks_serving(report, journal, &nr_disks);
    struct json *json = report->json;

    json_map_open(json, NULL);
    json_string(json, "name", journal->name);
    json_string(json, "state", observe_state_word(&report->host, journal));
    json_integer(json, "domid", journal->domid == JOURNAL_NO_DOMID ? -1 : (int64_t)journal->domid);
    json_string(json, "wish", journal_wish_word(journal->wish));
    json_bool(json, "supervised", report->supervised);
    json_bool(json, "unisolated", journal->unisolated);
    json_bool(json, "adopted", journal->adopted);
    json_string(json, "kernel", journal->kernel);
    json_bool(json, "linux", journal->is_linux);
    if (journal->is_linux)
        json_string(json, "ramdisk", journal->ramdisk);
    kernel_json(report, journal);
    ports_json(report, journal);
    unfinished_json(json, journal->name);
    json_integer(json, "vifs", nr_vifs);
    json_integer(json, "vifs_serving", serving);
    json_integer(json, "disks", nr_disks);
    json_integer(json, "disks_serving", disks_serving);
    policy_json(report, journal);
    json_integer(json, "nr_deaths", (int64_t)journal->nr_deaths_ever);
    deaths_json(json, journal);
    json_map_close(json);
}

static void death_text(const struct journal_death *death)
{
    time_t seconds = (time_t)(death->at_ms / 1000);
    struct tm parts;
    char when[32];

    strftime(when, sizeof(when), "%F %T", localtime_r(&seconds, &parts));
    printf("  %s %s%s%s", when, death->cause, *death->reason ? ": " : "", death->reason);
    if (*death->last_port)
        printf(" (at work for %s)", death->last_port);
    if (death->back_ms < 0)
        printf(", not brought back\n");
    else
        printf(", %s at depth %u after %ld.%03ld ms%s%s\n", death->way, death->depth,
               (long)death->back_ms, (long)(death->back_us % 1000), *death->nic ? ", NIC " : "",
               death->nic);
}

static void linux_text(struct report *report, const struct journal *journal)
{
    struct ferry_status status;

    if (!domain_is_there(&report->host, journal))
        printf("  Linux\n");
    else if (kernel_status_read(&report->host, journal, &status))
        printf("  Linux; %s, with a heartbeat: a hang is seen\n",
               statuspage_phase_word(status.phase));
    else
        printf("  Linux; no heartbeat: a crash is seen, a hang is not\n");
}

static void kernel_text(struct report *report, const struct journal *journal)
{
    struct ferry_status status;

    if (journal->is_linux) {
        linux_text(report, journal);
        return;
    }
    if (!kernel_status_read(&report->host, journal, &status))
        return;
    printf("  %s; %u starts since it was built, %u of them its own, %u with a NIC reset\n",
           statuspage_phase_word(status.phase), status.generation, status.self_restarts,
           status.nic_resets);
}

static const struct reading *reading_of(const char *name)
{
    for (unsigned int i = 0; i < nr_readings; i++)
        if (strcmp(readings[i].name, name) == 0)
            return &readings[i];
    return NULL;
}

static void read_first(void *ctx, const char *name)
{
    struct report *report = ctx;
    struct reading *reading = &readings[nr_readings];
    struct journal journal;

    if (nr_readings == READINGS_MAX || (report->only && strcmp(report->only, name) != 0) ||
        journal_load(name, &journal) || journal.is_linux ||
        stats_read(&report->host, &journal, &reading->stats))
        return;
    snprintf(reading->name, sizeof(reading->name), "%s", name);
    nr_readings++;
}

/* Links, and whose interfaces it has: what works and what does not, and what goes through now. */
static void ports_text(struct report *report, const struct journal *journal)
{
    static struct top_row rows[FERRY_STATS_PORTS];
    static struct ferry_stats stats;
    const struct reading *before = reading_of(journal->name);
    bool has_rates;

    if (journal->is_linux || stats_read(&report->host, journal, &stats))
        return;
    has_rates = before && before->stats.began_ns == stats.began_ns;
    for (unsigned int i = 0; i < stats.nr_ports; i++) {
        top_row_make(has_rates ? &before->stats : &stats, &stats, i, &rows[i]);
        if (stats.ports[i].kind == FERRY_PORT_VIF)
            guest_name(&report->host, stats.ports[i].guest, rows[i].guest);
    }
    status_ports_write(stdout, journal->name, rows, stats.nr_ports, has_rates);
}

/* The last ones, unless all are asked for. */
static void deaths_text(const struct report *report, const struct journal *journal)
{
    unsigned int nr = journal->nr_deaths, first = 0;

    if (!report->all_deaths && nr > DEATHS_SHOWN)
        first = nr - DEATHS_SHOWN;
    if (journal->nr_deaths_ever > nr - first)
        printf("  %llu deaths ever, the last ones%s%s%s:\n",
               (unsigned long long)journal->nr_deaths_ever, first ? " (`ferry status " : "",
               first ? journal->name : "", first ? " --deaths` has more)" : "");
    for (unsigned int i = first; i < nr; i++)
        death_text(&journal->deaths[i]);
}

static void one_text(struct report *report, const struct journal *journal)
{
    unsigned int nr_vifs, serving = nr_serving(report, journal, &nr_vifs);
    unsigned int nr_disks, disks_serving = nr_disks_serving(report, journal, &nr_disks);

    printf("%s: %s, id %d, %u of %u vifs served, %s%s\n", journal->name,
           observe_state_word(&report->host, journal),
           journal->domid == JOURNAL_NO_DOMID ? -1 : (int)journal->domid, serving, nr_vifs,
           report->supervised ? "looked after by ferryd" : "NOT looked after: ferryd does not run",
           journal->unisolated ? ", NOT isolated (--allow-unisolated)" : "");
    unfinished_text(report, journal->name);
    kernel_text(report, journal);
    if (nr_disks && !journal->is_linux)
        printf("  %u disks of guests have it as their backend: Ferry's kernel serves none\n",
               nr_disks);
    else if (nr_disks)
        printf("  %u of %u disks served\n", disks_serving, nr_disks);
    policy_text(report, journal);
    ports_text(report, journal);
    deaths_text(report, journal);
}

static void one(void *ctx, const char *name)
{
    struct report *report = ctx;
    struct journal journal;
    int err;

    if (report->only && strcmp(report->only, name) != 0)
        return;
    err = journal_load(name, &journal);
    if (err == -ENOENT) /* just now */
        return;
    report->nr++;
    if (err) {
        journal_fault_tell(name, err);
        report->failed = true;
        return;
    }
    if (report->json)
        one_json(report, &journal);
    else
        one_text(report, &journal);
}

/* Of a domain that is not there yet, or no more. */
static void unfinished_alone(void *ctx, const char *name)
{
    struct report *report = ctx;
    struct stat is;

    if ((report->only && strcmp(report->only, name) != 0) || journal_stat(name, &is) == 0)
        return;
    if (!unfinished_word(name)) /* of before this boot */
        return;
    report->nr++;
    if (report->json) {
        json_map_open(report->json, NULL);
        json_string(report->json, "name", name);
        unfinished_json(report->json, name);
        json_map_close(report->json);
        return;
    }
    printf("%s: no domain\n", name);
    unfinished_text(report, name);
}

static int status(struct report *report, bool as_json)
{
    struct json json;
    char *text;
    int err;

    if (socket_ask("status", &text) == 0) {
        report->supervised = true;
        free(text);
    }
    if (as_json) {
        report->json = &json;
        json_begin(&json);
        json_array_open(&json, NULL);
    } else {
        journal_each(read_first, report);
        if (nr_readings)
            host_sleep_ms(RATE_MS);
    }
    if (journal_read_each(one, report))
        report->failed = true;
    err = unfinished_each(unfinished_alone, report);
    if (err) {
        log_line("%s: %s%s: what a `ferry` left unfinished cannot be told", files_run_dir(),
                 strerror(-err), files_todo(err));
        report->failed = true;
    }
    if (as_json) {
        json_array_close(&json);
        json_print(&json);
    }
    if (report->failed)
        return EXIT_FAILED;
    if (report->only && !report->nr) {
        log_line("there is no driver domain %.63s that ferry started; `ferry status` lists them",
                 report->only);
        return EXIT_NO_SUCH;
    }
    if (!report->nr && !as_json)
        printf("no driver domains; `ferry start CONFIG` makes one\n");
    return EXIT_OK;
}

int command_status(int argc, char **argv)
{
    static const struct option options[] = { { "json", no_argument, NULL, 'j' },
                                             { "deaths", no_argument, NULL, 'd' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    struct report report = { 0 };
    bool as_json = false;
    int option, code;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option == '?')
            return command_usage();
        as_json = as_json || option == 'j';
        report.all_deaths = report.all_deaths || option == 'd';
    }
    if (argc - optind > 1)
        return command_usage();
    if (as_json && report.all_deaths) {
        log_line("--json has all deaths that are kept: --deaths is for text");
        return EXIT_USAGE;
    }
    report.only = argv[optind];
    if (host_open(&report.host))
        return EXIT_FAILED;
    code = status(&report, as_json);
    host_close(&report.host);
    return code;
}
